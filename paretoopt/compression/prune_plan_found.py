"""A pruning plan for a model that nobody has written one for."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from paretoopt.compression.prune_groups import ChannelGraph
from paretoopt.compression.prune_plan import KeepHeads, PruningPlan, tied_modules
from paretoopt.compression.prune_trace import all_trainable
from paretoopt.errors import PipelineError
from paretoopt.pipeline.stage import Context

_N_EXAMPLES = 2


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
    width is the embedding's), those coupled with an ignored layer, and what shares its weight with another module or
    feeds one that does.

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
    with all_trainable(model):
        graph = ChannelGraph(PruningPlan(model, example_inputs, layers={}, heads=heads))
    tied = tied_modules(model).keys()
    modules = [
        (name, module)
        for name, module in model.named_modules()
        if module not in ignored and module not in tied and graph.reaches(module)
    ]
    tables = {name: module for name, module in modules if isinstance(module, nn.Embedding)}
    layers = {
        name: module
        for name, module in modules
        if isinstance(module, nn.Linear)
        and not graph.reaches_output(module)
        and not graph.touched(module) & tied
        and not any(other in ignored or isinstance(other, nn.Embedding) for other in graph.producers(module))
    }
    if not layers and not tables:
        raise PipelineError(
            f"{type(model).__name__} has no linear layer or table that could be narrowed. "
            "Write a PruningPlan of your own, or leave pruning out of the pipeline."
        )
    return PruningPlan(model, example_inputs, layers, heads, embeddings=tables, keep_heads=keep_heads)


def plan_by_requests(model: nn.Module, context: Context) -> PruningPlan:
    """The plan that :func:`plan_pruning` finds for a model whose forward takes the pipeline's requests by name.

    Raises:
        CandidateError: torch-pruning cannot handle a module; the message names it.
        PipelineError: The model takes something else, or nothing is left to prune.
    """
    arguments = inspect.signature(model.forward).parameters
    missing = [name for name, one in arguments.items() if one.default is one.empty and name not in context.requests]
    if missing:
        raise PipelineError(
            f"{type(model).__name__} takes {', '.join(missing)}, but requests hold {', '.join(context.requests)}, so "
            "that it cannot be traced with them. Give prune a plan, for example "
            "prune(lambda model, context: plan_pruning(model, example_inputs))."
        )
    given = [name for name in arguments if name in context.requests]
    return plan_pruning(model, tuple(torch.from_numpy(context.requests[name][:_N_EXAMPLES].copy()) for name in given))
