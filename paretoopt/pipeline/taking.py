"""One measure of one candidate: taken on what the stages give, and kept in the store."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from paretoopt.candidate import Measurement, Progress, ProgressListener
from paretoopt.errors import CandidateError
from paretoopt.pipeline.blame import blaming
from paretoopt.pipeline.outputs import Asking, StageOutputs
from paretoopt.pipeline.recipe import Recipe
from paretoopt.pipeline.stage import Measure, visible
from paretoopt.space import Params
from paretoopt.store.keys import content_key
from paretoopt.store.store import Entry

_MEASUREMENTS_FILE = "measurements.json"


@dataclass(frozen=True)
class Taking:
    """A measure, and the outputs that it is taken on.

    Attributes:
        recipe: The pipeline's parts.
        params: The canonical candidate.
        measure: What is measured.
        outputs: What it is measured on: trained, or the shape with untrained weights.
        listener: Told what is going on.
    """

    recipe: Recipe
    params: Params
    measure: Measure
    outputs: StageOutputs
    listener: ProgressListener

    @property
    def key(self) -> str:
        """Content address of the measurements."""
        return self._key(device_of(self.measure))

    def found(self) -> Entry | None:
        """The store's entry; None where there is none."""
        return self.recipe.store.find(self.key)

    def entry(self) -> Entry:
        """The store's entry, measured first where there is none.

        Raises:
            CandidateError: A stage or the measure failed; the message names it.
        """
        device, asking = device_of(self.measure), self.outputs.asking(self.measure)

        def make(folder: Path) -> float:
            result, seconds = self._run(folder, asking)
            with blaming(self.measure.name):
                _write_measurements(folder, result)
            return seconds

        description = {"measure": self.measure.name, "params": dict(self.params), "device": device}
        return self.recipe.store.get_or_make(self._key(device), make, description | asking.description)

    def again(self, folder: Path, repeat: int) -> Mapping[str, Measurement]:
        """Measured now, past the store, with the seed of the ``repeat``-th time; ``folder`` has what it keeps.

        Raises:
            CandidateError: A stage or the measure failed; the message names it.
        """
        return self._run(folder, self.outputs.asking(self.measure), repeat)[0]

    def _key(self, device: str | None) -> str:
        return content_key(
            self.measure.identity(),
            visible(self.params, self.measure.reads),
            device,
            self.recipe.requests_fingerprint,
            self.outputs.key,
            *self.outputs.earlier_keys(self.measure),
            *self.recipe.measuring_seed,
        )

    def _run(self, folder: Path, asking: Asking, repeat: int = 0) -> tuple[Mapping[str, Measurement], float]:
        """What the measure gives, and the seconds that it took."""
        measure = self.measure
        # Loaded afresh, so that no measure sees what another one did to the model.
        model = self.outputs.output()
        self.listener(Progress(measure.name, "started"))
        with blaming(measure.name):
            started = time.perf_counter()
            context = self.outputs.context(folder, asking)
            context = replace(context, seed=self.recipe.seed + repeat)
            result = measure.run(model, visible(self.params, measure.reads), context)
            seconds = time.perf_counter() - started - asking.seconds
            return _checked(measure, result), seconds


def device_of(measure: Measure) -> str | None:
    """The device that ``measure`` is taken on; None where its result is the same on every device."""
    with blaming(measure.name):
        return measure.device() if measure.device else None


def read_measurements(folder: Path) -> dict[str, Measurement]:
    """The measurements of a store's entry."""
    record = json.loads((folder / _MEASUREMENTS_FILE).read_text())
    return {name: Measurement(value, low, high) for name, (value, low, high) in record.items()}


def _write_measurements(folder: Path, measurements: Mapping[str, Measurement]) -> None:
    record = {name: [_as_float(m.value), _as_float(m.low), _as_float(m.high)] for name, m in measurements.items()}
    (folder / _MEASUREMENTS_FILE).write_text(json.dumps(record))


def _as_float(number: float | None) -> float | None:
    return None if number is None else float(number)


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
