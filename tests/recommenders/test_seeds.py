"""Seeds of ready-made pipelines: another one gives other weights, from the first ones on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from paretoopt.data.slate_sampling import sampled_slates
from paretoopt.data.split import Split
from paretoopt.data.synthetic_clicks import synthetic_clicks
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import NeuMFModel, click_through, next_item, slate_ranking
from paretoopt.training.loop import TrainingSettings

KINDS = ("next_item", "click_through", "slate_ranking")


def make(kind: str, shop: Split, store: Path, learning_rate: float) -> Pipeline:
    """A pipeline that trains for one epoch."""
    training = TrainingSettings(epochs=1, threads=1, learning_rate=learning_rate)
    if kind == "next_item":
        return next_item(shop, length=20, training=training, store=store)
    if kind == "click_through":
        return click_through(synthetic_clicks(rows=600), training=training, store=store)
    return slate_ranking(sampled_slates(shop, slate_size=20), NeuMFModel(), k=5, training=training, store=store)


def fitted(pipeline: Pipeline, seed: int) -> NDArray[np.float32]:
    """All weights after training, in a row."""
    model = pipeline.with_seed(seed).output_of("fit", {"embedding_dim": 8})
    return np.concatenate([parameter.detach().numpy().ravel() for parameter in model.parameters()])


@pytest.mark.parametrize("kind", KINDS)
def test_equal_seeds_give_equal_weights_and_others_other_ones(shop: Split, tmp_path: Path, kind: str) -> None:
    """Trained in two stores from seed 1, weights are equal to the last bit; from seed 2 they are not."""
    first, second = (make(kind, shop, tmp_path / name, 0.01) for name in "ab")

    assert np.array_equal(fitted(first, 1), fitted(second, 1))
    assert not np.allclose(fitted(first, 1), fitted(first, 2), atol=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_initial_weights_come_from_the_seed(shop: Split, tmp_path: Path, kind: str) -> None:
    """With next to no learning rate, training leaves them as they were drawn: differently for another seed."""
    pipeline = make(kind, shop, tmp_path, 1e-12)

    assert not np.allclose(fitted(pipeline, 1), fitted(pipeline, 2), atol=0.01)


def test_another_seed_is_measured_on_the_same_users_and_requests(shop: Split, tmp_path: Path) -> None:
    """The quality of another seed is of the same requests and users, and of another model."""
    pipeline = make("next_item", shop, tmp_path, 0.01)
    other = pipeline.with_seed(1)

    measured = other.quality({"embedding_dim": 8}).measurements

    assert {"ndcg_at_10", "overlap_at_10"} <= set(measured)
    assert "latency_p50_ms" not in measured
    assert all(np.array_equal(other.requests[name], array) for name, array in pipeline.requests.items())
    assert len(other.per_user({"embedding_dim": 8})["ndcg_at_10"]) == shop.n_users
