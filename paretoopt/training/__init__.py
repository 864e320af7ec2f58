"""Training: one loop for fitting, fine-tuning and everything that learns."""
