"""Learning to predict clicks, on synthetic impressions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from paretoopt.data.clicks import Clicks
from paretoopt.data.synthetic_clicks import synthetic_clicks
from paretoopt.measurement.click_quality import auc, log_loss
from paretoopt.models.deepfm import DeepFM, FactorizationMachine
from paretoopt.models.dlrm import DLRM
from paretoopt.pipeline.evaluation import ignore_progress
from paretoopt.training.clicks import ClickSettings, ClickTask
from paretoopt.training.loop import TrainingSettings, train


@pytest.fixture(scope="module")
def clicks() -> Clicks:
    """Enough impressions that pairs can be learnt."""
    return synthetic_clicks(10_000, fields=4, numbers=1)


def make_model(kind: str, clicks: Clicks) -> nn.Module:
    """An untrained model of a kind."""
    torch.manual_seed(0)
    sizes, n_numeric = clicks.sizes, len(clicks.numeric_fields)
    match kind:
        case "dlrm":
            return DLRM(sizes=sizes, n_numeric=n_numeric, embedding_dim=8, bottom=(8,), top=(32,), dropout=0.0)
        case "deepfm":
            return DeepFM(sizes=sizes, n_numeric=n_numeric, embedding_dim=8, top=(32,), dropout=0.0)
        case _:
            width = {"regression": 1, "machine": 8}[kind]
            return FactorizationMachine(sizes=sizes, n_numeric=n_numeric, embedding_dim=width)


def trained_auc(kind: str, clicks: Clicks) -> float:
    """The AUC on test after training."""
    model = make_model(kind, clicks)
    settings = TrainingSettings(epochs=12, patience=2, learning_rate=0.01, threads=1)
    task = ClickTask(clicks, ClickSettings(256, 1e-4))
    train(model, task, settings, seed=0, stage="fit", listener=ignore_progress)
    part = clicks.test
    with torch.no_grad():
        logits = model(torch.from_numpy(part.categories.copy()), torch.from_numpy(part.numbers.copy()))
    return auc(part.labels, logits.numpy())


def test_an_epoch_holds_every_training_row_once(clicks: Clicks) -> None:
    """In an order of its own."""
    batches = list(ClickTask(clicks, ClickSettings(500)).batches(np.random.default_rng(0)))
    seen = torch.cat([torch.column_stack([batch.labels, batch.categories, batch.numbers]) for batch in batches])
    train = clicks.train
    expected = np.column_stack([train.labels, train.categories, train.numbers])

    assert max(len(batch.labels) for batch in batches) == 500
    assert np.array_equal(np.sort(seen.numpy(), axis=0), np.sort(expected.astype(np.float32), axis=0))
    assert not np.array_equal(seen.numpy(), expected.astype(np.float32))


def test_quality_is_the_log_loss_on_validation_negated(clicks: Clicks) -> None:
    """As the measure computes it from probabilities."""
    model, part = make_model("dlrm", clicks).eval(), clicks.validation
    with torch.no_grad():
        quality = ClickTask(clicks, ClickSettings(500, 0.5)).quality(model)
        logits = model(torch.from_numpy(part.categories.copy()), torch.from_numpy(part.numbers.copy()))

    assert -quality == pytest.approx(log_loss(part.labels, logits.sigmoid().numpy()), rel=1e-5)


def test_the_penalty_is_half_the_embeddings_squares(clicks: Clicks) -> None:
    """It keeps values that are seldom seen near 0."""
    model = make_model("machine", clicks)
    batch = next(ClickTask(clicks, ClickSettings(500)).batches(np.random.default_rng(0)))
    plain, penalised = (ClickTask(clicks, ClickSettings(500, penalty)) for penalty in (0.0, 0.5))
    squares = sum(p.square().sum().item() for name, p in model.named_parameters() if "table" in name)

    assert penalised.loss(model, batch).item() - plain.loss(model, batch).item() == pytest.approx(
        0.25 * squares, rel=1e-4
    )


def test_a_teacher_is_learnt_from_in_its_probabilities(clicks: Clicks) -> None:
    """A model that is its own teacher has nothing to learn from it; one of other logits has, and no penalty more."""
    model, teacher = make_model("machine", clicks).eval(), make_model("dlrm", clicks).eval()
    task = ClickTask(clicks, ClickSettings(500, 0.5))
    batch = next(task.batches(np.random.default_rng(0)))

    own, same = task.taught_losses(model, model, batch, 2.0)
    _, other = task.taught_losses(model, teacher, batch, 2.0)

    assert own.item() == task.loss(model, batch).item()
    assert same.item() == pytest.approx(0.0, abs=1e-9)
    assert other.item() > 0


def test_models_of_pairs_learn_what_logistic_regression_cannot(clicks: Clicks) -> None:
    """The planted tastes are products of hidden vectors: all models with pairs beat the one without."""
    regression = trained_auc("regression", clicks)

    assert all(trained_auc(kind, clicks) > regression + 0.02 for kind in ("machine", "dlrm", "deepfm"))
