"""Ready-made pipelines for recommendation models."""
