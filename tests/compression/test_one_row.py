"""A table with a single row, which has nothing to compare its range with."""

from __future__ import annotations

import itertools

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from paretoopt.artifact.export import export_graph
from paretoopt.compression.quantize import EMBEDDING_BITS, LINEAR_BITS, quantize_graph

REQUESTS = {"ids": np.zeros((4, 3), dtype=np.int64)}


class OneRow(nn.Module):
    """A field with one value, and a layer over it."""

    def __init__(self) -> None:
        """Draw the weights."""
        super().__init__()
        torch.manual_seed(0)
        self.table, self.layer = nn.Embedding(1, 16), nn.Linear(16, 3)

    def forward(self, ids: Tensor) -> Tensor:
        """Three numbers."""
        return torch.tanh(self.layer(self.table(ids).mean(1)))


def test_a_table_with_one_row_goes_through_all_bits() -> None:
    """The answers stay near, the nearer the more bits."""
    model = OneRow()
    graph = export_graph(model, REQUESTS, outputs=("answer",))
    wanted = model(torch.zeros(4, 3, dtype=torch.int64)).detach().numpy()

    for linear, embedding in itertools.product(LINEAR_BITS, EMBEDDING_BITS):
        quantized = quantize_graph(graph, linear_bits=linear, embedding_bits=embedding)
        session = onnxruntime.InferenceSession(quantized.SerializeToString(), providers=["CPUExecutionProvider"])
        gap = np.abs(session.run(["answer"], REQUESTS)[0] - wanted).max()
        assert gap < {2: 0.4, 4: 0.2}.get(min(linear, embedding), 0.02), (linear, embedding)
