"""Pruning of models in which two modules share one weight."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from paretoopt.compression.prune_channels import prune_channels
from paretoopt.compression.prune_plan import PruningPlan
from paretoopt.compression.prune_plan_found import plan_pruning
from paretoopt.compression.prune_selection import PruningShares
from paretoopt.errors import CandidateError

HISTORY = (torch.tensor([[1, 2], [3, 4]]),)


class Tied(nn.Module):
    """A table that a history is looked up in, and that scores as well."""

    def __init__(self) -> None:
        """Make the layers."""
        super().__init__()
        self.items = nn.Embedding(20, 8)
        self.wide, self.narrow = nn.Linear(8, 16), nn.Linear(16, 8)
        self.scores = nn.Linear(8, 20, bias=False)
        self.scores.weight = self.items.weight

    def forward(self, history: Tensor) -> Tensor:
        """A score for each item."""
        hidden = torch.relu(self.wide(self.items(history).mean(1)))
        scores: Tensor = self.scores(torch.relu(self.narrow(hidden)))
        return scores


def test_a_plan_leaves_tied_weights_and_what_feeds_them() -> None:
    """Only the layer between is narrowed, and the table stays the one that scores."""
    model = Tied()
    plan = plan_pruning(model, HISTORY)

    prune_channels(model, plan, PruningShares(channels=0.5))

    assert (list(plan.layers), dict(plan.embeddings)) == (["wide"], {})
    assert (model.wide.out_features, model.narrow.out_features) == (8, 8)
    assert model.scores.weight is model.items.weight


def test_a_plan_that_would_untie_weights_names_them() -> None:
    """torch-pruning gives the scoring layer a weight of its own, without an error."""
    model = Tied()
    plan = PruningPlan(model, HISTORY, layers={"narrow": model.narrow})

    with pytest.raises(CandidateError, match="would untie items and scores"):
        prune_channels(model, plan, PruningShares(channels=0.5))
