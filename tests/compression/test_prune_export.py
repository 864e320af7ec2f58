"""Pruned models on their way to production: exported, quantised, served."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast, get_args

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paretoopt.artifact.export import export_graph
from paretoopt.compression.prune_allocation import Allocation
from paretoopt.compression.prune_channels import prune_channels
from paretoopt.compression.prune_selection import PruningShares
from paretoopt.compression.quantize import EMBEDDING_BITS, LINEAR_BITS, quantize_graph
from paretoopt.compression.trim_vocabulary import trim_table
from paretoopt.models.recommender import recommender
from paretoopt.models.sasrec import SASRec
from paretoopt.recommenders.sasrec_pruning import sasrec_plan

shares = st.builds(PruningShares, *[st.sampled_from([0.0, 0.3, 0.5, 0.75])] * 3)


def pruned_model(removed: PruningShares, allocation: Allocation) -> SASRec:
    """A pruned encoder of 60 items; 8 heads of 4, so that any share leaves some."""
    torch.manual_seed(0)
    model = SASRec(n_items=60, embedding_dim=32, length=6, blocks=2, heads=8, dropout=0.0)
    context = SimpleNamespace(requests={"history": np.array([[0, 0, 3, 1, 2, 9], [4, 5, 6, 7, 8, 9]])})
    prune_channels(model, sasrec_plan(model, cast(Any, context)), removed, allocation=allocation)
    return model.eval()


def requests() -> dict[str, np.ndarray]:
    """Eight random requests."""
    random = np.random.default_rng(0)
    return {"history": random.integers(0, 61, size=(8, 6)), "seen": random.integers(0, 61, size=(8, 3))}


@pytest.mark.slow
@settings(max_examples=12)
@given(removed=shares, allocation=st.sampled_from(get_args(Allocation)), is_trimmed=st.booleans())
def test_a_pruned_model_exports_and_answers_as_torch_does(
    removed: PruningShares, allocation: Allocation, is_trimmed: bool
) -> None:
    """Whatever was pruned and trimmed, ONNX Runtime gives torch's items and scores."""
    pruned: torch.nn.Module = pruned_model(removed, allocation)
    if is_trimmed:
        pruned = trim_table(pruned, cast(SASRec, pruned).items, np.arange(1, 61, 2))
    module = recommender(pruned, 5).eval()
    graph = export_graph(module, requests(), outputs=("items", "scores"), dynamic_axes=("seen",))

    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    items, scores = session.run(["items", "scores"], requests())

    with torch.no_grad():
        expected = module(**{name: torch.from_numpy(array) for name, array in requests().items()})
    assert np.allclose(scores, expected[1].numpy(), atol=1e-4)
    # Equal scores may change places.
    assert (items == expected[0].numpy()).mean() > 0.9


@pytest.fixture(scope="module")
def graph() -> onnx.ModelProto:
    """The graph of a model with odd widths of every kind."""
    model = recommender(pruned_model(PruningShares(0.3, 0.3, 0.3), "global"), 5).eval()
    return export_graph(model, requests(), outputs=("items", "scores"), dynamic_axes=("seen",))


@pytest.mark.parametrize("linear_bits", LINEAR_BITS)
@pytest.mark.parametrize("embedding_bits", EMBEDDING_BITS)
def test_a_pruned_model_quantises_at_any_width(graph: onnx.ModelProto, linear_bits: int, embedding_bits: int) -> None:
    """Odd widths of every kind go through all kernels, and the answers stay near those in fp32."""
    small = quantize_graph(graph, linear_bits=linear_bits, embedding_bits=embedding_bits)

    scores, full = (
        onnxruntime.InferenceSession(each.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            ["scores"], requests()
        )[0]
        for each in (small, graph)
    )

    assert np.isfinite(scores).all()
    # Two bits keep little more than the signs of an untrained table.
    tolerance = {2: 1.0, 4: 0.5}.get(min(linear_bits, embedding_bits), 0.05)
    assert np.abs(scores - full).max() < tolerance * np.abs(full).max()
