"""Weights keep the names that the model gives them, and one copy each, whatever their values."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper
from torch import Tensor, nn

from paretoopt.artifact.export import export_graph

REQUESTS = {"ids": np.arange(8).reshape(4, 2)}


class Ranker(nn.Module):
    """A table that looks up and scores, between them layers that start alike."""

    def __init__(self) -> None:
        """Make fresh layers."""
        super().__init__()
        self.items = nn.Embedding(40, 8)
        self.norms = nn.ModuleList(nn.LayerNorm(8) for _ in range(3))
        self.layers = nn.ModuleList([_layer(), _layer()])

    def forward(self, ids: Tensor) -> Tensor:
        """The score of each item."""
        hidden = self.items(ids).mean(1)
        for norm, layer in zip(self.norms, self.layers, strict=False):
            hidden = layer(norm(hidden))
        scores: Tensor = self.norms[2](hidden) @ self.items.weight.T
        return scores


class Normalized(nn.Module):
    """A layer whose norm is merged into it."""

    def __init__(self) -> None:
        """Make fresh layers."""
        super().__init__()
        self.items = nn.Embedding(40, 8)
        self.layer = nn.Linear(8, 8)
        self.norm = nn.BatchNorm1d(8)

    def forward(self, ids: Tensor) -> Tensor:
        """Eight scores."""
        scores: Tensor = self.norm(self.layer(self.items(ids).mean(1)))
        return scores


def _layer() -> nn.Linear:
    """A layer whose bias starts at zero."""
    layer = nn.Linear(8, 8)
    nn.init.zeros_(layer.bias)
    return layer


def exported(model: nn.Module) -> onnx.ModelProto:
    """The graph of ``model``."""
    return export_graph(model, REQUESTS, outputs=("scores",))


def weight_names(graph: onnx.ModelProto) -> set[str]:
    """The names of all floating-point initializers that are no constants."""
    return {t.name for t in graph.graph.initializer if t.data_type == onnx.TensorProto.FLOAT and np.prod(t.dims) > 1}


def test_weights_have_the_names_of_the_model() -> None:
    """Transposed ones as well, and the table that scores is there once."""
    model = Ranker()

    assert weight_names(exported(model)) == {name for name, _ in model.named_parameters()}


def test_weights_of_one_value_have_that_value() -> None:
    """They are drawn while torch exports, since it drops zeros and ones; the graph and the model have them again."""
    model = Ranker()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}

    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in exported(model).graph.initializer}

    assert (values["norms.1.weight"] == 1).all()
    assert (values["layers.0.bias"] == 0).all()
    assert all(weight.equal(before[name]) for name, weight in model.named_parameters())


def test_weights_that_are_merged_into_others_are_merged_as_they_are() -> None:
    """A batch norm disappears in the layer before it; the numbers are checked within the export."""
    model = Normalized()

    assert "norm.weight" not in weight_names(exported(model))


def test_the_size_does_not_depend_on_training() -> None:
    """Norms and biases that start alike are not shared, since training sets them apart."""
    fresh, trained = Ranker(), Ranker()
    for weight in trained.parameters():
        nn.init.normal_(weight)

    sizes = [exported(model).ByteSize() for model in (fresh, trained)]

    assert abs(sizes[0] - sizes[1]) < 0.02 * sizes[0]


def test_tied_weights_are_stored_once() -> None:
    """Under the first of their names."""
    model = Ranker()
    model.layers[1].weight = model.layers[0].weight

    names = weight_names(exported(model))

    assert "layers.0.weight" in names
    assert "layers.1.weight" not in names


def test_notes_for_debugging_do_not_ship() -> None:
    """Torch notes source lines at every node: more bytes than a small model's weights."""
    graph = exported(Ranker()).graph

    assert not any(part.metadata_props or part.doc_string for part in (*graph.node, *graph.value_info))
    assert not graph.metadata_props
