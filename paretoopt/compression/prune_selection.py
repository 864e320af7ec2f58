"""Which channels each group loses, from scores and shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from paretoopt.compression.prune_allocation import Allocation, competing, n_kept, weakest
from paretoopt.compression.prune_groups import ChannelGroup
from paretoopt.compression.prune_plan import LayerWidth

_PARAMETERS = {"channels": "pruning_ratio", "heads": "head_pruning_ratio", "columns": "embedding_pruning_ratio"}


@dataclass(frozen=True)
class PruningShares:
    """What share to remove, of the widths before any pruning.

    Attributes:
        channels: Of the layers' channels; in attention, of the width of every head that stays.
        heads: Of the whole attention heads.
        embedding: Of the width of the embedding tables and what is coupled to it.
    """

    channels: float = 0.0
    heads: float = 0.0
    embedding: float = 0.0


@dataclass(frozen=True)
class Removal:
    """The channels that a group loses.

    Attributes:
        group: The group.
        channels: The channels that go, ascending.
        heads: The heads that stay, by their numbers before.
    """

    group: ChannelGroup
    channels: list[int]
    heads: list[int]


def removals(
    groups: Sequence[ChannelGroup],
    scores: Sequence[Tensor],
    shares: PruningShares,
    allocation: Allocation,
    original: Mapping[str, LayerWidth],
) -> list[Removal]:
    """What each group loses.

    Args:
        groups: What can be pruned.
        scores: The importance of every channel of each group; shape ``(width,)`` each.
        shares: How much is removed.
        allocation: How the shares of channels and of heads are spread over the layers.
        original: The widths before any pruning, which the shares refer to.

    Raises:
        CandidateError: A layer would keep nothing.
    """
    by_head = [score.view(group.heads, -1) for group, score in zip(groups, scores, strict=True)]
    tables = [position for position, group in enumerate(groups) if group.is_embedding]
    layers = [position for position, group in enumerate(groups) if not group.is_embedding]
    attentions = [position for position in layers if original[groups[position].names[0]].heads > 1]
    ranking = _Ranking(groups, allocation, original)
    lost_heads = ranking.lost(attentions, [by_head[p].mean(1) for p in attentions], shares.heads, "heads")
    kept_heads = [[h for h in range(g.heads) if h not in lost_heads.get(p, [])] for p, g in enumerate(groups)]
    units = [by_head[position][kept].mean(0) for position, kept in enumerate(kept_heads)]
    lost = ranking.lost(layers, [units[p] for p in layers], shares.channels, "channels")
    # Tables are not weighed against each other: each is as wide as its use needs.
    lost |= _Ranking(groups, "uniform", original).lost(tables, [units[p] for p in tables], shares.embedding, "columns")
    return [
        Removal(group, _channels(group, kept_heads[p], lost.get(p, [])), kept_heads[p])
        for p, group in enumerate(groups)
    ]


@dataclass(frozen=True)
class _Ranking:
    groups: Sequence[ChannelGroup]
    allocation: Allocation
    original: Mapping[str, LayerWidth]

    def lost(self, positions: list[int], scores: list[Tensor], ratio: float, what: str) -> dict[int, list[int]]:
        """What each of the groups at ``positions`` loses for the share ``ratio``."""
        lost: dict[int, list[int]] = {}
        if ratio == 0:
            return lost
        for scope in competing([self.groups[p].kind for p in positions], self.allocation):
            members = [self.groups[positions[i]] for i in scope]
            widths = [self.original[group.names[0]] for group in members]
            kept = n_kept(
                [width.heads if what == "heads" else width.per_head for width in widths],
                ratio,
                names=[group.names[0] for group in members],
                what=what,
                parameter=_PARAMETERS[what],
            )
            present = [scores[i] for i in scope]
            lost |= zip((positions[i] for i in scope), weakest(present, sum(map(len, present)) - kept), strict=True)
        return lost


def _channels(group: ChannelGroup, heads: list[int], lost: list[int]) -> list[int]:
    """All channels of the heads that go, and the ``lost`` ones of those that stay."""
    per_head = group.width // group.heads
    gone = set(range(per_head))
    return [
        head * per_head + channel
        for head in range(group.heads)
        for channel in sorted(set(lost) if head in heads else gone)
    ]
