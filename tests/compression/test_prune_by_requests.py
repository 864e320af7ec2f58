"""A model for which nobody has written a pruning plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from paretoopt.compression.prune import prune
from paretoopt.compression.prune_plan_found import plan_by_requests
from paretoopt.errors import PipelineError
from paretoopt.pipeline.stage import Context
from paretoopt.space import Params

REQUESTS = {"item": np.array([3, 1, 2]), "user": np.array([0, 1, 2]), "unused": np.zeros(3)}
PARAMS: Params = {
    "pruning_ratio": 0.5,
    "head_pruning_ratio": 0.0,
    "embedding_pruning_ratio": 0.0,
    "pruning_allocation": "uniform",
    "pruning_importance": "magnitude",
}


class Pairs(nn.Module):
    """Two tables and a tower."""

    def __init__(self) -> None:
        """Make the layers."""
        super().__init__()
        self.users, self.items = nn.Embedding(3, 4), nn.Embedding(5, 4)
        self.hidden, self.output = nn.Linear(8, 16), nn.Linear(16, 1)

    def forward(self, user: Tensor, item: Tensor, scale: float = 1.0) -> Tensor:
        """A score for each pair."""
        pair = torch.cat([self.users(user), self.items(item)], dim=-1)
        return scale * torch.squeeze(self.output(torch.relu(self.hidden(pair))), -1)


class Other(nn.Module):
    """Takes what no request holds."""

    def forward(self, user: Tensor, price: Tensor) -> Tensor:
        """The price for each user."""
        return price[user]


def make_context() -> Context:
    """A context with the requests."""
    return Context(None, REQUESTS, Pairs, 0, Path(), lambda progress: None)


def test_hidden_layers_are_pruned_and_the_output_is_not() -> None:
    """The plan names what can be narrowed; requests are matched by name, whatever their order."""
    plan = plan_by_requests(Pairs(), make_context())

    assert list(plan.layers) == ["hidden"]
    assert [inputs.tolist() for inputs in plan.example_inputs] == [[0, 1], [3, 1]]


def test_a_plan_finds_frozen_tables_and_layers() -> None:
    """What does not learn, such as tables from elsewhere, can be narrowed all the same."""
    model = Pairs()
    model.users.requires_grad_(False)
    model.hidden.requires_grad_(False)

    plan = plan_by_requests(model, make_context())

    assert (list(plan.layers), list(plan.embeddings)) == (["hidden"], ["users", "items"])
    assert not model.users.weight.requires_grad


def test_the_stage_prunes_without_a_plan() -> None:
    """Half of the hidden channels go; the answers keep their shape."""
    model = prune().run(Pairs(), PARAMS, make_context())

    assert (model.hidden.out_features, model.output.in_features, model.output.out_features) == (8, 8, 1)
    assert model(torch.tensor([0, 1]), torch.tensor([1, 2])).shape == (2,)


def test_a_model_that_takes_something_else_needs_a_plan() -> None:
    """The message names the argument and the way out."""
    with pytest.raises(PipelineError, match=r"Other takes price, but requests hold item, user, unused.*plan_pruning"):
        plan_by_requests(Other(), make_context())
