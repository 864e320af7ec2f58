"""Narrowing a model by a plan, and the proof that it is what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import nn

from paretoopt.compression.prune_allocation import Allocation
from paretoopt.compression.prune_groups import ChannelGraph
from paretoopt.compression.prune_importance import Score, magnitude
from paretoopt.compression.prune_plan import LayerWidth, PruningPlan, tied_modules, widths_of
from paretoopt.compression.prune_proof import prove_alignment, prove_ties, prove_widths, zero_weights
from paretoopt.compression.prune_selection import PruningShares, Removal, removals
from paretoopt.compression.prune_trace import all_trainable, run_named
from paretoopt.errors import CandidateError


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
    tied = tied_modules(model)
    if shares.embedding == 0:
        plan = replace(plan, embeddings={})
    with all_trainable(model):
        graph = ChannelGraph(plan)
        groups = graph.groups()
        chosen = removals(groups, score(groups), shares, allocation, original)
        for is_normalized in (False, True):
            part = [removal for removal in chosen if removal.channels and removal.group.is_normalized is is_normalized]
            _remove(graph, plan, part)
    prove_widths(chosen)
    prove_ties(tied, tied_modules(model))
    return model


def _remove(graph: ChannelGraph, plan: PruningPlan, chosen: Sequence[Removal]) -> None:
    if not chosen:
        return
    for removal in chosen:
        zero_weights(graph, graph.coupled(removal.group, removal.channels))
    expected = run_named(plan, "gives an error with channels set to zero")
    for removal in chosen:
        graph.coupled(removal.group, removal.channels).prune()
        if plan.keep_heads is not None and len(removal.heads) < removal.group.heads:
            for layer in removal.group.layers:
                if isinstance(layer, nn.Linear):
                    plan.keep_heads(layer, removal.heads)
    answered = run_named(plan, "does not fit the narrowed layers")
    if not any(removal.group.is_normalized for removal in chosen):
        prove_alignment(graph, expected, answered, chosen)


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
