"""An exported graph gives torch's numbers, or the candidate ends with the figures."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from paretoopt.artifact.export import export_graph
from paretoopt.artifact.parity import check_numbers
from paretoopt.artifact.tracing import OPSET
from paretoopt.errors import CandidateError

REQUESTS = {"values": np.full((4, 3), 2.0, dtype=np.float32)}


class Drifting(nn.Module):
    """Computes something else while it is exported."""

    def forward(self, values: Tensor) -> Tensor:
        """``values``, off by one in the graph."""
        return values + 1 if torch.compiler.is_exporting() else values + 0


class Root(nn.Module):
    """Has no finite answer for negative values."""

    def forward(self, values: Tensor) -> Tensor:
        """The square root."""
        return torch.sqrt(values)


class Scaled(nn.Module):
    """One weight per value."""

    def __init__(self) -> None:
        """Start at one."""
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))

    def forward(self, values: Tensor) -> Tensor:
        """Scaled values."""
        return values * self.scale


def test_a_difference_is_told_with_its_figures() -> None:
    """The graph's opset, the gap, its share of the largest value, and what is allowed."""
    message = (
        rf"opset {OPSET}\) gives drifted of 4 requests that differ .* up to 1 \(0\.5 of the largest\), where 0\.0001"
    )

    with pytest.raises(CandidateError, match=message):
        export_graph(Drifting(), REQUESTS, outputs=("drifted",))


def test_answers_that_are_no_numbers_are_refused() -> None:
    """NaN in both would compare as a difference of nothing."""
    requests = {"values": -REQUESTS["values"]}

    with pytest.raises(CandidateError, match="torch gives root of 4 requests with 12 of 12 values NaN"):
        export_graph(Root(), requests, outputs=("root",))


def test_a_graph_that_lost_a_weight_is_refused() -> None:
    """One wrong value of one weight is enough."""
    graph = export_graph(Scaled(), REQUESTS, outputs=("scaled",))
    check_numbers(graph, Scaled(), REQUESTS, ["scaled"])
    (scale,) = graph.graph.initializer
    scale.CopyFrom(numpy_helper.from_array(np.array([1, 2, 0], dtype=np.float32), scale.name))

    with pytest.raises(CandidateError, match="differ from torch's by up to 6 "):
        check_numbers(graph, Scaled(), REQUESTS, ["scaled"])


def test_one_request_alone_is_compared_as_well() -> None:
    """A graph whose batch is fixed fails on what will be served."""
    graph = onnx.ModelProto()
    graph.CopyFrom(export_graph(Scaled(), REQUESTS, outputs=("scaled",)))
    for value in (*graph.graph.input, *graph.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 4

    with pytest.raises(Exception, match="Got: 1 Expected: 4"):
        check_numbers(graph, Scaled(), REQUESTS, ["scaled"])
