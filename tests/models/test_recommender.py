"""The module that is exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from paretoopt.models.recommender import Recommender


class FixedScores(nn.Module):
    """Scores item i with i, whatever the history."""

    def forward(self, history: Tensor) -> Tensor:
        """Scores of items 0 to 9."""
        return torch.arange(10.0).repeat(len(history), 1)


def recommend(seen: list[int]) -> list[int]:
    """The three best items for a user who has ``seen`` some."""
    items, _ = Recommender(FixedScores(), 3)(torch.zeros(1, 4, dtype=torch.long), torch.tensor([seen]))
    return [int(item) for item in items[0]]


def test_the_best_items_come_first() -> None:
    """Items stand in the order of their scores."""
    assert recommend([0]) == [9, 8, 7]


def test_seen_items_are_never_recommended() -> None:
    """What the user has is passed over, however good it is."""
    assert recommend([9, 7, 0]) == [8, 6, 5]


def test_padding_is_never_recommended() -> None:
    """Item id 0 is no item, even when nothing else is left to pad the list of seen items."""
    assert recommend([9, 8, 7, 6, 5, 4]) == [3, 2, 1]
