"""Item tables without the rows of items that were never trained on."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from paretoopt.artifact.export import export_graph
from paretoopt.compression.quantize import EMBEDDING_BITS, quantize_graph
from paretoopt.compression.trim_vocabulary import trim_table
from paretoopt.errors import CandidateError
from paretoopt.models.recommender import Recommender, recommender
from paretoopt.models.sasrec import SASRec
from paretoopt.models.vocabulary import TrimmedModel

N_ITEMS, K = 400, 5
KEPT = np.arange(2, N_ITEMS + 1, 2)


def make_model() -> SASRec:
    """An untrained encoder of 400 items."""
    torch.manual_seed(0)
    return SASRec(n_items=N_ITEMS, embedding_dim=32, length=8, blocks=1, heads=2, dropout=0.0).eval()


def trimmed() -> TrimmedModel:
    """The same encoder, which knows the items of even id only."""
    model = make_model()
    return trim_table(model, model.items, KEPT)


def requests(*histories: list[int]) -> dict[str, np.ndarray]:
    """Requests of eight items that have seen items 2 and 3."""
    padded = [[0] * (8 - len(history)) + history for history in histories]
    return {"history": np.array(padded), "seen": np.tile([2, 3], (len(histories), 1))}


def answer(graph: bytes, request: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The items and scores of ONNX Runtime."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return list(session.run(["items", "scores"], request))


@pytest.fixture(scope="module")
def graph() -> bytes:
    """The graph of the trimmed encoder."""
    module = recommender(trimmed(), K).eval()
    return bytes(
        export_graph(
            module, requests([4, 6], [8]), outputs=("items", "scores"), dynamic_axes=("seen",)
        ).SerializeToString()
    )


def test_ids_mean_the_same_outside(graph: bytes) -> None:
    """The graph answers as the full model does whose catalogue is the kept items, in the ids of the full one."""
    full, request = Recommender(make_model(), K), requests([4, 6, 8], [10, 12, 14, 16])
    odd = np.tile(np.arange(1, N_ITEMS + 1, 2), (2, 1))
    with torch.no_grad():
        expected = full(torch.from_numpy(request["history"]), torch.from_numpy(np.hstack([request["seen"], odd])))

    items, scores = answer(graph, request)

    assert np.array_equal(items, expected[0].numpy())
    assert np.allclose(scores, expected[1].numpy(), atol=1e-4)


def test_a_trimmed_item_is_as_if_it_were_not_in_the_request(graph: bytes) -> None:
    """Wherever it stands in the history, the answer is that of the history without it; it is never recommended."""
    items, scores = answer(graph, requests([4, 5, 6, 8, 9], [7, 1]))
    without_items, without_scores = answer(graph, requests([4, 6, 8], []))

    assert np.array_equal(items, without_items)
    assert np.allclose(scores, without_scores, atol=1e-5)
    assert not (items % 2).any()


def test_the_rows_are_gone_from_the_file(graph: bytes) -> None:
    """There is one table, of the kept items' rows, and little more than one byte for each item's id."""
    shapes = [tuple(tensor.dims) for tensor in onnx.load_from_string(graph).graph.initializer]

    assert sorted(shape for shape in shapes if max(shape, default=0) > 128) == [(201, 32), (512,)]


@pytest.mark.parametrize("bits", [bits for bits in EMBEDDING_BITS if bits != 32])
def test_a_trimmed_table_is_quantised(graph: bytes, bits: int) -> None:
    """Lookup and scoring of the shorter table run on fewer bits, none of it is left in fp32, and ids stay whole."""
    small = quantize_graph(onnx.load_from_string(graph), linear_bits=32, embedding_bits=bits)

    items, scores = answer(small.SerializeToString(), requests([4, 5, 6], [8]))

    assert np.isfinite(scores).all()
    assert not (items % 2).any()
    full = [tuple(tensor.dims) for tensor in small.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT]
    assert (201, 32) not in full


def test_fewer_items_than_an_answer_needs_are_refused() -> None:
    """The message says how many remain."""
    model = make_model()

    with pytest.raises(CandidateError, match="leaves 3 of 400 items, fewer than the 5"):
        trim_table(model, model.items, np.array([1, 2, 3]), least=5)
