"""A small shop and a pipeline that trains on it in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import next_item
from paretoopt.training.loop import TrainingSettings


@pytest.fixture(scope="session")
def shop() -> Split:
    """Two hundred users and eighty items."""
    return leave_one_out(synthetic_shop(users=200, items=80, seed=0))


@pytest.fixture(scope="session")
def pipeline(shop: Split, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The next-item pipeline on the shop, with a store of its own."""
    return make_pipeline(shop, tmp_path_factory.mktemp("store"))


def make_pipeline(shop: Split, store: Path) -> Pipeline:
    """The next-item pipeline with little training."""
    few = TrainingSettings(epochs=3, learning_rate=3e-3, threads=1)
    return next_item(shop, length=20, training=few, fine_tuning=few, store=store)
