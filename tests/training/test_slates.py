"""Learning slates."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from paretoopt.data.slate_metrics import slate_quality
from paretoopt.data.slate_popularity import slate_popularity
from paretoopt.data.slate_sampling import sampled_slates
from paretoopt.data.slates import SlateData
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.models.history_ranker import HistoryRanker
from paretoopt.models.neumf import NeuMF
from paretoopt.training.loop import TrainingSettings, train
from paretoopt.training.slates import SlateSettings, SlateTask

SETTINGS = SlateSettings(length=5, negatives=3, batch_size=50)


@pytest.fixture(scope="module")
def data() -> SlateData:
    """Three hundred users and two hundred items, in slates of fifty."""
    return sampled_slates(synthetic_shop(users=300, items=200, seed=0), slate_size=50)


def epoch(data: SlateData, settings: SlateSettings = SETTINGS) -> dict[str, np.ndarray]:
    """All inputs of one epoch, one row per event."""
    batches = list(SlateTask(data, settings).batches(np.random.default_rng(0)))
    return {name: torch.cat([batch[name] for batch in batches]).numpy() for name in batches[0]}


def test_every_training_event_is_learnt_once_an_epoch(data: SlateData) -> None:
    """In front of each slate stands a training event's item, each of them once and no held-out one."""
    inputs, split = epoch(data), data.split
    users = np.repeat(np.arange(split.n_users), np.diff(split.train_offsets))

    learnt = Counter(zip(inputs["user"] - 1, inputs["candidates"][:, 0] - 1, strict=True))

    assert learnt == Counter(zip(users, split.train_items, strict=True))


def test_negatives_are_never_in_the_users_training_items(data: SlateData) -> None:
    """They are as many as was asked for, from the whole catalogue but what the user has."""
    inputs, split = epoch(data), data.split
    negatives = inputs["candidates"][:, 1:] - 1

    assert negatives.shape[1] == 3
    assert len(np.unique(negatives)) == split.n_items
    for user, row in zip(inputs["user"] - 1, negatives, strict=True):
        assert not np.isin(row, split.train_items[split.train_offsets[user] : split.train_offsets[user + 1]]).any()


def test_the_history_of_an_event_is_what_came_before_it(data: SlateData) -> None:
    """The most recent items on the right, nothing of the event itself, of later ones or of other users."""
    inputs, split = epoch(data), data.split
    expected: Counter[tuple[int, ...]] = Counter()
    for user, first in enumerate(split.train_offsets[:-1]):
        for event in range(first, split.train_offsets[user + 1]):
            recent = split.train_items[max(first, event - 5) : event] + 1
            expected[(user + 1, *[0] * (5 - len(recent)), *recent, split.train_items[event] + 1)] += 1

    rows = np.column_stack([inputs["user"], inputs["history"], inputs["candidates"][:, 0]])

    assert Counter(map(tuple, rows)) == expected


def test_a_model_without_history_gets_none(data: SlateData) -> None:
    """Its batches hold users and candidates."""
    assert epoch(data, SlateSettings(length=0)).keys() == {"user", "candidates"}


def test_the_loss_is_the_log_loss_of_positives_and_negatives(data: SlateData) -> None:
    """It is minus the mean log-likelihood, with the first candidate of each row clicked and the others not."""
    task, model = SlateTask(data, SlateSettings(length=0, negatives=3)), make_neumf(data)
    batch = next(iter(task.batches(np.random.default_rng(0))))
    probabilities = torch.sigmoid(model(**batch)).detach().numpy().astype(float)

    expected = -np.mean([[math.log(row[0]), *(math.log(1 - other) for other in row[1:])] for row in probabilities])

    assert task.loss(model, batch).item() == pytest.approx(expected, rel=1e-5)


def test_a_model_is_no_distance_from_itself(data: SlateData) -> None:
    """Taught by itself, the loss is the task's own and the divergence is none; taught by another, there is some."""
    task, model = SlateTask(data, SlateSettings(length=0)), make_neumf(data)
    torch.manual_seed(1)
    other = NeuMF(n_users=data.split.n_users, n_items=data.split.n_items, factors=8).eval()
    batch = next(iter(task.batches(np.random.default_rng(0))))

    own, none = task.taught_losses(model, model, batch, 2.0)

    assert own == task.loss(model, batch)
    assert none.item() == pytest.approx(0, abs=1e-7)
    assert task.taught_losses(model, other, batch, 2.0)[1] > 1e-6


def test_quality_is_the_ndcg_on_the_validation_slates(data: SlateData) -> None:
    """It equals scoring one user at a time."""
    model, split = make_ranker(data), data.split
    scores = []
    for user, candidates in enumerate(data.validation.candidates):
        known = split.train_items[split.train_offsets[user] : split.train_offsets[user + 1]][-5:] + 1
        history = torch.from_numpy(np.pad(known, (5 - len(known), 0)))[None]
        scores.append(model(torch.tensor([user + 1]), torch.from_numpy(candidates + 1)[None], history)[0])

    expected = slate_quality(torch.stack(scores).detach().numpy(), data.validation).ndcg

    with torch.no_grad():
        assert SlateTask(data, SETTINGS).quality(model) == pytest.approx(expected)


def make_ranker(data: SlateData) -> nn.Module:
    """A small untrained history ranker without dropout."""
    torch.manual_seed(0)
    sizes = {"n_users": data.split.n_users, "n_items": data.split.n_items}
    return HistoryRanker(**sizes, embedding_dim=16, length=5, history="flatten", hidden=32, dropout=0.0).eval()


def make_neumf(data: SlateData) -> nn.Module:
    """A small untrained NeuMF."""
    torch.manual_seed(0)
    return NeuMF(n_users=data.split.n_users, n_items=data.split.n_items, factors=8).eval()


@pytest.mark.parametrize(("make", "length", "factor"), [(make_ranker, 5, 1.4), (make_neumf, 0, 1.2)])
def test_both_models_learn_more_than_popularity(data: SlateData, make: type, length: int, factor: float) -> None:
    """After a few epochs they rank validation slates clearly better."""
    task = SlateTask(data, SlateSettings(length=length, batch_size=64))
    settings = TrainingSettings(epochs=6, learning_rate=5e-3)

    trained = train(make(data), task, settings, seed=0, stage="fit", listener=lambda progress: None)

    assert trained.quality > factor * slate_popularity(data, phase="validation").ndcg
