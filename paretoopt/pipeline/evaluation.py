"""One candidate's way through the pipeline, reusing all that the store has."""

from __future__ import annotations

import errno
import json
import math
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Evaluation, Measurement, Progress, ProgressListener, StageRun
from paretoopt.errors import CandidateError, ParetooptError
from paretoopt.pipeline.stage import Build, Context, Measure, Requests, Stage, requests_fingerprint, visible
from paretoopt.space import Params
from paretoopt.store.keys import content_key
from paretoopt.store.store import Entry, Store

_MEASUREMENTS_FILE = "measurements.json"
_FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


def ignore_progress(progress: Progress) -> None:
    """The listener of those who do not listen."""


@dataclass(frozen=True)
class Recipe:
    """The parts of a pipeline, as :class:`paretoopt.Pipeline` takes them."""

    data: Any
    build: Build
    stages: tuple[Stage, ...]
    measures: tuple[Measure, ...]
    requests: Requests
    store: Store
    seed: int

    @cached_property
    def requests_fingerprint(self) -> str:
        """Names the requests' content."""
        return requests_fingerprint(self.requests)

    @property
    def origin(self) -> list[Any]:
        """What every output depends on, as JSON."""
        return [self.data.fingerprint, self.build.version, self.seed]


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
        self._stages = [stage for stage in recipe.stages if stage.is_active(params)]
        self._built, *self._keys = self._chained_keys()
        self._entries: dict[str, Entry] = {}

    def evaluation(self) -> Evaluation:
        """Every measurement, and the stages that it took.

        Raises:
            CandidateError: A stage or measure failed; the message names it.
        """
        measurements: dict[str, Measurement] = {}
        runs: list[StageRun] = []
        for measure in self._recipe.measures:
            entry = self._measured(measure)
            measurements |= _read_measurements(entry.folder)
            runs.append(_run_of(measure.name, entry))
        return Evaluation(measurements, (*self._stage_runs(), *runs))

    def model(self) -> Any:  # noqa: ANN401 (what the last stage gives)
        """The last stage's output.

        Raises:
            CandidateError: A stage failed; the message names it.
        """
        return self._output(len(self._stages) - 1)

    @property
    def artifact_key(self) -> str:
        """Content address of what the last stage gives."""
        return self._keys[-1]

    def remeasured(self) -> dict[str, Measurement]:
        """What depends on the device, measured now; nothing of it is taken from the store or kept there.

        Raises:
            CandidateError: A stage or measure failed; the message names it.
        """
        measurements: dict[str, Measurement] = {}
        for measure in self._recipe.measures:
            if measure.device is not None:
                with tempfile.TemporaryDirectory() as folder:
                    measurements |= self._run(measure, Path(folder))[0]
        return measurements

    def per_user(self) -> dict[str, NDArray[np.float64]]:
        """The values per user of every metric that has them."""
        return {
            metric: values
            for measure in self._recipe.measures
            if measure.per_user is not None
            for metric, values in measure.per_user(self._measured(measure).folder).items()
        }

    def _stage_runs(self) -> Iterator[StageRun]:
        for stage, key in zip(self._stages, self._keys, strict=True):
            entry = self._entries.get(key) or self._recipe.store.find(key)
            if entry is not None:
                yield _run_of(stage.name, entry)

    def found(self, metric: str) -> Entry | None:
        """The store's entry of the measure that gives ``metric``; None where the candidate was not measured."""
        measure = next(measure for measure in self._recipe.measures if metric in measure.metrics)
        return self._recipe.store.find(self._measure_key(measure, _device_of(measure)))

    def _measure_key(self, measure: Measure, device: str | None) -> str:
        params = visible(self._params, measure.reads)
        source = self._keys[-1] if self._keys else self._built
        return content_key(measure.identity(), params, device, self._recipe.requests_fingerprint, source)

    def _measured(self, measure: Measure) -> Entry:
        device = _device_of(measure)
        key = self._measure_key(measure, device)

        def make(folder: Path) -> float:
            result, seconds = self._run(measure, folder)
            with _blaming(measure.name):
                _write_measurements(folder, result)
            return seconds

        description = {"measure": measure.name, "params": dict(self._params), "device": device}
        return self._recipe.store.get_or_make(key, make, description)

    def _run(self, measure: Measure, folder: Path) -> tuple[Mapping[str, Measurement], float]:
        """What the measure gives, and the seconds that it took."""
        # Loaded afresh, so that no measure sees what another one did to the model.
        model = self.model()
        self._listener(Progress(measure.name, "started"))
        with _blaming(measure.name):
            started = time.perf_counter()
            result = measure.run(model, visible(self._params, measure.reads), self._context(folder))
            seconds = time.perf_counter() - started
            return _checked(measure, result), seconds

    def _output(self, index: int) -> Any:  # noqa: ANN401
        if index < 0:
            return self._build()
        stage, key = self._stages[index], self._keys[index]
        if key not in self._entries:
            self._entries[key] = self._stage_entry(index)
        folder = self._entries[key].folder
        with _blaming(stage.name):
            return stage.load(folder, self._context(folder))

    def _stage_entry(self, index: int) -> Entry:
        stage, key = self._stages[index], self._keys[index]
        params = visible(self._params, stage.reads)

        def make(folder: Path) -> float:
            model = self._output(index - 1)
            self._listener(Progress(stage.name, "started"))
            with _blaming(stage.name):
                started = time.perf_counter()
                stage.save(stage.run(model, params, self._context(folder)), folder)
            return time.perf_counter() - started

        description = {"stage": stage.name, "params": dict(self._params), "reads": params}
        return self._recipe.store.get_or_make(key, make, description)

    def _build(self) -> Any:  # noqa: ANN401
        build = self._recipe.build
        with _blaming("build"):
            return build.function(visible(self._params, build.reads), self._recipe.data)

    def _context(self, folder: Path) -> Context:
        recipe = self._recipe
        return Context(recipe.data, recipe.requests, self._build, recipe.seed, folder, self._listener)

    def _chained_keys(self) -> list[str]:
        """The key of the built model, then of each stage's output."""
        key = content_key(self._recipe.origin, visible(self._params, self._recipe.build.reads))
        keys = [key]
        for stage in self._stages:
            key = content_key(stage.identity(), visible(self._params, stage.reads), key)
            keys.append(key)
        return keys


@contextmanager
def _blaming(step: str) -> Iterator[None]:
    """Name the step in any error that it raises."""
    try:
        yield
    except CandidateError as error:
        raise type(error)(f"{step}: {error}") from error
    except ParetooptError:
        raise
    except OSError as error:
        if error.errno in _FULL_DISK:
            raise  # no fault of the candidate: the store says so
        raise CandidateError(f"{step}: {type(error).__name__}: {error}") from error
    except Exception as error:
        raise CandidateError(f"{step}: {type(error).__name__}: {error}") from error


def _device_of(measure: Measure) -> str | None:
    with _blaming(measure.name):
        return measure.device() if measure.device else None


def _run_of(name: str, entry: Entry) -> StageRun:
    return StageRun(name, entry.key, entry.reused, entry.seconds, entry.description.get("device"))


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
