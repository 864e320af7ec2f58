"""What a study asks of whatever evaluates its candidates, and plain functions that do."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import (
    Evaluation,
    Measurement,
    Measurements,
    ProgressListener,
    RemainingStage,
    Remeasurement,
    UserStatistic,
)
from paretoopt.errors import CandidateError, ParetooptError, SpaceError, StudyError
from paretoopt.space import Params, SearchSpace, Value

Function = Callable[[Params], Mapping[str, float | Measurement]]
"""From a candidate to its measurements, by metric name."""


@runtime_checkable
class Evaluator(Protocol):
    """From parameters to measurements; :class:`paretoopt.Pipeline` is one."""

    @property
    def fingerprint(self) -> str:
        """Names all that measurements depend on beside the parameters; they are comparable where it is equal."""

    @property
    def metrics(self) -> Sequence[str]:
        """The names of all metrics that are measured."""

    def check(self, space: SearchSpace, metrics: Sequence[str]) -> None:
        """Raise SpaceError or ObjectiveError for a space or a metric that cannot work."""

    def canonical(self, params: Params) -> Mapping[str, Value]:
        """Name the candidate: equal for parameters that mean the same."""

    def evaluate(self, params: Params, listener: ProgressListener, /) -> Evaluation:
        """Measure the candidate, or raise CandidateError."""


@runtime_checkable
class Remeasurer(Protocol):
    """What the finals ask for beside an :class:`Evaluator`; :class:`paretoopt.Pipeline` has it."""

    @property
    def timed_metrics(self) -> Collection[str]:
        """The metrics that the machine's speed of the moment moves."""

    def device(self) -> str:
        """Name what is measured on; measurements compare where it is equal."""

    def remeasure(self, params: Params, listener: ProgressListener, /) -> Remeasurement:
        """Measure anew what depends on the device, and say where, or raise CandidateError."""

    def per_user(self, params: Params, listener: ProgressListener, /) -> Mapping[str, NDArray[np.float64]]:
        """The values per user, by metric, whose means are metrics; the same users for every candidate."""

    def user_statistics(self, params: Params, listener: ProgressListener, /) -> Mapping[str, UserStatistic]:
        """What metrics that are no means over users, but come from their values, are of a sample of these users."""


@runtime_checkable
class CostFirst(Protocol):
    """What a search asks for beside an :class:`Evaluator` to know costs before training; a Pipeline has it."""

    @property
    def shape_metrics(self) -> Collection[str]:
        """The metrics that are known before training."""

    def costs(self, params: Params, listener: ProgressListener, /) -> Evaluation:
        """Measure the shape metrics without training, fewer where that cannot be done, or raise CandidateError."""

    def known_costs(self, params: Params, /) -> Measurements | None:
        """What :meth:`costs` gives, where it was measured before; None where something is missing."""

    def costs_are_final(self, params: Params, /) -> bool:
        """Whether :meth:`costs` gives what the trained candidate costs, whatever its trained weights."""

    def artifact_key(self, params: Params, /) -> str:
        """Name what quality is measured on: candidates of one key have the same."""

    def remaining(self, params: Params, /) -> tuple[RemainingStage, ...]:
        """The stages that would have to train before the candidate is measured."""


@runtime_checkable
class CostFirstEvaluator(Evaluator, CostFirst, Protocol):
    """An evaluator that knows costs, and what remains to be trained, before training; a Pipeline is one."""


@runtime_checkable
class Repeater(Protocol):
    """What repeats ask for beside an :class:`Evaluator`; :class:`paretoopt.Pipeline` has it."""

    @property
    def seed(self) -> int:
        """What models are trained from."""

    @property
    def quality_metrics(self) -> Collection[str]:
        """The metrics that training moves, and nothing else does."""

    def with_seed(self, seed: int, /) -> Repeater:
        """Give the same evaluator, but for models that are trained from another seed."""

    def quality(self, params: Params, listener: ProgressListener, /) -> Evaluation:
        """Measure the quality metrics alone, or raise CandidateError."""

    def remaining(self, params: Params, /) -> tuple[RemainingStage, ...]:
        """The stages that would have to train before the quality is measured."""

    def artifact_key(self, params: Params, /) -> str:
        """Name what quality is measured on: candidates of one key have the same."""

    def per_user(self, params: Params, listener: ProgressListener, /) -> Mapping[str, NDArray[np.float64]]:
        """The values per user, as a :class:`Remeasurer` gives them."""

    def user_statistics(self, params: Params, listener: ProgressListener, /) -> Mapping[str, UserStatistic]:
        """How other metrics come from them, as a :class:`Remeasurer` tells."""


class FunctionEvaluator:
    """Makes a plain function ``params -> {metric: value}`` an :class:`Evaluator`."""

    def __init__(self, function: Function, metrics: Sequence[str]) -> None:
        """Wrap ``function``, of which ``metrics`` are expected."""
        self._function = function
        self.metrics = tuple(metrics)
        # The name alone: a study of a plain function goes on after the function was edited.
        self.fingerprint = f"function {getattr(function, '__qualname__', type(function).__qualname__)}"

    def check(self, space: SearchSpace, metrics: Sequence[str]) -> None:
        """Accept every space: what a function accepts is known when it is called."""

    def canonical(self, params: Params) -> Mapping[str, Value]:
        """``params`` as they are."""
        return params

    def evaluate(self, params: Params, listener: ProgressListener, /) -> Evaluation:  # noqa: ARG002
        """Call the function.

        Raises:
            CandidateError: It gives something else than numbers by metric name.
        """
        result = self._function(dict(params))
        if not isinstance(result, Mapping):
            raise CandidateError(f"the function gave {result!r}, which is no mapping from metric names to values.")
        return Evaluation({str(name): _measurement(name, value) for name, value in result.items()})


def as_evaluator(given: Evaluator | Function, metrics: Sequence[str]) -> Evaluator:
    """``given`` itself where it is an evaluator, else the function made one.

    Raises:
        StudyError: It is neither.
    """
    if isinstance(given, Evaluator):
        return given
    if not callable(given):
        raise StudyError(
            f"A study optimizes a Pipeline, another Evaluator, or a function params -> measurements, but got {given!r}."
        )
    return FunctionEvaluator(given, metrics)


def attempt(evaluator: Evaluator, params: Params, wanted: Collection[str], listener: ProgressListener) -> Evaluation:
    """Evaluate one candidate; whatever is wrong with the candidate itself becomes a CandidateError.

    Raises:
        CandidateError: The candidate cannot be built or measured, or a wanted metric is not a finite number.
        ParetooptError: Something is wrong that would befall every candidate, such as a full disk.
    """
    with _blaming_the_candidate():
        evaluation = evaluator.evaluate(params, listener)
    _refuse_unusable(evaluation, wanted)
    return evaluation


def attempt_costs(evaluator: CostFirst, params: Params, listener: ProgressListener) -> Evaluation:
    """Measure what is known of a candidate before training; errors are those of :func:`attempt`.

    Raises:
        CandidateError: The candidate cannot be built or measured.
        ParetooptError: Something is wrong that would befall every candidate.
    """
    with _blaming_the_candidate():
        costs = evaluator.costs(params, listener)
    _refuse_unusable(costs, ())
    return costs


def attempt_quality(evaluator: Repeater, params: Params, listener: ProgressListener) -> Evaluation:
    """Measure the quality of a candidate alone; errors are those of :func:`attempt`.

    Raises:
        CandidateError: The candidate cannot be built, trained or measured.
        ParetooptError: Something is wrong that would befall every candidate.
    """
    with _blaming_the_candidate():
        quality = evaluator.quality(params, listener)
    _refuse_unusable(quality, evaluator.quality_metrics)
    return quality


@contextmanager
def _blaming_the_candidate() -> Iterator[None]:
    try:
        yield
    except SpaceError as error:
        raise CandidateError(str(error)) from error
    except ParetooptError:
        raise
    except Exception as error:
        raise CandidateError(f"{type(error).__name__}: {error}") from error


def _refuse_unusable(evaluation: Evaluation, wanted: Collection[str]) -> None:
    for metric in wanted:
        if metric not in evaluation.measurements:
            given = ", ".join(evaluation.measurements) or "nothing"
            raise CandidateError(f"metric {metric!r} was not measured; measured: {given}.")
    for metric, measurement in evaluation.measurements.items():
        if not math.isfinite(measurement.value):
            raise CandidateError(f"{metric} came out as {measurement.value}, which is no measurement.")


def _measurement(name: str, value: float | Measurement) -> Measurement:
    if isinstance(value, Measurement):
        return value
    try:
        return Measurement(float(value))
    except (TypeError, ValueError) as error:
        raise CandidateError(f"{name} came out as {value!r}, which is no number.") from error
