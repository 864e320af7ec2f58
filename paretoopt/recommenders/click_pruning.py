"""What is pruned of DLRM and DeepFM."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from paretoopt.compression.prune_plan import PruningPlan
from paretoopt.models.deepfm import DeepFM
from paretoopt.models.dlrm import DLRM
from paretoopt.models.tower import Tower
from paretoopt.pipeline.stage import Context


def towers_plan(model: DLRM | DeepFM, context: Context) -> PruningPlan:
    """Narrow the towers' hidden layers; the embeddings, and what is multiplied with them, keep their width.

    The towers are traced alone, so that no sum over fields and no product of vectors couples their widths with the
    embeddings' width, which stays.
    """
    towers = {"top": model.top}
    if isinstance(model, DLRM) and model.bottom is not None:
        towers["bottom"] = model.bottom
    layers = {f"{name}.{i}": layer for name, tower in towers.items() for i, layer in enumerate(_hidden_layers(tower))}
    examples = tuple(torch.zeros(2, _hidden_layers(tower)[0].in_features) for tower in towers.values())
    return PruningPlan(_Towers(towers), examples, layers)


class _Towers(nn.Module):
    """The towers side by side: what they are traced by."""

    def __init__(self, towers: dict[str, Tower]) -> None:
        super().__init__()
        self.towers = nn.ModuleDict(towers)

    def forward(self, *inputs: Tensor) -> list[Tensor]:
        return [tower(each) for tower, each in zip(self.towers.values(), inputs, strict=True)]


def _hidden_layers(tower: Tower) -> list[nn.Linear]:
    return [layer for layer in tower.hidden if isinstance(layer, nn.Linear)]
