"""Which candidates of a space need the same training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from paretoopt.candidate import RemainingStage
from paretoopt.errors import SpaceError
from paretoopt.search.evaluator import CostFirst, CostFirstEvaluator
from paretoopt.space import Params, SearchSpace, Value

MOST_SHARING = 1_000
"""Cells among which the candidates of a stage are looked for; where there are more, it is not known who needs it."""


def own_stages(evaluator: CostFirst, params: Params) -> dict[str, RemainingStage]:
    """The stages that have to train on the way to the canonical candidate, by key.

    Those of a teacher with other parameters are not among them: its quality is not that of the candidate.
    """
    try:
        remaining = evaluator.remaining(params)
    except SpaceError:
        return {}  # evaluating it will fail, with the reason
    return {stage.key: stage for stage in remaining if _agrees(params, stage)}


def sharing(space: SearchSpace, evaluator: CostFirstEvaluator, stage: RemainingStage) -> list[Params] | None:
    """Every candidate, in canonical form, on whose way the stage has to train.

    Args:
        space: The candidates.
        evaluator: Tells what each of them needs.
        stage: The stage; dimensions that it depends on have its values, all others are gone through.

    Returns:
        None where the other dimensions have too many values to go through, or no end of them.
    """
    free = {name: dimension.values for name, dimension in space.dimensions.items() if name not in stage.params}
    if any(values is None for values in free.values()):
        return None
    if math.prod(len(values) for values in free.values() if values is not None) > MOST_SHARING:
        return None
    fixed = {name: stage.params[name] for name in space.dimensions if name in stage.params}
    return [params for params in _canonical(space, evaluator, fixed) if stage.key in own_stages(evaluator, params)]


def _canonical(space: SearchSpace, evaluator: CostFirstEvaluator, fixed: Mapping[str, Value]) -> Iterator[Params]:
    free = {name: dimension for name, dimension in space.dimensions.items() if name not in fixed}
    for values in SearchSpace(**free).grid() if free else ({},):
        try:
            yield evaluator.canonical({**values, **fixed})
        except SpaceError:
            continue  # no candidate


def _agrees(params: Params, stage: RemainingStage) -> bool:
    return all(params.get(name) == value for name, value in stage.params.items())
