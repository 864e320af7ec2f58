"""Proof that a pruned model is what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from paretoopt.compression.prune_groups import ChannelGraph
from paretoopt.compression.prune_selection import Removal
from paretoopt.errors import CandidateError

_TOLERANCE = 1e-4


@torch.no_grad()
def zero_weights(graph: ChannelGraph, coupled: Any) -> None:  # noqa: ANN401
    """Set to zero the weights that a removal takes away: the full model then computes what the narrow one must."""
    for step in coupled:
        module = step.dep.target.module
        match module:
            case nn.Linear() if graph.is_output(step):
                module.weight[step.idxs] = 0
                if module.bias is not None:
                    module.bias[step.idxs] = 0
            case nn.Linear() | nn.Embedding():
                module.weight[:, step.idxs] = 0


def prove_alignment(
    graph: ChannelGraph, expected: list[Tensor], answered: list[Tensor], removals: Sequence[Removal]
) -> None:
    """Compare the outputs of the narrow model with those of the full one whose removed channels are at zero.

    Raises:
        CandidateError: They differ, as where torch-pruning cut the wrong columns of a later layer.
    """
    for wanted, given in zip(expected, answered, strict=True):
        # An output that was itself narrowed has nothing to compare with.
        if wanted.shape != given.shape or not wanted.is_floating_point():
            continue
        if not torch.allclose(wanted, given, rtol=0, atol=_TOLERANCE * float(wanted.abs().max()), equal_nan=True):
            names = ", ".join(name for removal in removals for name in removal.group.names)
            gap = (wanted - given).abs().max()
            raise CandidateError(
                f"{graph.misaligned(names)} The narrow model differs by {gap:.3g} from the full one with the "
                "removed channels at zero."
            )


def prove_widths(removals: Sequence[Removal]) -> None:
    """Compare the widths that remain with those that were asked for.

    Raises:
        CandidateError: A layer is wider or narrower.
    """
    for removal in removals:
        wanted = removal.group.width - len(removal.channels)
        for name, layer in zip(removal.group.names, removal.group.layers, strict=True):
            width = layer.out_features if isinstance(layer, nn.Linear) else layer.embedding_dim
            if width != wanted or layer.weight.shape[0 if isinstance(layer, nn.Linear) else 1] != wanted:
                raise CandidateError(
                    f"torch-pruning left {width} channels in {name} instead of {wanted}: "
                    "the layer is coupled with one that is not pruned. Leave it out of the pruning plan."
                )


def prove_ties(before: Mapping[nn.Module, str], after: Mapping[nn.Module, str]) -> None:
    """Compare the modules that share a weight with those that did before pruning.

    Raises:
        CandidateError: One of them has a weight of its own now.
    """
    untied = [name for module, name in before.items() if module not in after]
    if untied:
        raise CandidateError(
            f"pruning would untie {' and '.join(untied)}, which share one weight. Leave them and what feeds them "
            "out of the plan (`ignored_layers` of plan_pruning); search the width of the shared weight instead."
        )
