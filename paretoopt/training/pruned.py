"""Which candidates are pruned: they are what is fine-tuned."""

from __future__ import annotations

from paretoopt.space import Params

PRUNING_RATIOS = ("pruning_ratio", "head_pruning_ratio", "embedding_pruning_ratio")
"""The dimensions of which any that is above 0 has channels removed."""


def is_pruned(params: Params) -> bool:
    """Whether any channel, head or column is removed."""
    return any(float(params.get(name, 0.0)) > 0 for name in PRUNING_RATIOS)
