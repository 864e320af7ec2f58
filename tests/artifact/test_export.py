"""Export to ONNX."""

from __future__ import annotations

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from paretoopt.artifact.export import export_graph
from paretoopt.artifact.tracing import OPSET

REQUESTS = {"values": np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)}


class Doubled(nn.Module):
    """Doubles its input."""

    def forward(self, values: Tensor) -> Tensor:
        """Twice ``values``."""
        return 2 * values


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


def test_exporting_leaves_the_random_state_alone() -> None:
    """What a caller draws next does not depend on an export before."""
    torch.manual_seed(1)
    export_graph(Doubled(), REQUESTS, outputs=("doubled",))
    drawn = torch.rand(1)
    torch.manual_seed(1)

    assert torch.equal(drawn, torch.rand(1))
