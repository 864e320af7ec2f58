"""Learning next items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from paretoopt.data.popularity import popularity_baseline
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.models.recommender import Recommender
from paretoopt.models.sasrec import SASRec
from paretoopt.training.loop import TrainingSettings, train
from paretoopt.training.next_item import NextItemSettings, NextItemTask
from paretoopt.training.windows import Windows

SETTINGS = NextItemSettings(length=10, batch_size=16)


@pytest.fixture(scope="module")
def shop() -> Split:
    """Three hundred users and sixty items."""
    return leave_one_out(synthetic_shop(users=300, items=60, seed=0))


def make_model(shop: Split) -> SASRec:
    """A small untrained encoder without dropout."""
    torch.manual_seed(0)
    return SASRec(n_items=shop.n_items, embedding_dim=16, length=10, blocks=1, heads=2, dropout=0.0)


def first_batch(task: NextItemTask) -> Windows:
    """The first batch of the first epoch."""
    return next(iter(task.batches(np.random.default_rng(0))))


def test_the_loss_is_the_cross_entropy_of_the_next_item(shop: Split) -> None:
    """It is minus the mean log-probability that the softmax over all items gives the targets."""
    task, model = NextItemTask(shop, SETTINGS), make_model(shop)
    batch = first_batch(task)

    scores = model.encode(torch.from_numpy(batch.inputs)) @ model.items.weight[1:].T
    real = batch.targets > 0
    log_probabilities = torch.log_softmax(scores, -1).detach().numpy()[real]
    expected = -log_probabilities[np.arange(real.sum()), batch.targets[real] - 1].mean()

    assert task.loss(model, batch).item() == pytest.approx(expected, rel=1e-5)


def test_a_sample_that_holds_every_item_gives_the_full_loss(shop: Split) -> None:
    """The sampled softmax of a large catalogue tends to the full one as more negatives are drawn."""
    sampled = replace(SETTINGS, full_catalogue=0, negatives=10_000)
    model = make_model(shop)
    batch = first_batch(NextItemTask(shop, SETTINGS))

    full, estimate = (NextItemTask(shop, settings).loss(model, batch).item() for settings in (SETTINGS, sampled))

    assert estimate == pytest.approx(full, rel=1e-5)


def test_a_sample_is_smaller_than_the_catalogue(shop: Split) -> None:
    """Few negatives leave items out of the softmax, so that its loss is lower."""
    few = replace(SETTINGS, full_catalogue=0, negatives=4, batch_size=1)
    model = make_model(shop)
    batch = first_batch(NextItemTask(shop, few))

    assert NextItemTask(shop, few).loss(model, batch) < NextItemTask(shop, SETTINGS).loss(model, batch)


@pytest.mark.parametrize("full_catalogue", [20_000, 0], ids=["full softmax", "sampled softmax"])
def test_learning_starts_at_once(shop: Split, full_catalogue: int) -> None:
    """After a few epochs on sequential data the model ranks better than popularity."""
    task = NextItemTask(shop, replace(SETTINGS, full_catalogue=full_catalogue, negatives=32))
    settings = TrainingSettings(epochs=8, learning_rate=5e-3)

    trained = train(make_model(shop), task, settings, seed=0, stage="fit", listener=lambda progress: None)

    assert trained.quality > 1.3 * popularity_baseline(shop, k=10, phase="validation").ndcg


def test_quality_is_the_ndcg_of_a_full_ranking(shop: Split) -> None:
    """It equals what ranking all items one user at a time gives."""
    task, model = NextItemTask(shop, SETTINGS), make_model(shop).eval()
    gains = []
    for user, target in enumerate(shop.validation_items):
        known = shop.train_items[shop.train_offsets[user] : shop.train_offsets[user + 1]]
        scores = model(torch.from_numpy(known[-10:] + 1)[None]).detach().numpy()[0, 1:]
        rank = (np.delete(scores, np.unique(known)) > scores[target]).sum()
        gains.append(1 / np.log2(rank + 2) if rank < 10 and target not in known else 0.0)

    assert task.quality(model) == pytest.approx(np.mean(gains), rel=1e-6)


def test_training_sees_no_held_out_item(shop: Split) -> None:
    """The targets of an epoch are the training events, each user's first one left out."""
    task = NextItemTask(shop, SETTINGS)

    targets = np.concatenate([batch.targets.ravel() for batch in task.batches(np.random.default_rng(0))])

    is_first = np.zeros(len(shop.train_items), dtype=bool)
    is_first[shop.train_offsets[:-1][np.diff(shop.train_offsets) > 0]] = True
    assert sorted(targets[targets > 0] - 1) == sorted(shop.train_items[~is_first])


def test_recommendations_do_not_depend_on_the_batch(shop: Split) -> None:
    """A user gets the same list alone and among others."""
    recommender = Recommender(make_model(shop).eval(), 10)
    task = NextItemTask(shop, SETTINGS)

    together, _ = recommender(task._histories, task._seen)
    alone, _ = recommender(task._histories[5:6], task._seen[5:6])

    assert torch.equal(together[5:6], alone)


@pytest.mark.parametrize("full_catalogue", [20_000, 0], ids=["full softmax", "sampled softmax"])
def test_student_and_teacher_answer_for_the_same_items(shop: Split, full_catalogue: int) -> None:
    """A model has no distance from itself, whichever items are drawn, and its own loss is the task's."""
    task = NextItemTask(shop, replace(SETTINGS, full_catalogue=full_catalogue, negatives=32))
    model = make_model(shop)
    batch = first_batch(task)
    torch.manual_seed(1)
    expected = task.loss(model, batch).item()
    torch.manual_seed(1)

    own, divergence = task.taught_losses(model, model, batch, 2.0)

    assert own.item() == expected
    assert divergence.item() == pytest.approx(0, abs=1e-6)
