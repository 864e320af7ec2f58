"""Item tables without the rows of items that were never trained on."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from paretoopt.artifact.export import export_graph
from paretoopt.compression.trim_vocabulary import trim_table
from paretoopt.errors import CandidateError
from paretoopt.models.recommender import Recommender, recommender
from paretoopt.models.sasrec import SASRec
from paretoopt.models.vocabulary import TrimmedModel, Vocabulary

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
    """The largest tensor is the table of kept items; ids take 4 bytes an item each way."""
    sizes = sorted((tensor.ByteSize() for tensor in onnx.load_from_string(graph).graph.initializer), reverse=True)

    for size, expected in zip(sizes, [201 * 32 * 4], strict=False):
        assert expected <= size < expected + 100
    assert sum(sizes) < 201 * 32 * 4 + (401 + 201) * 4 + parameters_beside_the_table() * 4 + 5_000


def parameters_beside_the_table() -> int:
    """The number of weights of the encoder that are not the table's."""
    model = make_model()
    return sum(parameter.numel() for parameter in model.parameters()) - model.items.weight.numel()


def test_fewer_items_than_an_answer_needs_are_refused() -> None:
    """The message says how many remain."""
    model = make_model()

    with pytest.raises(CandidateError, match="leaves 3 of 400 items, fewer than the 5"):
        trim_table(model, model.items, np.array([1, 2, 3]), least=5)


def test_a_history_moves_up_in_order() -> None:
    """Known items keep their order on the right, padding fills the left."""
    vocabulary = Vocabulary(np.array([3, 5, 6]), n_items=6)

    rows = vocabulary.history(torch.tensor([[0, 3, 1, 6, 2, 5], [6, 4, 4, 6, 0, 3]]))

    assert rows.tolist() == [[0, 0, 0, 1, 3, 2], [0, 0, 0, 3, 3, 1]]
