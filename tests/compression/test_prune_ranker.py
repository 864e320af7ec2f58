"""Pruning of a ranker that nobody wrote a plan for, and of models that cannot be pruned."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from paretoopt.compression.prune_allocation import Allocation
from paretoopt.compression.prune_channels import prune_channels
from paretoopt.compression.prune_importance import magnitude, taylor
from paretoopt.compression.prune_plan import PruningPlan
from paretoopt.compression.prune_plan_found import plan_pruning
from paretoopt.compression.prune_selection import PruningShares
from paretoopt.errors import CandidateError, PipelineError

USERS, HISTORIES = torch.arange(6), torch.randint(0, 30, (6, 5), generator=torch.Generator().manual_seed(0))


class Ranker(nn.Module):
    """A user's vector beside the history's, pooled or flattened, and dense layers to one score."""

    def __init__(self, *, flat: bool = False) -> None:
        """Make tables of width 8."""
        super().__init__()
        self.flat = flat
        self.user = nn.Embedding(10, 8)
        self.item = nn.Embedding(30, 8)
        self.dense = nn.Linear(8 + 8 * (5 if flat else 1), 64)
        self.hidden = nn.Linear(64, 32)
        self.output = nn.Linear(32, 1)

    def forward(self, user: Tensor, history: Tensor) -> Tensor:
        """The click's probability, shape (batch, 1)."""
        items = self.item(history)
        pooled = items.flatten(1) if self.flat else items.mean(1)
        hidden = torch.sigmoid(self.dense(torch.cat([self.user(user), pooled], 1)))
        return torch.sigmoid(self.output(torch.relu(self.hidden(hidden))))


class Clicks:
    """A task of two batches."""

    def batches(self, random: np.random.Generator) -> Iterator[Tensor]:
        """Labels of all users."""
        for _ in range(2):
            yield torch.from_numpy(random.integers(0, 2, size=(6, 1)).astype(np.float32))

    def loss(self, model: nn.Module, batch: Tensor) -> Tensor:
        """Log-loss."""
        return nn.functional.binary_cross_entropy(model(USERS, HISTORIES), batch)

    def quality(self, model: nn.Module) -> float:
        """Minus the loss on the first batch."""
        return -float(self.loss(model, next(self.batches(np.random.default_rng(0)))))

    def describe(self, quality: float) -> str:
        """The loss."""
        return f"loss {-quality:.3f}"


def make_ranker(*, flat: bool = False) -> Ranker:
    """An untrained ranker."""
    torch.manual_seed(0)
    return Ranker(flat=flat).eval()


def test_a_plan_is_found_without_output_layers() -> None:
    """Hidden layers and tables are planned; the layer that gives the score is not, nor what is ignored."""
    ranker = make_ranker()

    plan = plan_pruning(ranker, (USERS, HISTORIES))
    without = plan_pruning(ranker, (USERS, HISTORIES), ignored_layers=[ranker.hidden, ranker.user])

    assert list(plan.layers) == ["dense", "hidden"]
    assert list(plan.embeddings) == ["user", "item"]
    assert (list(without.layers), list(without.embeddings)) == (["dense"], ["item"])


@pytest.mark.parametrize("importance", ["magnitude", "taylor"])
@pytest.mark.parametrize("allocation", ["uniform", "global", "isomorphic"])
def test_a_ranker_loses_the_share_and_still_scores(allocation: Allocation, importance: str) -> None:
    """Half of the 96 hidden channels and half of each table's width are gone, by any allocation and importance."""
    ranker = make_ranker()
    score = magnitude if importance == "magnitude" else taylor(ranker, Clicks(), n_batches=2, seed=0)

    prune_channels(
        ranker,
        plan_pruning(ranker, (USERS, HISTORIES)),
        PruningShares(0.5, 0.0, 0.5),
        allocation=allocation,
        score=score,
    )

    assert ranker.dense.out_features + ranker.hidden.out_features == 48
    assert ranker.user.embedding_dim == ranker.item.embedding_dim == 4
    assert ranker(USERS, HISTORIES).shape == (6, 1)


def test_table_columns_of_least_magnitude_go_first() -> None:
    """Columns that were made tiny, in the table and where they are read, are removed; the table counts too."""
    ranker = make_ranker()
    with torch.no_grad():
        ranker.item.weight[:, ::2] *= 1e-3
        ranker.dense.weight[:, 8::2] *= 1e-3
    kept = ranker.item.weight[:, 1::2].clone()

    prune_channels(ranker, plan_pruning(ranker, (USERS, HISTORIES)), PruningShares(embedding=0.5))

    assert torch.equal(ranker.item.weight, kept)


def test_a_flattened_history_keeps_its_table_but_loses_channels() -> None:
    """Dense layers after a flattened history are pruned as any other."""
    ranker = make_ranker(flat=True)

    prune_channels(ranker, plan_pruning(ranker, (USERS, HISTORIES)), PruningShares(0.5))

    assert (ranker.dense.out_features, ranker.dense.in_features, ranker.item.embedding_dim) == (32, 48, 8)


def test_a_flattened_table_names_itself_and_the_way_out() -> None:
    """torch-pruning would cut the wrong columns, in silence where the sizes allow: refused."""
    ranker = make_ranker(flat=True)
    plan = plan_pruning(ranker, (USERS, HISTORIES), ignored_layers=[ranker.user])

    with pytest.raises(CandidateError, match=r"misaligns the channels around item.*`ignored_layers`"):
        prune_channels(ranker, plan, PruningShares(embedding=0.5))


def test_a_misaligned_layer_is_found_by_its_numbers() -> None:
    """Heads that the plan does not state are cut across: the shapes fit, the numbers do not."""

    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 2)

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.second(self.first(x).view(len(x), 2, -1).transpose(1, 2).flatten(1))
            return scores

    torch.manual_seed(0)
    model = Mixed()

    with pytest.raises(CandidateError, match=r"misaligns the channels around first.*differs by"):
        prune_channels(model, plan_pruning(model, (torch.randn(4, 6),)), PruningShares(0.5))


def test_a_layer_outside_the_forward_is_named() -> None:
    """A planned layer that the traced forward does not reach would stay as it is, in silence."""
    ranker = make_ranker()
    plan = PruningPlan(ranker, (USERS, HISTORIES), {"stranger": nn.Linear(4, 4)})

    with pytest.raises(CandidateError, match=r"does not reach stranger"):
        prune_channels(ranker, plan, PruningShares(0.5))


def test_a_layer_coupled_with_an_unplanned_one_names_both() -> None:
    """Two layers whose outputs are added have one width."""

    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right, self.output = nn.Linear(4, 8), nn.Linear(4, 8), nn.Linear(8, 1)

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.output(self.left(x) + self.right(x))
            return scores

    model = Sum()

    with pytest.raises(CandidateError, match=r"left is coupled with right"):
        prune_channels(model, PruningPlan(model, (torch.randn(2, 4),), {"left": model.left}), PruningShares(0.5))


def test_a_module_that_torch_pruning_cannot_narrow_is_named() -> None:
    """A recurrent layer keeps its input's width; the message names it and the way out."""

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense, self.gru, self.output = nn.Linear(4, 8), nn.GRU(8, 8, batch_first=True), nn.Linear(8, 1)

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.output(self.gru(torch.relu(self.dense(x)))[0])
            return scores

    model = Recurrent()
    plan = PruningPlan(model, (torch.randn(2, 3, 4),), {"dense": model.dense})

    with pytest.raises(CandidateError, match=r"around dense: it knows nothing of gru \(GRU\).*`ignored_layers`"):
        prune_channels(model, plan, PruningShares(0.5))


def test_a_model_that_fails_on_its_example_names_the_module() -> None:
    """Wrong example inputs are told from a model that cannot be pruned."""
    ranker = make_ranker()

    with pytest.raises(CandidateError, match=r"module item does not run on the plan's example inputs"):
        plan_pruning(ranker, (USERS, HISTORIES + 100))


def test_a_model_with_nothing_to_prune_says_so() -> None:
    """One layer that gives the output is no candidate for pruning."""
    with pytest.raises(PipelineError, match="no linear layer or table that could be narrowed"):
        plan_pruning(nn.Linear(4, 1), (torch.randn(2, 4),))


@pytest.mark.parametrize(
    ("shares", "message"),
    [(PruningShares(heads=0.5), "no layers with several heads"), (PruningShares(embedding=0.5), "names no embeddings")],
)
def test_a_share_of_what_the_plan_lacks_is_refused(shares: PruningShares, message: str) -> None:
    """A dimension that would do nothing fails the candidate instead."""
    ranker = make_ranker()
    plan = PruningPlan(ranker, (USERS, HISTORIES), {"dense": ranker.dense})

    with pytest.raises(CandidateError, match=message):
        prune_channels(ranker, plan, shares)
