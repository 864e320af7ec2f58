"""Interaction data: reading, checking, splitting, and the popularity that a model has to beat."""
