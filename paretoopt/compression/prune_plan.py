"""What to prune of a model: named by the caller, or found by tracing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

KeepHeads = Callable[[nn.Linear, Sequence[int]], None]
"""Tells the model which heads of a query, key or value projection are left, by their numbers before."""


@dataclass(frozen=True)
class PruningPlan:
    """What to prune of a model, and how to trace it.

    Attributes:
        traced: The module to trace; its forward covers every layer that is pruned.
        example_inputs: Inputs for it.
        layers: The linear layers whose output channels are pruned, by name for error messages.
        heads: The number of attention heads of each query, key and value projection among them;
            every head of a layer keeps the same width.
        fixed_parameters: Parameters outside any layer with the axis that belongs to the width.
        embeddings: The tables whose width can be pruned, by name, with all that is coupled to it: in a
            transformer the whole residual stream.
        keep_heads: Called once for each projection that loses whole heads.
    """

    traced: nn.Module
    example_inputs: tuple[Any, ...]
    layers: Mapping[str, nn.Linear]
    heads: Mapping[nn.Linear, int] = field(default_factory=dict)
    fixed_parameters: tuple[tuple[nn.Parameter, int], ...] = ()
    embeddings: Mapping[str, nn.Embedding] = field(default_factory=dict)
    keep_heads: KeepHeads | None = None


@dataclass(frozen=True)
class LayerWidth:
    """The width of a layer before any pruning.

    Attributes:
        channels: Output channels, or columns of a table.
        heads: Attention heads that share them; 1 elsewhere.
    """

    channels: int
    heads: int

    @property
    def per_head(self) -> int:
        """Channels of one head."""
        return self.channels // self.heads


def widths_of(plan: PruningPlan) -> dict[str, LayerWidth]:
    """The present width of every layer and table of ``plan``."""
    widths = {name: LayerWidth(layer.out_features, plan.heads.get(layer, 1)) for name, layer in plan.layers.items()}
    return widths | {name: LayerWidth(table.embedding_dim, 1) for name, table in plan.embeddings.items()}


def tied_modules(model: nn.Module) -> dict[nn.Module, str]:
    """The modules of ``model`` whose weight is another one's as well, with their names.

    torch-pruning gives each module a weight of its own when it narrows it, and so unties them.
    """
    sharing: dict[int, dict[nn.Module, str]] = {}
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, nn.Parameter):
            sharing.setdefault(id(weight), {})[module] = name
    return {module: name for modules in sharing.values() if len(modules) > 1 for module, name in modules.items()}
