"""Measures of a deployment that serves one request after the other: what they give and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from paretoopt.artifact.artifact import Artifact
from paretoopt.errors import MeasurementError, PipelineError
from paretoopt.measurement.measures import latency, memory
from paretoopt.pipeline.stage import Context

MakeRecommender = Callable[..., Path]


@pytest.fixture
def context(histories: dict[str, np.ndarray], tmp_path: Path) -> Context:
    """What a pipeline tells its measures."""
    return Context(None, histories, lambda: None, 0, tmp_path, lambda progress: None)


def test_memory_comes_with_the_idle_runtime_and_the_peak_of_the_same_run(
    make_recommender: MakeRecommender, context: Context
) -> None:
    """A reader can add up: what the deployment holds is the idle runtimes and what serving adds."""
    measure = memory()

    measured = measure.run(Artifact(make_recommender()), {"serving_workers": 1}, context)

    mib = {name: measurement.value for name, measurement in measured.items()}
    assert tuple(measured) == measure.metrics
    assert mib["memory_after_load_mib"] <= mib["memory_mib"]
    assert mib["memory_baseline_mib"] + mib["memory_mib"] < mib["memory_total_mib"] <= mib["memory_peak_mib"]


def test_tail_of_a_fast_artifact_is_measured_when_it_is_asked_for(
    make_recommender: MakeRecommender, context: Context
) -> None:
    """A p99.9 takes as many requests as its confidence needs, however precise that already is."""
    measure = latency(percentiles=(50, 99.9), relative_precision=10)

    measured = measure.run(Artifact(make_recommender()), {"serving_workers": 1}, context)

    assert measured["latency_p50_ms"].value <= measured["latency_p99_9_ms"].value
    assert measured["latency_p99_9_ms"].low is not None


def test_tail_that_too_few_requests_support_is_refused() -> None:
    """1,000 requests hold no p99.9; the pipeline learns it before anything is measured."""
    with pytest.raises(PipelineError, match="needs at least 6,636 requests"):
        latency(percentiles=(99.9,), n_requests=1_000)


def test_precision_that_no_sample_reaches_is_refused() -> None:
    """An interval of no width would be waited for in vain."""
    with pytest.raises(MeasurementError, match="relative_precision must be above 0, but got 0"):
        latency(relative_precision=0)


def test_another_precision_is_another_measurement() -> None:
    """The store must not give out a coarse measurement for a fine one."""
    assert latency(relative_precision=0.5).identity() != latency().identity()
