"""Exported graphs to compress."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from paretoopt.artifact.export import export_graph
from paretoopt.models.recommender import Recommender
from paretoopt.models.sasrec import SASRec

Requests = dict[str, np.ndarray]


@pytest.fixture(scope="session")
def requests() -> Requests:
    """Forty random requests."""
    random = np.random.default_rng(0)
    return {"history": random.integers(1, 301, size=(40, 12)), "seen": random.integers(0, 301, size=(40, 20))}


@pytest.fixture(scope="session")
def exported(requests: Requests) -> Callable[[int], onnx.ModelProto]:
    """Gives the fp32 graph of an untrained recommender of 300 items, by embedding size."""
    graphs: dict[int, onnx.ModelProto] = {}

    def export(embedding_dim: int) -> onnx.ModelProto:
        if embedding_dim not in graphs:
            torch.manual_seed(0)
            model = SASRec(n_items=300, embedding_dim=embedding_dim, length=12, blocks=1, heads=2, dropout=0.0)
            graphs[embedding_dim] = export_graph(
                Recommender(model, 10), requests, outputs=("items", "scores"), dynamic_axes=("seen",)
            )
        return graphs[embedding_dim]

    return export


class OddWidths(nn.Module):
    """Tables of odd widths that score nothing, one of them with a single row, and linear layers of odd widths."""

    def __init__(self) -> None:
        """Make the layers."""
        super().__init__()
        self.items = nn.Embedding(50, 10)
        self.biases = nn.Embedding(7, 1)
        self.only = nn.Embedding(1, 5)
        self.hidden = nn.Linear(16, 37)
        self.output = nn.Linear(37, 1)

    def forward(self, history: Tensor, seen: Tensor) -> Tensor:
        """A score for each request, of shape ``(batch, 1)``."""
        looked_up = [self.items(history % 50), self.biases(seen % 7), self.only(history * 0)]
        inputs = torch.cat([rows.mean(1) for rows in looked_up], dim=1)
        scores: Tensor = self.output(torch.relu(self.hidden(inputs)))
        return scores


@pytest.fixture(scope="session")
def odd(requests: Requests) -> onnx.ModelProto:
    """The fp32 graph of an untrained model of odd widths."""
    torch.manual_seed(0)
    return export_graph(OddWidths(), requests, outputs=("scores",), dynamic_axes=("seen",))


@pytest.fixture(scope="session")
def scores_of(requests: Requests) -> Callable[[onnx.ModelProto], np.ndarray]:
    """Gives the scores that ONNX Runtime computes with a graph, one request at a time."""

    def run(graph: onnx.ModelProto) -> np.ndarray:
        session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
        feeds = [{name: array[i : i + 1] for name, array in requests.items()} for i in range(len(requests["seen"]))]
        return np.concatenate([session.run(["scores"], feed)[0] for feed in feeds])

    return run


@pytest.fixture(scope="session")
def answer(requests: Requests) -> Callable[[onnx.ModelProto], tuple[np.ndarray, np.ndarray]]:
    """Gives the items and scores that ONNX Runtime computes with a graph."""

    def run(graph: onnx.ModelProto) -> tuple[np.ndarray, np.ndarray]:
        session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
        items, scores = session.run(["items", "scores"], requests)
        return items, scores

    return run
