"""Which channels go: the weakest of each layer, of all layers, or of layers that are built alike."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from paretoopt.errors import CandidateError

Allocation = Literal["uniform", "global", "isomorphic"]
"""How the share to remove is spread: over each layer, over all, or over those with the same graph around them.

"isomorphic" is Fang et al., "Isomorphic Pruning for Vision Models" (ECCV 2024).
"""
ALLOCATIONS: tuple[str, ...] = get_args(Allocation)


def competing(kinds: Sequence[Hashable], allocation: str) -> list[list[int]]:
    """The positions of the groups that are ranked together.

    Args:
        kinds: What each group is like; equal where groups are isomorphic.
        allocation: One of :data:`ALLOCATIONS`.

    >>> competing(["attention", "layer", "attention"], "isomorphic")
    [[0, 2], [1]]
    """
    everyone = list(range(len(kinds)))
    if allocation == "uniform":
        return [[position] for position in everyone]
    if allocation == "global":
        return [everyone] if everyone else []
    return [[p for p in everyone if kinds[p] == kind] for kind in dict.fromkeys(kinds)]


def n_kept(sizes: Sequence[int], ratio: float, *, names: Sequence[str], what: str, parameter: str) -> int:
    """How many of the channels (or heads) of competing layers stay, at least one in each.

    Args:
        sizes: Channels of each layer before any pruning.
        ratio: The share of them to remove.
        names: The layers' names, for the error.
        what: What is counted, for the error.
        parameter: The dimension that states ``ratio``, for the error.

    Raises:
        CandidateError: A layer would keep nothing.
    """
    kept = round(sum(sizes) * (1 - ratio))
    if kept < len(sizes):
        layers = (
            names[0] if len(names) == 1 else f"{len(names)} layers ({', '.join(names[:3])}...), each of which needs one"
        )
        raise CandidateError(
            f"{parameter}={ratio:g} leaves {kept} of {sum(sizes)} {what} in {layers}. "
            f"Lower the upper bound of {parameter}."
        )
    return kept


def weakest(scores: Sequence[Tensor], n_removed: int) -> list[list[int]]:
    """The ``n_removed`` channels of least score among all groups, as sorted indices for each group.

    The strongest channel of every group stays, so that no layer vanishes. Of equal scores the first goes.

    >>> weakest([torch.tensor([1.0, 2.0]), torch.tensor([5.0, 3.0, 4.0])], 3)
    [[0], [1, 2]]
    """
    guarded = [score.clone() for score in scores]
    for score in guarded:
        score[score.argmax()] = torch.inf
    chosen = torch.zeros(sum(map(len, guarded)), dtype=torch.bool)
    chosen[torch.argsort(torch.cat(guarded), stable=True)[: max(n_removed, 0)]] = True
    return [part.nonzero().flatten().tolist() for part in torch.split(chosen, [len(score) for score in guarded])]
