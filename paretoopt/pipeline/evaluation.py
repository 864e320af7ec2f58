"""One candidate's way through the pipeline, reusing all that the store has."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import (
    Evaluation,
    Measurement,
    Measurements,
    Progress,
    ProgressListener,
    RemainingStage,
    Remeasurement,
    UserStatistic,
)
from paretoopt.errors import CandidateError, WeightsError
from paretoopt.pipeline.outputs import StageOutputs, run_of
from paretoopt.pipeline.recipe import Recipe
from paretoopt.pipeline.stage import Measure
from paretoopt.pipeline.taking import Taking, device_of, read_measurements
from paretoopt.space import Params, Value
from paretoopt.store.store import Entry

ENVIRONMENT_FILE = "environment.json"
"""In ``context.folder`` a measure may keep here, as a JSON object, where it was taken."""
_KEPT_RUNS = 16


def ignore_progress(progress: Progress) -> None:
    """The listener of those who do not listen."""


def recent_runs(recipe: Recipe) -> Callable[[Params], CandidateRun]:
    """Gives the run of a canonical candidate of which nothing is made; the last ones are kept.

    A search asks several things about each of thousands of candidates, and what takes long is to hash their keys.
    """

    @lru_cache(maxsize=_KEPT_RUNS)
    def run(candidate: tuple[tuple[str, Value], ...]) -> CandidateRun:
        return CandidateRun(recipe, dict(candidate), ignore_progress)

    return lambda params: run(tuple(params.items()))


class CandidateRun:
    """Makes or loads each output of one candidate, only when it is asked for."""

    def __init__(self, recipe: Recipe, params: Params, listener: ProgressListener) -> None:
        """Prepare the run; nothing is computed yet.

        Args:
            recipe: The pipeline's parts.
            params: The canonical candidate.
            listener: Told what is going on.
        """
        self._recipe = recipe
        self._params = params
        self._listener = listener
        self._outputs = StageOutputs(recipe, params, listener)
        untrained = StageOutputs(recipe, params, listener, trained=False)
        self._untrained = untrained if untrained.key != self._outputs.key else self._outputs

    def evaluation(self) -> Evaluation:
        """Every measurement, and the stages that it took; what ships is made, even if no measure needs it trained.

        Raises:
            CandidateError: A stage or measure failed; the message names it.
        """
        with self._costing():
            taken = [self._taken(measure) for measure in self._recipe.measures]
            if all(taking.outputs is not self._outputs for taking, _ in taken):
                self._outputs.output()
        return self._evaluation(taken, {self._outputs, self._untrained})

    def quality(self) -> Evaluation:
        """What training alone moves, and the stages that it took.

        Raises:
            CandidateError: A stage or measure failed; the message names it.
        """
        with self._costing():
            taken = [self._taken(measure) for measure in self._recipe.quality_measures]
        return self._evaluation(taken, {self._outputs})

    def costs(self) -> Evaluation:
        """What depends on the shape alone, measured on untrained weights; nothing where these make no artifact.

        Raises:
            CandidateError: A stage or measure failed; the message names it.
        """
        takings = [self._taking(measure, self._untrained) for measure in self._recipe.shape_measures]
        try:
            return self._evaluation([(taking, taking.entry()) for taking in takings], {self._untrained})
        except WeightsError:
            return Evaluation({})

    def known_costs(self) -> Measurements | None:
        """The measurements that :meth:`costs` gives, from the store; None where one is missing."""
        measurements: dict[str, Measurement] = {}
        for measure in self._recipe.shape_measures:
            entry = self._taking(measure, self._untrained).found()
            if entry is None:
                return None
            measurements |= read_measurements(entry.folder)
        return measurements

    def remaining(self) -> tuple[RemainingStage, ...]:
        """The stages that have to train before every measurement is there, in order."""
        takings = [takings[0] for takings in map(self._takings, self._recipe.measures)]
        trained = [taking for taking in takings if taking.outputs is self._outputs]
        missing = [taking for taking in trained if not self._recipe.store.holds(taking.key)]
        needed = [outputs for taking in missing for outputs in self._outputs.earlier(taking.measure).values()]
        needed += [self._outputs] if missing or not trained else []
        return tuple({stage.key: stage for outputs in needed for stage in outputs.remaining()}.values())

    def model(self) -> Any:  # noqa: ANN401 (what the last stage gives)
        """The last stage's output.

        Raises:
            CandidateError: A stage failed; the message names it.
        """
        return self._outputs.output()

    @property
    def artifact_key(self) -> str:
        """Content address of what the last stage gives."""
        return self._outputs.key

    @property
    def shape_needs_training(self) -> bool:
        """Whether trained weights decide the shape of what the last stage gives."""
        stages = [stage for stage in self._recipe.stages if stage.is_active(self._params)]
        return any(stage.shape_needs_training(self._params) for stage in stages)

    def remeasured(self, repeat: int) -> Remeasurement:
        """What depends on the device, measured now; nothing of it is taken from the store or kept there.

        Args:
            repeat: How often that was done, this time included; each time has a seed of its own.

        Raises:
            CandidateError: A stage or measure failed; the message names it.
        """
        measurements: dict[str, Measurement] = {}
        devices: dict[str, str] = {}
        environments: dict[str, Mapping[str, Any]] = {}
        for measure in self._recipe.measures:
            device = device_of(measure)
            if device is None:
                continue
            devices[measure.name] = device
            with tempfile.TemporaryDirectory() as folder:
                measurements |= self._taking(measure, self._outputs).again(Path(folder), repeat)
                kept = Path(folder) / ENVIRONMENT_FILE
                if kept.exists():
                    environments[measure.name] = json.loads(kept.read_text())
        return Remeasurement(measurements, devices, environments)

    def per_user(self) -> dict[str, NDArray[np.float64]]:
        """The values per user of every metric that has them."""
        return {
            metric: values
            for measure in self._recipe.measures
            if measure.per_user is not None
            for metric, values in measure.per_user(self._taken(measure)[1].folder).items()
        }

    def user_statistics(self) -> dict[str, UserStatistic]:
        """How other metrics come from the values of users."""
        return {
            metric: statistic
            for measure in self._recipe.measures
            if measure.user_statistics is not None
            for metric, statistic in measure.user_statistics(self._taken(measure)[1].folder, self._recipe.data).items()
        }

    def found(self, metric: str) -> Entry | None:
        """The store's entry of the measure that gives ``metric``; None where the candidate was not measured."""
        measure = next(measure for measure in self._recipe.measures if metric in measure.metrics)
        entries = (taking.found() for taking in self._takings(measure))
        return next((entry for entry in entries if entry is not None), None)

    @contextmanager
    def _costing(self) -> Iterator[None]:
        """Have an error say what was newly spent on training."""
        try:
            yield
        except CandidateError as error:
            error.training_cost += self._outputs.training_cost
            raise

    def _takings(self, measure: Measure) -> list[Taking]:
        """How ``measure`` may be taken: where the shape decides, on the untrained one, or else on the trained one."""
        on_trained = self._taking(measure, self._outputs)
        if measure.needs_training or self.shape_needs_training:
            return [on_trained]
        return [self._taking(measure, self._untrained), on_trained]

    def _taken(self, measure: Measure) -> tuple[Taking, Entry]:
        first, *others = self._takings(measure)
        try:
            return first, first.entry()
        except WeightsError:
            # A model that starts at 0 throughout, say, has no artifact before it is trained.
            if not others:
                raise
            return others[0], others[0].entry()

    def _taking(self, measure: Measure, outputs: StageOutputs) -> Taking:
        return Taking(self._recipe, self._params, measure, outputs, self._listener)

    def _evaluation(self, taken: Sequence[tuple[Taking, Entry]], used: Collection[StageOutputs]) -> Evaluation:
        """The measurements, and the stages that they took, of those that went through ``used``."""
        measurements: dict[str, Measurement] = {}
        stages = {outputs: [*outputs.runs()] for outputs in used}
        for taking, entry in taken:
            measurements |= read_measurements(entry.folder)
            stages[taking.outputs] += taking.outputs.runs_asked_by(taking.measure, entry)
        trained = stages.pop(self._outputs, [])
        # Nobody would make an untrained model but to know its cost first, so to find it made saves nothing.
        untrained = [run for runs in stages.values() for run in runs if not run.reused]
        measures = [run_of(taking.measure.name, entry) for taking, entry in taken]
        return Evaluation(measurements, tuple({run.key: run for run in (*trained, *untrained, *measures)}.values()))
