"""A pruning plan for a model that nobody has written one for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from torch import nn

from paretoopt.compression.prune_groups import ChannelGraph
from paretoopt.compression.prune_plan import KeepHeads, PruningPlan
from paretoopt.errors import PipelineError


def plan_pruning(
    model: nn.Module,
    example_inputs: tuple[Any, ...],
    *,
    ignored_layers: Collection[nn.Module] = (),
    heads: Mapping[nn.Linear, int] = MappingProxyType({}),
    keep_heads: KeepHeads | None = None,
) -> PruningPlan:
    """A plan that narrows every linear layer of ``model`` that can be narrowed by itself, and every table.

    Left as they are: the layers that give the output, those on a residual stream that starts at a table (its
    width is the embedding's), and those coupled with an ignored layer.

    Args:
        model: Its forward takes ``example_inputs`` and covers what is pruned.
        example_inputs: Real inputs, two rows or more.
        ignored_layers: Modules to leave as they are, with all inside.
        heads: The number of attention heads of each query, key and value projection.
        keep_heads: Called once for each projection that loses whole heads.

    Raises:
        CandidateError: torch-pruning cannot handle a module; the message names it.
        PipelineError: Nothing is left to prune.
    """
    ignored = {inner for module in ignored_layers for inner in module.modules()}
    graph = ChannelGraph(PruningPlan(model, example_inputs, layers={}, heads=heads))
    modules = [
        (name, module) for name, module in model.named_modules() if module not in ignored and graph.reaches(module)
    ]
    tables = {name: module for name, module in modules if isinstance(module, nn.Embedding)}
    layers = {
        name: module
        for name, module in modules
        if isinstance(module, nn.Linear)
        and not graph.reaches_output(module)
        and not any(other in ignored or isinstance(other, nn.Embedding) for other in graph.producers(module))
    }
    if not layers and not tables:
        raise PipelineError(
            f"{type(model).__name__} has no linear layer or table that could be narrowed. "
            "Write a PruningPlan of your own, or leave pruning out of the pipeline."
        )
    return PruningPlan(model, example_inputs, layers, heads, embeddings=tables, keep_heads=keep_heads)
