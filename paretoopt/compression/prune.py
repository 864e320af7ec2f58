"""The pruning stage: structured pruning with torch-pruning, proven by the widths that remain."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch_pruning
from torch import nn

from paretoopt.errors import CandidateError
from paretoopt.models.weights import load_weights, save_weights
from paretoopt.pipeline.stage import Context, Stage
from paretoopt.space import Parameter, Params, Value


@dataclass(frozen=True)
class PruningPlan:
    """What to prune of a model, and how to trace it.

    Attributes:
        traced: The module to trace; its forward covers every layer that is pruned.
        example_inputs: Inputs for it.
        layers: The linear layers whose output channels are pruned, by name for error messages.
        heads: The number of attention heads of each query, key and value projection among them;
            every head is narrowed by the same share.
        fixed_parameters: Parameters outside any layer with the axis that belongs to the width.
    """

    traced: nn.Module
    example_inputs: tuple[Any, ...]
    layers: Mapping[str, nn.Linear]
    heads: Mapping[nn.Linear, int] = field(default_factory=dict)
    fixed_parameters: tuple[tuple[nn.Parameter, int], ...] = ()


def prune(plan: Callable[[Any, Context], PruningPlan]) -> Stage:
    """The stage that removes the share ``pruning_ratio`` of the channels that ``plan`` names.

    Channels of least magnitude go first (L2 norm over the group of coupled weights; Fang et al.,
    "DepGraph: Towards Any Structural Pruning", CVPR 2023).

    Args:
        plan: ``(model, context) -> PruningPlan``.
    """

    def run(model: nn.Module, params: Params, context: Context) -> nn.Module:
        return prune_channels(model, plan(model, context), float(params["pruning_ratio"]))

    return Stage(
        name="prune",
        run=run,
        save=save_weights,
        load=load_weights,
        reads=(Parameter("pruning_ratio", default=0.0, refuse=_refuse_ratio),),
        is_active=lambda params: float(params["pruning_ratio"]) > 0,
    )


def prune_channels(model: nn.Module, plan: PruningPlan, ratio: float) -> nn.Module:
    """Prune ``model`` in place.

    Raises:
        CandidateError: A layer would keep no channel, or did not get narrower.
    """
    wanted = {name: _remaining(name, layer, plan.heads.get(layer, 1), ratio) for name, layer in plan.layers.items()}
    kept = set(plan.layers.values())
    ignored = [m for m in plan.traced.modules() if isinstance(m, nn.Linear | nn.Embedding) and m not in kept]
    with _all_trainable(model):
        torch_pruning.pruner.BasePruner(
            plan.traced,
            plan.example_inputs,
            importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
            pruning_ratio=ratio,
            pruning_ratio_dict={layer: _exact_ratio(layer, wanted[name]) for name, layer in plan.layers.items()},
            ignored_layers=ignored,
            num_heads=dict(plan.heads),
            prune_head_dims=True,
            root_module_types=[nn.Linear],
            unwrapped_parameters=list(plan.fixed_parameters),
            # torch-pruning 1.6 would share its default dictionaries between pruners.
            in_channel_groups={},
            out_channel_groups={},
        ).step()
    _prove_widths(plan, wanted)
    return model


def _remaining(name: str, layer: nn.Linear, heads: int, ratio: float) -> int:
    per_head = layer.out_features // heads
    remaining = round(per_head * (1 - ratio))
    if remaining < 1:
        raise CandidateError(
            f"pruning_ratio={ratio} leaves 0 of {per_head} channels in {name}. Lower the upper bound of pruning_ratio."
        )
    return remaining * heads


def _exact_ratio(layer: nn.Linear, wanted: int) -> float:
    """The ratio that leaves ``wanted`` channels: torch-pruning keeps the whole part of what is left."""
    return 1 - (wanted + 0.5) / layer.out_features if wanted < layer.out_features else 0.0


def _prove_widths(plan: PruningPlan, wanted: Mapping[str, int]) -> None:
    for name, layer in plan.layers.items():
        if layer.out_features != wanted[name]:
            raise CandidateError(
                f"torch-pruning left {layer.out_features} channels in {name} instead of {wanted[name]}: "
                "the layer is coupled with one that is not pruned. Leave it out of the pruning plan."
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


def _refuse_ratio(value: Value) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value < 1:
        return None
    return "it is the share of channels removed. Use a number from 0 to below 1."
