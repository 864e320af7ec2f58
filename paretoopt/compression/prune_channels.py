"""Narrowing a model by a plan, and the proof that it is what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from paretoopt.compression.prune_allocation import Allocation, competing, n_kept, weakest
from paretoopt.compression.prune_groups import ChannelGraph, ChannelGroup, run_named
from paretoopt.compression.prune_importance import Score, magnitude
from paretoopt.compression.prune_plan import LayerWidth, PruningPlan, widths_of
from paretoopt.errors import CandidateError

_TOLERANCE = 1e-3


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
class _Removal:
    """The channels that a group loses, and the heads that stay."""

    group: ChannelGroup
    channels: list[int]
    heads: list[int]


def prune_channels(
    model: nn.Module,
    plan: PruningPlan,
    shares: PruningShares,
    *,
    allocation: Allocation = "uniform",
    score: Score = magnitude,
    original: Mapping[str, LayerWidth] | None = None,
) -> nn.Module:
    """Prune ``model`` in place.

    Where the channels of a layer meet no norm, the narrow model must give on the example inputs what the full one
    gives with the same channels set to zero: torch-pruning misaligns what it does not know, without an error.

    Args:
        model: The model that holds what ``plan`` names.
        plan: What is pruned.
        shares: How much.
        allocation: How the shares of channels and of heads are spread over the layers.
        score: Gives the importance of the channels.
        original: The widths before any pruning, which the shares refer to; None where the model is unpruned.

    Raises:
        CandidateError: A layer would keep no channel, torch-pruning cannot handle a module, or the
            narrow model is not what was asked for.
    """
    original = original or widths_of(plan)
    _refuse_missing(plan, shares)
    if shares.embedding == 0:
        plan = replace(plan, embeddings={})
    with _all_trainable(model):
        graph = ChannelGraph(plan)
        groups = graph.groups()
        removals = _removals(groups, score(groups), shares, allocation, original)
        for is_normalized in (False, True):
            chosen = [r for r in removals if r.channels and r.group.is_normalized is is_normalized]
            _remove(graph, plan, chosen)
    _prove_widths(removals)
    return model


def _removals(
    groups: Sequence[ChannelGroup],
    scores: Sequence[Tensor],
    shares: PruningShares,
    allocation: Allocation,
    original: Mapping[str, LayerWidth],
) -> list[_Removal]:
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
        _Removal(group, _channels(group, kept_heads[p], lost.get(p, [])), kept_heads[p])
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
                parameter={"heads": "head_pruning_ratio", "columns": "embedding_pruning_ratio"}.get(
                    what, "pruning_ratio"
                ),
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


def _remove(graph: ChannelGraph, plan: PruningPlan, removals: Sequence[_Removal]) -> None:
    if not removals:
        return
    for removal in removals:
        _zero(graph, graph.coupled(removal.group, removal.channels))
    expected = run_named(plan, "gives an error with channels set to zero")
    for removal in removals:
        graph.coupled(removal.group, removal.channels).prune()
        if plan.keep_heads is not None and len(removal.heads) < removal.group.heads:
            for layer in removal.group.layers:
                if isinstance(layer, nn.Linear):
                    plan.keep_heads(layer, removal.heads)
    answered = run_named(plan, "does not fit the narrowed layers")
    if not any(removal.group.is_normalized for removal in removals):
        _prove_alignment(graph, expected, answered, removals)


@torch.no_grad()
def _zero(graph: ChannelGraph, coupled: Any) -> None:  # noqa: ANN401
    """Set to zero the weights that a removal takes away."""
    for step in coupled:
        module = step.dep.target.module
        match module:
            case nn.Linear() if graph.is_output(step):
                module.weight[step.idxs] = 0
                if module.bias is not None:
                    module.bias[step.idxs] = 0
            case nn.Linear() | nn.Embedding():
                module.weight[:, step.idxs] = 0


def _prove_alignment(
    graph: ChannelGraph, expected: list[Tensor], answered: list[Tensor], removals: Sequence[_Removal]
) -> None:
    for wanted, given in zip(expected, answered, strict=True):
        # An output that was itself narrowed has nothing to compare with.
        if wanted.shape == given.shape and not torch.allclose(wanted, given, rtol=_TOLERANCE, atol=_TOLERANCE):
            names = ", ".join(name for removal in removals for name in removal.group.names)
            gap = (wanted - given).abs().max()
            raise CandidateError(
                f"{graph.misaligned(names)} The narrow model differs by {gap:.3g} from the full one with the "
                "removed channels at zero."
            )


def _prove_widths(removals: Sequence[_Removal]) -> None:
    for removal in removals:
        wanted = removal.group.width - len(removal.channels)
        for name, layer in zip(removal.group.names, removal.group.layers, strict=True):
            width = layer.out_features if isinstance(layer, nn.Linear) else layer.embedding_dim
            if width != wanted or layer.weight.shape[0 if isinstance(layer, nn.Linear) else 1] != wanted:
                raise CandidateError(
                    f"torch-pruning left {width} channels in {name} instead of {wanted}: "
                    "the layer is coupled with one that is not pruned. Leave it out of the pruning plan."
                )


def _refuse_missing(plan: PruningPlan, shares: PruningShares) -> None:
    if shares.embedding and not plan.embeddings:
        raise CandidateError(
            "embedding_pruning_ratio is set, but the pruning plan names no embeddings. "
            "Name them, or leave embedding_pruning_ratio out of the space."
        )
    if shares.heads and (plan.keep_heads is None or all(heads == 1 for heads in plan.heads.values())):
        raise CandidateError(
            "head_pruning_ratio is set, but the pruning plan has no layers with several heads and `keep_heads`. "
            "State both, or leave head_pruning_ratio out of the space."
        )


@contextmanager
def _all_trainable(model: nn.Module) -> Iterator[None]:
    """Let torch-pruning trace every weight: those without gradient make it skip layers in silence."""
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    model.requires_grad_(True)
    try:
        yield
    finally:
        # By name, because pruning puts new parameters in the place of the old ones.
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name not in frozen)
