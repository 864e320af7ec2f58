"""The pruning stages: structured pruning with torch-pruning, in one go or in rounds of fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

from torch import nn

from paretoopt.compression.prune_allocation import Allocation
from paretoopt.compression.prune_channels import prune_channels
from paretoopt.compression.prune_importance import Score, magnitude, taylor
from paretoopt.compression.prune_parameters import (
    pruning_parameters,
    rounds_parameter,
    shape_needs_training,
    shares_of,
)
from paretoopt.compression.prune_plan import PruningPlan, widths_of
from paretoopt.compression.prune_plan_found import plan_by_requests
from paretoopt.errors import PipelineError
from paretoopt.models.weights import load_weights, save_weights
from paretoopt.pipeline.stage import Context, RunStage, Stage
from paretoopt.space import Parameter, Params
from paretoopt.training.pruned import is_pruned
from paretoopt.training.stages import MakeTask

MakePlan = Callable[[Any, Context], PruningPlan]
"""From the model to what is pruned of it."""

_NONE: Mapping[str, str] = MappingProxyType({})
_N_BATCHES = 16
_VERSION = "2"


def prune(
    plan: MakePlan = plan_by_requests, *, gradients: MakeTask | None = None, absent: Mapping[str, str] = _NONE
) -> Stage:
    """The stage that narrows a trained model.

    It reads ``pruning_ratio`` (of the channels that ``plan`` names), ``head_pruning_ratio`` (of whole attention heads),
    ``embedding_pruning_ratio`` (of the width of embedding tables), ``pruning_allocation`` (how the first two are
    spread: "uniform", "global" or "isomorphic") and ``pruning_importance`` ("magnitude" or "taylor").

    Args:
        plan: ``(model, context) -> PruningPlan``. Unless given, every layer is narrowed that can be by itself, for a
            model whose forward takes the pipeline's requests by name.
        gradients: Gives the training task whose loss Taylor importance differentiates; that of ``fit``, as a rule.
        absent: Ratios that this model cannot have, such as ``head_pruning_ratio``, each with the reason in a few words;
            a space that has them is refused before any training.

    Raises:
        PipelineError: ``absent`` names something else than a ratio.
    """
    parameters = pruning_parameters(has_gradients=gradients is not None, absent=absent)
    return _stage("prune", plan, gradients, reads=parameters, part=lambda params: 1.0, is_active=is_pruned)


def prune_in_rounds(
    plan: MakePlan,
    fine_tuning: Stage,
    *,
    most_rounds: int,
    gradients: MakeTask | None = None,
    absent: Mapping[str, str] = _NONE,
) -> tuple[Stage, ...]:
    """The stages ``prune`` and ``fine_tuning``, and before them those of the earlier rounds.

    ``pruning_rounds`` says how often the two alternate; each round removes the same number of channels (Li et al.,
    "Pruning Filters for Efficient ConvNets", ICLR 2017). At 1, the default, no earlier round is run.

    Args:
        plan: ``(model, context) -> PruningPlan``.
        fine_tuning: The stage that trains a pruned model on.
        most_rounds: The greatest value of ``pruning_rounds``.
        gradients: Gives the training task whose loss Taylor importance differentiates.
        absent: As for :func:`prune`.

    Raises:
        PipelineError: ``most_rounds`` is not a whole number from 1 on, or ``absent`` names something else than a ratio.
    """
    if type(most_rounds) is not int or most_rounds < 1:
        raise PipelineError(f"most_rounds must be a whole number from 1 on, but is {most_rounds!r}.")
    parameters = (
        *pruning_parameters(has_gradients=gradients is not None, absent=absent),
        rounds_parameter(most_rounds),
    )
    stages: list[Stage] = []
    for number in range(1, most_rounds):

        def is_active(params: Params, number: int = number) -> bool:
            return is_pruned(params) and int(params["pruning_rounds"]) > number

        def part(params: Params, number: int = number) -> float:
            return number / int(params["pruning_rounds"])

        stages.append(
            _stage(f"prune_round_{number}", plan, gradients, reads=parameters, part=part, is_active=is_active)
        )
        stages.append(replace(fine_tuning, name=f"fine_tune_round_{number}", is_active=is_active))
    return (*stages, prune(plan, gradients=gradients, absent=absent), fine_tuning)


def _stage(
    name: str,
    plan: MakePlan,
    gradients: MakeTask | None,
    *,
    reads: tuple[Parameter, ...],
    part: Callable[[Params], float],
    is_active: Callable[[Params], bool],
) -> Stage:
    return Stage(
        name=name,
        run=_run(plan, gradients, part),
        save=save_weights,
        load=load_weights,
        reads=reads,
        is_active=is_active,
        settings={"gradient_batches": _N_BATCHES} if gradients is not None else {},
        version=_VERSION,
        shape_needs_training=shape_needs_training,
    )


def _run(plan: MakePlan, gradients: MakeTask | None, part: Callable[[Params], float]) -> RunStage:
    def run(model: nn.Module, params: Params, context: Context) -> nn.Module:
        score: Score = magnitude
        if params["pruning_importance"] == "taylor" and gradients is not None:
            score = taylor(model, gradients(context.data), n_batches=_N_BATCHES, seed=context.seed)
        return prune_channels(
            model,
            plan(model, context),
            shares_of(params, part=part(params)),
            allocation=cast(Allocation, params["pruning_allocation"]),
            score=score,
            # A fresh model has the widths that the ratios refer to, also after earlier rounds.
            original=widths_of(plan(context.build(), context)),
        )

    return run
