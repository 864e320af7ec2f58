"""Export to ONNX."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from paretoopt.artifact.export import OPSET, export_graph
from paretoopt.errors import CandidateError

REQUESTS = {"values": np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)}


class Doubled(nn.Module):
    """Doubles its input."""

    def forward(self, values: Tensor) -> Tensor:
        """Twice ``values``."""
        return 2 * values


class Branching(nn.Module):
    """Does what no graph can: decides by a value."""

    def forward(self, values: Tensor) -> Tensor:
        """Depends on the sum's sign."""
        return values if values.sum().item() > 0 else -values


class Drifting(nn.Module):
    """Computes something else while it is exported."""

    def forward(self, values: Tensor) -> Tensor:
        """``values``, off by one in the graph."""
        return values + 1 if torch.compiler.is_exporting() else values + 0


def test_the_graph_takes_batches_of_any_size() -> None:
    """One request or seven: the same graph answers."""
    graph = export_graph(Doubled(), REQUESTS, outputs=("doubled",))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])

    for n_requests in (1, 7):
        values = np.ones((n_requests, 3), dtype=np.float32)
        assert np.array_equal(session.run(["doubled"], {"values": values})[0], 2 * values)


def test_the_opset_is_the_one_stated() -> None:
    """The graph declares the opset that the documentation states."""
    graph = export_graph(Doubled(), REQUESTS, outputs=("doubled",))

    assert {opset.version for opset in graph.opset_import if opset.domain == ""} == {OPSET}


def test_the_graph_does_not_tell_where_it_was_exported() -> None:
    """No stack trace or file name of the model's source is in what ships."""
    graph = export_graph(Doubled(), REQUESTS, outputs=("doubled",))

    assert __file__.encode() not in graph.SerializeToString()
    assert not any(node.metadata_props for node in graph.graph.node)


def test_one_request_does_not_fix_the_batch() -> None:
    """A single example does not make a graph for a single request."""
    one = {"values": REQUESTS["values"][:1]}
    graph = export_graph(Doubled(), one, outputs=("doubled",))

    assert graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param


def test_a_module_that_cannot_be_exported_names_itself() -> None:
    """A branch on a value fails with the module's name and the way out."""
    with pytest.raises(CandidateError, match=r"could not export Branching.*without branches"):
        export_graph(Branching(), REQUESTS, outputs=("signed",))


def test_a_graph_with_other_numbers_is_refused() -> None:
    """Exported numbers are compared with torch's, and a difference ends the candidate."""
    with pytest.raises(CandidateError, match="differ from torch's"):
        export_graph(Drifting(), REQUESTS, outputs=("drifted",))


def test_exporting_leaves_the_random_state_alone() -> None:
    """What a caller draws next does not depend on an export before."""
    torch.manual_seed(1)
    export_graph(Doubled(), REQUESTS, outputs=("doubled",))
    drawn = torch.rand(1)
    torch.manual_seed(1)

    assert torch.equal(drawn, torch.rand(1))
