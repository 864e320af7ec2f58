"""Structured pruning and post-training quantisation."""
