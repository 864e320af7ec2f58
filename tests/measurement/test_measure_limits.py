"""What a measure may take is stated by the user, or enough for a slow artifact, and no part of what is measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from paretoopt.artifact.artifact import Artifact
from paretoopt.errors import MeasurementError
from paretoopt.measurement.load_measures import load, throughput
from paretoopt.measurement.measure_limits import measure_limits
from paretoopt.measurement.measures import latency, memory
from paretoopt.measurement.percentiles import least_requests
from paretoopt.pipeline.stage import Context, Measure

MakeMeasure = Callable[..., Measure]
MEASURES = [latency, memory, partial(load, rate_rps=500), partial(throughput, bound_ms=10)]


def _run(measure: Measure, model: Path, folder: Path) -> None:
    context = Context(None, {"x": np.ones((1, 1), np.float32)}, lambda: None, 0, folder, lambda progress: None)
    measure.run(Artifact(model), {"serving_workers": 1}, context)


@pytest.mark.parametrize("make", MEASURES)
def test_stated_seconds_end_a_measurement(make: MakeMeasure, endless_model: Path, tmp_path: Path) -> None:
    """The remedy that the error names is an argument of the measure."""
    with pytest.raises(MeasurementError, match=r"within the limit of 0\.5 s and was killed\. Raise limit_seconds"):
        _run(make(limit_seconds=0.5), endless_model, tmp_path)


@pytest.mark.parametrize("make", MEASURES)
def test_stated_memory_ends_a_measurement(make: MakeMeasure, greedy_model: Path, tmp_path: Path) -> None:
    """An artifact that needs 2 GiB for a request does not get them under a limit of 500 MiB."""
    with pytest.raises(MeasurementError, match="exceeded its limit of 500 MiB; raise memory_limit_mib"):
        _run(make(memory_limit_mib=500), greedy_model, tmp_path)


@pytest.mark.parametrize("make", MEASURES)
def test_limits_do_not_name_the_measurement(make: MakeMeasure) -> None:
    """What was measured under another limit is the same, so the store gives it out."""
    assert make(limit_seconds=7, memory_limit_mib=700).identity() == make().identity()


@pytest.mark.parametrize("make", MEASURES)
def test_limit_that_nothing_meets_is_refused_at_once(make: MakeMeasure) -> None:
    """Before anything is measured."""
    with pytest.raises(MeasurementError, match="limit_seconds must be above 0, but got 0"):
        make(limit_seconds=0)
    with pytest.raises(MeasurementError, match="memory_limit_mib must be above 0, but got -1"):
        make(memory_limit_mib=-1)


@pytest.mark.parametrize("percentile", [50, 95, 99])
def test_artifact_of_a_second_per_request_has_the_time_that_its_percentile_needs(percentile: float) -> None:
    """The requests of the percentile, a warm-up of 30 and a minute to start fit within the limit."""
    needed = least_requests(percentile)

    limits = measure_limits(1, needed, None, None)

    assert limits.seconds > needed + 30 + 60
