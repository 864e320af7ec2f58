"""What a training stage is expected to cost, learned from those that were run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import RemainingStage
from paretoopt.space import Params

_LEAST_SECONDS = 1e-3
_RIDGE = 0.3
"""Weight of the belief that a parameter does not matter, in points."""


@dataclass(frozen=True)
class PaidStage:
    """A training stage that was run.

    Attributes:
        name: The stage's name.
        params: The parameters that it depends on.
        seconds: What it cost.
    """

    name: str
    params: Params
    seconds: float


class StageCosts:
    """Expected seconds of a stage: of one that was run before in the same name, as its parameters suggest.

    The logarithm of the seconds is linear in the logarithms of numbers (as they are, where one is 0 or less), shrunk
    towards the mean of the stage. A stage that was never run is expected to cost as much as the mean of all stages.
    """

    def __init__(self, paid: Sequence[PaidStage]) -> None:
        """Learn from ``paid``."""
        by_name: dict[str, list[PaidStage]] = {}
        for stage in paid:
            by_name.setdefault(stage.name, []).append(stage)
        self._models = {name: _Model.fitted(stages) for name, stages in by_name.items()}
        self._unknown = math.exp(_mean([_log(stage.seconds) for stage in paid])) if paid else 1.0
        self._known: dict[str, float] = {}

    def seconds(self, stage: RemainingStage) -> float:
        """What ``stage`` is expected to cost."""
        if stage.key not in self._known:
            model = self._models.get(stage.name)
            self._known[stage.key] = self._unknown if model is None else model.seconds(stage.params)
        return self._known[stage.key]


@dataclass(frozen=True)
class _Model:
    names: tuple[str, ...]
    is_log: Mapping[str, bool]
    centre: NDArray[np.float64]
    weights: NDArray[np.float64]
    mean: float

    @staticmethod
    def fitted(stages: Sequence[PaidStage]) -> _Model:
        names = tuple(name for name in stages[0].params if all(_is_number(stage.params.get(name)) for stage in stages))
        is_log = {name: all(float(stage.params[name]) > 0 for stage in stages) for name in names}
        inputs = np.array([[_number(stage.params[name], is_log[name]) for name in names] for stage in stages])
        outputs = np.array([_log(stage.seconds) for stage in stages])
        centre, mean = inputs.mean(axis=0), float(outputs.mean())
        centred = inputs - centre
        weights = np.linalg.solve(centred.T @ centred + _RIDGE * np.eye(len(names)), centred.T @ (outputs - mean))
        return _Model(names, is_log, centre, weights, mean)

    def seconds(self, params: Params) -> float:
        values = [params.get(name) for name in self.names]
        if not all(_is_number(value) for value in values):
            return math.exp(self.mean)
        inputs = np.array([_number(value, self.is_log[name]) for name, value in zip(self.names, values, strict=True)])
        return math.exp(self.mean + float(self.weights @ (inputs - self.centre)))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _number(value: object, is_log: bool) -> float:
    number = float(value)  # type: ignore[arg-type]  # checked by _is_number
    return math.log(number) if is_log and number > 0 else number


def _log(seconds: float) -> float:
    return math.log(max(seconds, _LEAST_SECONDS))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
