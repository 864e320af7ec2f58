"""The dimensions of pruning: what they may be, and which candidates they prune."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from paretoopt.compression.prune_allocation import ALLOCATIONS
from paretoopt.compression.prune_importance import IMPORTANCES
from paretoopt.compression.prune_selection import PruningShares
from paretoopt.errors import PipelineError
from paretoopt.space import Parameter, Params, Value
from paretoopt.training.pruned import PRUNING_RATIOS

_REMOVED = ("channels", "whole attention heads", "the embeddings' width")
"""What each of the ratios is a share of."""


def pruning_parameters(*, has_gradients: bool, absent: Mapping[str, str]) -> tuple[Parameter, ...]:
    """What every pruning stage reads.

    Args:
        has_gradients: Whether the stage can ask for the training loss.
        absent: Ratios that can be nothing but 0 for this model, each with the reason.

    Raises:
        PipelineError: ``absent`` names something else than a ratio.
    """
    unknown = sorted(absent.keys() - set(PRUNING_RATIOS))
    if unknown:
        raise PipelineError(f"absent names {', '.join(unknown)}, but the ratios are {', '.join(PRUNING_RATIOS)}.")
    return (
        *(
            Parameter(name, default=0.0, refuse=_refuse_absent(absent[name]) if name in absent else _refuse_ratio(what))
            for name, what in zip(PRUNING_RATIOS, _REMOVED, strict=True)
        ),
        Parameter("pruning_allocation", default="uniform", refuse=_refuse_others(ALLOCATIONS)),
        Parameter("pruning_importance", default="magnitude", refuse=_refuse_importance(has_gradients=has_gradients)),
    )


def shares_of(params: Params, *, part: float = 1.0) -> PruningShares:
    """The shares that ``params`` ask to remove, or ``part`` of them."""
    return PruningShares(
        channels=float(params["pruning_ratio"]) * part,
        heads=float(params["head_pruning_ratio"]) * part,
        embedding=float(params["embedding_pruning_ratio"]) * part,
    )


def shape_needs_training(params: Params) -> bool:
    """Whether the widths after pruning depend on the weights: they do where layers compete."""
    competes = float(params["pruning_ratio"]) > 0 or float(params["head_pruning_ratio"]) > 0
    return competes and params["pruning_allocation"] != "uniform"


def rounds_parameter(most: int) -> Parameter:
    """The number of times that pruning and fine-tuning alternate, 1 by default."""

    def refuse(value: Value) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
            return None
        return f"it is the number of rounds of pruning and fine-tuning. Use a whole number from 1 to {most}."

    return Parameter("pruning_rounds", default=1, refuse=refuse)


def _refuse_ratio(what: str) -> Callable[[Value], str | None]:
    def refuse(value: Value) -> str | None:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value < 1:
            return None
        return f"it is the share of {what} removed. Use a number from 0 to below 1."

    return refuse


def _refuse_absent(reason: str) -> Callable[[Value], str | None]:
    return lambda value: None if value == 0 else f"{reason}. Leave it out of the space."


def _refuse_others(allowed: tuple[str, ...]) -> Callable[[Value], str | None]:
    return lambda value: None if value in allowed else f"Use {', '.join(allowed)}."


def _refuse_importance(*, has_gradients: bool) -> Callable[[Value], str | None]:
    def refuse(value: Value) -> str | None:
        if value == "taylor" and not has_gradients:
            return "it needs the training loss. Give the stage its task, prune(plan, gradients=...), or use magnitude."
        return _refuse_others(IMPORTANCES)(value)

    return refuse
