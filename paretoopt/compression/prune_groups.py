"""Channels that can only go together: torch-pruning's dependency graph, with errors that name modules.

The ranking of torch-pruning's own pruner is not used: globally it takes ties beyond the share and
leaves out, in silence, a layer of which every channel falls below the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch_pruning
from torch import nn

from paretoopt.compression.prune_plan import PruningPlan
from paretoopt.compression.prune_trace import REMEDY, dependency_graph, unknown_modules
from paretoopt.errors import CandidateError

_NORMS = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm)


@dataclass(frozen=True)
class ChannelGroup:
    """Layers whose channels are coupled.

    Attributes:
        names: The planned layers or tables in it.
        layers: The same, as modules.
        heads: Attention heads that share the channels; 1 elsewhere.
        width: The number of channels.
        kind: Equal for groups with the same layers coupled in the same way.
        is_embedding: Whether it is the width of a table.
        is_normalized: Whether a norm runs over the channels, so that those that stay change a little.
        coupled: torch-pruning's group over all channels.
    """

    names: tuple[str, ...]
    layers: tuple[nn.Linear | nn.Embedding, ...]
    heads: int
    width: int
    kind: tuple[tuple[str, bool], ...]
    is_embedding: bool
    is_normalized: bool
    coupled: Any


class ChannelGraph:
    """The dependency graph of a plan, and its groups of channels."""

    def __init__(self, plan: PruningPlan) -> None:
        """Trace ``plan``.

        Raises:
            CandidateError: The model cannot be traced, a layer is not reached, or one is coupled with
                a layer that is not pruned; the message names the module.
        """
        self.graph = dependency_graph(plan)
        self._plan = plan
        self._names: dict[nn.Module, str] = {module: name for name, module in plan.traced.named_modules()}
        self._unknown = unknown_modules(plan)
        self._names |= {layer: name for name, layer in (*plan.layers.items(), *plan.embeddings.items())}

    def groups(self) -> tuple[ChannelGroup, ...]:
        """The groups of what the plan names, tables first.

        Raises:
            CandidateError: A layer is not reached, or is coupled with one that is not pruned.
        """
        # A linear layer on a table's residual stream belongs to the embedding's width.
        groups: list[ChannelGroup] = []
        planned: list[tuple[str, nn.Linear | nn.Embedding]] = [
            *self._plan.embeddings.items(),
            *self._plan.layers.items(),
        ]
        for name, layer in planned:
            if any(layer in group.layers for group in groups):
                continue
            if not self.reaches(layer):
                raise CandidateError(
                    f"the traced forward does not reach {name}, so torch-pruning cannot narrow it. {REMEDY}"
                )
            groups.append(self._group(layer))
        return tuple(groups)

    def reaches(self, module: nn.Module) -> bool:
        """Whether the traced forward runs through ``module``."""
        return module in self.graph.module2node

    def reaches_output(self, layer: nn.Linear | nn.Embedding) -> bool:
        """Whether the channels of ``layer`` are those of the traced output."""
        ends = (step.dep.target for step in self._all_coupled(layer) if self.is_output(step))
        return any(node.type == torch_pruning.ops.OPTYPE.OUTPUT or not node.outputs for node in ends)

    def producers(self, layer: nn.Linear | nn.Embedding) -> list[nn.Module]:
        """The layers that give channels coupled with those of ``layer``, itself included."""
        steps = self._all_coupled(layer)
        return [step.dep.target.module for step in steps if self.is_output(step) and _is_wide(step.dep.target.module)]

    def touched(self, layer: nn.Linear | nn.Embedding) -> set[nn.Module]:
        """The modules that lose weights with the channels of ``layer``, itself included."""
        return {step.dep.target.module for step in self._all_coupled(layer)}

    def misaligned(self, name: str) -> str:
        """What to say where torch-pruning lost track of the channels around the layer ``name``."""
        cause = (
            f"it knows nothing of {', '.join(self._unknown)}"
            if self._unknown
            else "as it does where a reshape mixes channels with positions (a flattened history)"
        )
        return (
            f"torch-pruning misaligns the channels around {name}: {cause}. Leave it out of the plan (`ignored_layers` "
            "of plan_pruning), pool instead of flattening, or state the attention heads."
        )

    def coupled(self, group: ChannelGroup, channels: list[int]) -> Any:  # noqa: ANN401 (torch-pruning has no types)
        """torch-pruning's group that removes ``channels`` of ``group`` everywhere."""
        return self._coupled(group.layers[0], channels)

    def is_output(self, step: Any) -> bool:  # noqa: ANN401
        """Whether a step of a coupled group acts on the output side of its layer."""
        return bool(self.graph.is_out_channel_pruning_fn(step.dep.handler))

    def _group(self, root: nn.Linear | nn.Embedding) -> ChannelGroup:
        plan = self._plan
        coupled = self._all_coupled(root)
        producers = self.producers(root)
        planned = {*plan.layers.values(), *plan.embeddings.values()}
        if isinstance(root, nn.Linear):
            self._refuse_others(root, [module for module in producers if module not in planned])
        layers: dict[Any, None] = dict.fromkeys(module for module in producers if module in planned)
        return ChannelGroup(
            names=tuple(self._names[layer] for layer in layers),
            layers=tuple(layers),
            heads=max((plan.heads.get(layer, 1) for layer in layers), default=1),
            width=_width(root),
            kind=tuple((type(step.dep.target.module).__name__, self.is_output(step)) for step in coupled),
            is_embedding=isinstance(root, nn.Embedding),
            is_normalized=any(isinstance(step.dep.target.module, _NORMS) for step in coupled),
            coupled=coupled,
        )

    def _all_coupled(self, layer: nn.Linear | nn.Embedding) -> Any:  # noqa: ANN401
        coupled = self._coupled(layer, list(range(_width(layer))))
        for step in coupled:
            side = self.graph.get_out_channels if self.is_output(step) else self.graph.get_in_channels
            n_channels = side(step.dep.target.module)
            if n_channels is not None and max(step.idxs) >= n_channels:
                raise CandidateError(self.misaligned(self._names[layer]))
        return coupled

    def _coupled(self, layer: nn.Module, channels: list[int]) -> Any:  # noqa: ANN401
        remove = self.graph.get_pruner_of_module(layer).prune_out_channels
        try:
            return self.graph.get_pruning_group(layer, remove, channels)
        except (IndexError, ValueError, AssertionError, TypeError) as error:
            raise CandidateError(self.misaligned(self._names[layer])) from error

    def _refuse_others(self, root: nn.Module, others: list[nn.Module]) -> None:
        if others:
            raise CandidateError(
                f"{self._names[root]} is coupled with {self._names.get(others[0], others[0])}, which is not pruned: "
                f"both feed the same channels. {REMEDY}"
            )


def _is_wide(module: object) -> bool:
    return isinstance(module, nn.Linear | nn.Embedding | nn.modules.conv._ConvNd)


def _width(layer: nn.Linear | nn.Embedding) -> int:
    return layer.out_features if isinstance(layer, nn.Linear) else layer.embedding_dim
