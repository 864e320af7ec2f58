"""Ready-made pipelines for recommendation models."""

from paretoopt.recommenders.sequential import next_item

__all__ = ["next_item"]
