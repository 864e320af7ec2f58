"""Ready-made pipelines for recommendation models."""

from paretoopt.recommenders.click_through import click_through
from paretoopt.recommenders.sequential import next_item
from paretoopt.recommenders.slate_models import HistoryModel, NeuMFModel
from paretoopt.recommenders.slates import slate_ranking

__all__ = ["HistoryModel", "NeuMFModel", "click_through", "next_item", "slate_ranking"]
