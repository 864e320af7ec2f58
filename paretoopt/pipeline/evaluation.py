"""One candidate's way through the pipeline, reusing all that the store has."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import (
    Evaluation,
    Measurement,
    Progress,
    ProgressListener,
    Remeasurement,
    StageRun,
    UserStatistic,
)
from paretoopt.errors import CandidateError
from paretoopt.pipeline.blame import blaming
from paretoopt.pipeline.outputs import Asking, StageOutputs, run_of
from paretoopt.pipeline.recipe import Recipe
from paretoopt.pipeline.stage import Measure, visible
from paretoopt.space import Params
from paretoopt.store.keys import content_key
from paretoopt.store.store import Entry

ENVIRONMENT_FILE = "environment.json"
"""In ``context.folder`` a measure may keep here, as a JSON object, where it was taken."""

_MEASUREMENTS_FILE = "measurements.json"


def ignore_progress(progress: Progress) -> None:
    """The listener of those who do not listen."""


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

    def evaluation(self) -> Evaluation:
        """Every measurement, and the stages that it took.

        Raises:
            CandidateError: A stage or measure failed; the message names it.
        """
        measurements: dict[str, Measurement] = {}
        runs: list[StageRun] = []
        asked: list[StageRun] = []
        for measure in self._recipe.measures:
            entry = self._measured(measure)
            measurements |= _read_measurements(entry.folder)
            runs.append(run_of(measure.name, entry))
            asked.extend(self._outputs.runs_asked_by(measure, entry))
        by_key = {run.key: run for run in (*self._outputs.runs(), *asked, *runs)}
        return Evaluation(measurements, tuple(by_key.values()))

    def model(self) -> Any:  # noqa: ANN401 (what the last stage gives)
        """The last stage's output.

        Raises:
            CandidateError: A stage failed; the message names it.
        """
        return self._outputs.output()

    @property
    def training_cost(self) -> float:
        """Worker-seconds of training that this run has newly spent."""
        return self._outputs.training_cost

    @property
    def artifact_key(self) -> str:
        """Content address of what the last stage gives."""
        return self._outputs.key

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
            device = _device_of(measure)
            if device is None:
                continue
            devices[measure.name] = device
            with tempfile.TemporaryDirectory() as folder:
                measurements |= self._run(measure, Path(folder), self._outputs.asking(measure), repeat)[0]
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
            for metric, values in measure.per_user(self._measured(measure).folder).items()
        }

    def user_statistics(self) -> dict[str, UserStatistic]:
        """How other metrics come from the values of users."""
        return {
            metric: statistic
            for measure in self._recipe.measures
            if measure.user_statistics is not None
            for metric, statistic in measure.user_statistics(self._measured(measure).folder, self._recipe.data).items()
        }

    def found(self, metric: str) -> Entry | None:
        """The store's entry of the measure that gives ``metric``; None where the candidate was not measured."""
        measure = next(measure for measure in self._recipe.measures if metric in measure.metrics)
        return self._recipe.store.find(self._measure_key(measure, _device_of(measure)))

    def _measure_key(self, measure: Measure, device: str | None) -> str:
        outputs = self._outputs
        return content_key(
            measure.identity(),
            visible(self._params, measure.reads),
            device,
            self._recipe.requests_fingerprint,
            outputs.key,
            *outputs.earlier_keys(measure),
        )

    def _measured(self, measure: Measure) -> Entry:
        device = _device_of(measure)
        key = self._measure_key(measure, device)
        asking = self._outputs.asking(measure)

        def make(folder: Path) -> float:
            result, seconds = self._run(measure, folder, asking)
            with blaming(measure.name):
                _write_measurements(folder, result)
            return seconds

        description = {"measure": measure.name, "params": dict(self._params), "device": device, **asking.description}
        return self._recipe.store.get_or_make(key, make, description)

    def _run(
        self, measure: Measure, folder: Path, asking: Asking, repeat: int = 0
    ) -> tuple[Mapping[str, Measurement], float]:
        """What the measure gives, and the seconds that it took."""
        # Loaded afresh, so that no measure sees what another one did to the model.
        model = self.model()
        self._listener(Progress(measure.name, "started"))
        with blaming(measure.name):
            started = time.perf_counter()
            context = self._outputs.context(folder, asking)
            context = replace(context, seed=context.seed + repeat)
            result = measure.run(model, visible(self._params, measure.reads), context)
            seconds = time.perf_counter() - started - asking.seconds
            return _checked(measure, result), seconds


def _device_of(measure: Measure) -> str | None:
    with blaming(measure.name):
        return measure.device() if measure.device else None


def _checked(measure: Measure, result: Mapping[str, Measurement]) -> Mapping[str, Measurement]:
    missing = set(measure.metrics) ^ set(result)
    if missing:
        raise CandidateError(f"it should give {sorted(measure.metrics)}, but gave {sorted(result)}.")
    for name, measurement in result.items():
        if not isinstance(measurement, Measurement):
            raise CandidateError(f"{name} came out as {measurement!r}. Give Measurement({measurement!r}).")
        if not math.isfinite(measurement.value):
            raise CandidateError(f"{name} came out as {measurement.value}, which is no measurement.")
        if any(math.isnan(bound) for bound in (measurement.low, measurement.high) if bound is not None):
            raise CandidateError(f"{name} has a confidence interval that ends in nan. Use None where it is not known.")
    return result


def _write_measurements(folder: Path, measurements: Mapping[str, Measurement]) -> None:
    record = {name: [_as_float(m.value), _as_float(m.low), _as_float(m.high)] for name, m in measurements.items()}
    (folder / _MEASUREMENTS_FILE).write_text(json.dumps(record))


def _as_float(number: float | None) -> float | None:
    return None if number is None else float(number)


def _read_measurements(folder: Path) -> dict[str, Measurement]:
    record = json.loads((folder / _MEASUREMENTS_FILE).read_text())
    return {name: Measurement(value, low, high) for name, (value, low, high) in record.items()}
