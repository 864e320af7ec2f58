"""Ready-made pipelines for recommendation models."""

from paretoopt.recommenders.click_through import click_through
from paretoopt.recommenders.sequential import next_item

__all__ = ["click_through", "next_item"]
