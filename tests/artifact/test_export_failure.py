"""What cannot be exported is named, with the way out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from paretoopt.artifact.export import export_graph
from paretoopt.errors import CandidateError, PipelineError
from paretoopt.models.recommender import Recommender
from paretoopt.models.sasrec import SASRec

REQUESTS = {"values": np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)}


class Branching(nn.Module):
    """Does what no graph can: decides by a value."""

    def forward(self, values: Tensor) -> Tensor:
        """Depends on the sum's sign."""
        return values if values.sum().item() > 0 else -values


class Bessel(nn.Module):
    """Does what ONNX has no operator for."""

    def forward(self, values: Tensor) -> Tensor:
        """The Bessel function of each value."""
        answer: Tensor = torch.special.bessel_j0(values)
        return answer


class Tower(nn.Module):
    """A layer, then what cannot be exported, deep inside."""

    def __init__(self, inner: nn.Module) -> None:
        """Put ``inner`` on top."""
        super().__init__()
        self.below = nn.Linear(3, 3)
        self.above = nn.Sequential(nn.ReLU(), inner)

    def forward(self, values: Tensor) -> Tensor:
        """All layers."""
        above: Tensor = self.above(self.below(values))
        return above


@pytest.mark.parametrize("inner", [Branching(), Bessel()], ids=["branch", "operator"])
def test_the_innermost_module_is_named_with_the_way_out(inner: nn.Module) -> None:
    """Whether torch cannot trace it or ONNX has no operator for it."""
    message = rf"export Tower to ONNX, because of above\.1 \({type(inner).__name__}\): .*`wrap` of export_onnx"

    with pytest.raises(CandidateError, match=message):
        export_graph(Tower(inner), REQUESTS, outputs=("answer",))


def test_a_module_without_parts_is_named_itself() -> None:
    """There is nothing further inside."""
    with pytest.raises(CandidateError, match=r"because of its own forward \(Branching\)"):
        export_graph(Branching(), REQUESTS, outputs=("answer",))


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (torch.nan, "below.weight, below.bias of Tower hold NaN or infinity.*lower learning_rate"),
        (torch.inf, "below.weight, below.bias of Tower hold NaN or infinity"),
        (0.0, "all weights of Tower are 0.*Initialise"),
    ],
)
def test_broken_weights_are_refused(fill: float, message: str) -> None:
    """Training that diverged, or never began, ends the candidate before anything is measured."""
    tower = Tower(nn.ReLU())
    for weight in tower.parameters():
        nn.init.constant_(weight, fill)

    with pytest.raises(CandidateError, match=message):
        export_graph(tower, REQUESTS, outputs=("answer",))


def test_one_layer_of_zeros_is_exported() -> None:
    """A layer that starts at zero is sound: many residual branches do."""
    tower = Tower(nn.ReLU())
    nn.init.zeros_(tower.below.weight)

    assert export_graph(tower, REQUESTS, outputs=("answer",)).graph.node


def test_a_catalogue_smaller_than_k_is_told_as_such() -> None:
    """The message is the recommender's own, not the exporter's."""
    model = SASRec(n_items=4, embedding_dim=8, length=3, blocks=1, heads=1, dropout=0.0)
    requests = {name: np.ones((2, 3), dtype=np.int64) for name in ("history", "seen")}

    with pytest.raises(CandidateError, match=r"the catalogue has 4 items, so that no list of k=5.*Lower k"):
        export_graph(Recommender(model, 5), requests, outputs=("items", "scores"), dynamic_axes=("seen",))


@pytest.mark.parametrize("rows", [1, 2])
def test_a_table_with_one_row_is_exported(rows: int) -> None:
    """A field with a single value is looked up like any other."""

    class Lookup(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(rows, 8)

        def forward(self, ids: Tensor) -> Tensor:
            looked_up: Tensor = self.table(ids)
            return looked_up

    graph = export_graph(Lookup(), {"ids": np.zeros((4, 3), dtype=np.int64)}, outputs=("vectors",))

    assert [list(tensor.dims) for tensor in graph.graph.initializer if tensor.name == "table.weight"] == [[rows, 8]]


def test_an_output_may_not_have_the_name_of_a_request() -> None:
    """The runtime could not tell them apart."""
    with pytest.raises(PipelineError, match="values is the name of a request and of an output"):
        export_graph(Branching(), REQUESTS, outputs=("values",))
