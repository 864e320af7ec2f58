"""Exported graphs to compress."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

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


@pytest.fixture(scope="session")
def answer(requests: Requests) -> Callable[[onnx.ModelProto], tuple[np.ndarray, np.ndarray]]:
    """Gives the items and scores that ONNX Runtime computes with a graph."""

    def run(graph: onnx.ModelProto) -> tuple[np.ndarray, np.ndarray]:
        session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
        items, scores = session.run(["items", "scores"], requests)
        return items, scores

    return run
