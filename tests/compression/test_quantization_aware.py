"""Training on with rounded weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from paretoopt.artifact.export import export_graph
from paretoopt.compression.fake_quantization import fake_quantize, keep_rounded
from paretoopt.compression.quantization_aware import quantization_aware
from paretoopt.compression.quantize import EMBEDDING_BITS, LINEAR_BITS, quantize_graph
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.models.recommender import Recommender
from paretoopt.models.sasrec import SASRec
from paretoopt.pipeline.stage import Context
from paretoopt.space import Params
from paretoopt.training.loop import TrainingSettings, train
from paretoopt.training.next_item import NextItemSettings, NextItemTask

FEW_BITS = [
    (linear, table)
    for linear in LINEAR_BITS
    for table in EMBEDDING_BITS
    if {linear, table} & {4, 2} and {linear, table} <= {32, 4, 2}
]


@pytest.fixture(scope="module")
def shop() -> Split:
    """A hundred and fifty users and sixty items."""
    return leave_one_out(synthetic_shop(users=150, items=60, seed=0))


@pytest.fixture(scope="module")
def weights(shop: Split) -> dict[str, torch.Tensor]:
    """Those of a model that has learnt."""
    model = make_model(shop)
    settings = TrainingSettings(epochs=12, learning_rate=5e-3)
    train(model, task(shop), settings, seed=0, stage="fit", listener=lambda progress: None)
    return dict(model.state_dict())


def make_model(shop: Split, weights: dict[str, torch.Tensor] | None = None) -> SASRec:
    """A small encoder without dropout."""
    torch.manual_seed(0)
    model = SASRec(n_items=shop.n_items, embedding_dim=16, length=10, blocks=1, heads=2, dropout=0.0)
    model.load_state_dict(weights or model.state_dict())
    return model.eval()


def task(shop: Split) -> NextItemTask:
    """Predicting the next item."""
    return NextItemTask(shop, NextItemSettings(length=10, batch_size=16))


def trained_on(shop: Split, model: SASRec, *, linear_bits: int, embedding_bits: int, epochs: int) -> SASRec:
    """``model`` as the stage gives it."""
    stage = quantization_aware(task, TrainingSettings(epochs=epochs, learning_rate=5e-3))
    params: Params = {"linear_bits": linear_bits, "embedding_bits": embedding_bits}
    given = stage.run(model, params, Context(shop, {}, lambda: None, 0, Path(), lambda progress: None))
    assert isinstance(given, SASRec)
    return given


@pytest.mark.parametrize(("linear_bits", "embedding_bits"), FEW_BITS)
def test_what_was_trained_is_what_ships(
    shop: Split, weights: dict[str, torch.Tensor], linear_bits: int, embedding_bits: int
) -> None:
    """The quantised artifact answers as the torch model with rounded weights does, but for 8-bit activations."""
    model = trained_on(
        shop, make_model(shop, weights), linear_bits=linear_bits, embedding_bits=embedding_bits, epochs=1
    )
    random = np.random.default_rng(0)
    requests = {"history": random.integers(1, 61, size=(40, 10)), "seen": random.integers(0, 61, size=(40, 5))}
    recommender = Recommender(model, 10)

    graph = export_graph(recommender, requests, outputs=("items", "scores"), dynamic_axes=("seen",))
    quantized = quantize_graph(graph, linear_bits=linear_bits, embedding_bits=embedding_bits)
    session = onnxruntime.InferenceSession(quantized.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(["scores"], requests)

    with torch.no_grad():
        _, expected = recommender(**{name: torch.from_numpy(array) for name, array in requests.items()})
    assert np.allclose(found, expected.numpy(), atol=0.04 * expected.abs().max().item())


def test_training_on_wins_quality_back(shop: Split, weights: dict[str, torch.Tensor]) -> None:
    """Of what two bits cost the trained model, a good half is won back."""
    full, rounded = make_model(shop, weights), make_model(shop, weights)
    keep_rounded(fake_quantize(rounded, linear_bits=None, embedding_bits=2))

    recovered = trained_on(shop, make_model(shop, weights), linear_bits=32, embedding_bits=2, epochs=8)

    before, without, after = (task(shop).quality(model) for model in (full, rounded, recovered))
    assert without < before
    assert after - without > 0.5 * (before - without)


def test_only_few_bits_are_trained_with(shop: Split, weights: dict[str, torch.Tensor]) -> None:
    """A part with 8 bits or more keeps its fine weights; the other lies on the grid of its bits."""
    model = trained_on(shop, make_model(shop, weights), linear_bits=8, embedding_bits=2, epochs=1)

    levels = [len(set(row.tolist())) for row in model.items.weight]
    assert max(levels) <= 4
    assert len(set(dict(model.named_parameters())["blocks.0.expand.weight"][0].tolist())) == 16
