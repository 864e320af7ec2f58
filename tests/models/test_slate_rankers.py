"""The models that rank slates, against their formulas written out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from paretoopt.models.history_ranker import HistoryRanker, Pooling
from paretoopt.models.neumf import NeuMF
from paretoopt.models.slate_scorer import SlateRecommender, SlateScorer

USER = torch.tensor([3, 1])
CANDIDATES = torch.tensor([[4, 9, 2], [7, 7, 1]])
HISTORY = torch.tensor([[0, 0, 5, 6], [1, 2, 3, 4]])


def history_ranker(history: Pooling) -> HistoryRanker:
    """A small untrained ranker."""
    torch.manual_seed(0)
    return HistoryRanker(
        n_users=5, n_items=10, embedding_dim=6, length=4, history=history, hidden=8, dropout=0.5
    ).eval()


def neumf() -> NeuMF:
    """A small untrained model whose vectors are not tiny."""
    torch.manual_seed(0)
    model = NeuMF(n_users=5, n_items=10, factors=3).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(torch.randn_like(weight) * 0.5)
            if "users" in name or "items" in name:
                weight[0] = 0
    return model


def dense(*layers: nn.Linear) -> Tensor:
    """The weights that a layer over the concatenated inputs has."""
    return torch.cat([layer.weight for layer in layers], dim=1)


@pytest.mark.parametrize("history", ["flatten", "mean"])
def test_the_history_ranker_is_one_dense_layer_over_the_concatenation(history: Pooling) -> None:
    """The sum of two parts gives what concatenating user, history and candidate gives, one candidate at a time."""
    model = history_ranker(history)
    for row in range(2):
        vectors = model.items(HISTORY[row][HISTORY[row] > 0]) if history == "mean" else model.items(HISTORY[row])
        read = vectors.mean(0) if history == "mean" else vectors.flatten()
        for column in range(3):
            joined = torch.cat([model.users(USER[row]), read, model.items(CANDIDATES[row, column])])
            hidden = torch.relu(dense(model.context, model.candidate) @ joined + model.context.bias)

            expected = model.output(hidden)[0]

            assert torch.isclose(model(USER, CANDIDATES, HISTORY)[row, column], expected, atol=1e-6)


def test_neumf_is_both_towers_under_one_output() -> None:
    """Product and perceptron of He et al. 2017, concatenated under one output layer, one candidate at a time."""
    model = neumf()
    for row in range(2):
        for column in range(3):
            user, item = USER[row], CANDIDATES[row, column]
            product = model.product_users(user) * model.product_items(item)
            hidden = torch.cat([model.tower_users(user), model.tower_items(item)])
            hidden = torch.relu(dense(model.user, model.candidate) @ hidden + model.user.bias)
            for layer in model.tower:
                hidden = torch.relu(layer(hidden))
            weights = dense(model.product_output, model.tower_output)

            expected = (weights @ torch.cat([product, hidden]) + model.tower_output.bias)[0]

            assert torch.isclose(model(USER, CANDIDATES)[row, column], expected, atol=1e-6)


def test_towers_have_the_widths_of_the_paper() -> None:
    """Eight factors take vectors of 32, and layers of 32, 16 and 8 channels after the 64 of both together."""
    model = NeuMF(n_users=5, n_items=10, factors=8)

    assert model.tower_items.embedding_dim == 32
    assert [model.user.out_features, *(layer.out_features for layer in model.tower)] == [32, 16, 8]


@pytest.mark.parametrize(
    "model", [history_ranker("flatten"), history_ranker("mean"), neumf()], ids=["flat", "mean", "neumf"]
)
def test_the_vectors_of_none_stay_zero(model: nn.Module) -> None:
    """Padding and unknown users add nothing, before and after a step of training."""
    inputs: dict[str, Any] = {"user": USER * 0, "candidates": CANDIDATES * 0}
    if isinstance(model, HistoryRanker):
        inputs["history"] = HISTORY
    model(**inputs).sum().backward()
    torch.optim.AdamW(model.parameters(), lr=0.1).step()

    tables = [module for module in model.modules() if isinstance(module, nn.Embedding)]
    assert all((table.weight[0] == 0).all() for table in tables)


def test_answers_are_probabilities() -> None:
    """The logits' sigmoid."""
    model = neumf()

    assert torch.equal(SlateScorer(model)(USER, CANDIDATES), torch.sigmoid(model(USER, CANDIDATES)))


def test_the_best_candidates_are_listed_best_first() -> None:
    """Beside all probabilities, those of the best and their item ids."""
    probabilities, items, scores = SlateRecommender(history_ranker("mean"), best=2)(USER, CANDIDATES, HISTORY)

    order = probabilities.argsort(dim=1, descending=True)[:, :2]
    assert torch.equal(items, CANDIDATES.gather(1, order))
    assert torch.equal(scores, probabilities.gather(1, order))


def test_a_short_slate_is_filled_with_none() -> None:
    """Candidates that are none, and places beyond the slate, come last as item 0 with probability -1."""
    _, items, scores = SlateRecommender(neumf(), best=4)(USER[:1], torch.tensor([[0, 4]]))

    assert items.tolist() == [[4, 0, 0, 0]]
    assert scores[0, 1:].tolist() == [-1, -1, -1]
