"""What is pruned of SASRec: heads, feed-forward layers, the residual stream, and items never trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from paretoopt.compression.prune_plan import PruningPlan
from paretoopt.data.split import Split
from paretoopt.models.sasrec import Attention, Block, SASRec
from paretoopt.pipeline.stage import Context


def sasrec_plan(model: SASRec, context: Context) -> PruningPlan:
    """Narrow heads and feed-forward layers; with the item table goes the residual stream of every block."""
    layers: dict[str, nn.Linear] = {}
    heads: dict[nn.Linear, int] = {}
    for name, module in model.named_modules():
        if isinstance(module, Attention):
            projections = {"query": module.query, "key": module.key, "value": module.value}
            layers |= {f"{name}.{projection}": layer for projection, layer in projections.items()}
            heads |= dict.fromkeys(projections.values(), module.heads)
        elif isinstance(module, Block):
            layers[f"{name}.expand"] = module.expand
    return PruningPlan(
        traced=_AllPositions(model),
        example_inputs=(torch.from_numpy(context.requests["history"][:2].copy()),),
        layers=layers,
        heads=heads,
        fixed_parameters=((model.positions, 1),),
        embeddings={"items": model.items},
        keep_heads=_keep_heads(model),
    )


def items_trained_on(split: Split) -> NDArray[np.int64]:
    """The model's ids, from 1, of the items that occur in training; ascending."""
    return np.unique(split.train_items) + 1


class _AllPositions(nn.Module):
    """The encoder over every position: tracing it sees each layer at its full shape."""

    def __init__(self, model: SASRec) -> None:
        super().__init__()
        self.model = model

    def forward(self, history: torch.Tensor) -> torch.Tensor:
        return self.model.encode(history)


def _keep_heads(model: SASRec) -> Callable[[nn.Linear, Sequence[int]], None]:
    attentions = {module.query: module for module in model.modules() if isinstance(module, Attention)}

    def keep(projection: nn.Linear, kept: Sequence[int]) -> None:
        # Query, key and value lose the same heads; one of them tells the attention.
        if projection in attentions:
            attentions[projection].keep_heads(kept)

    return keep
