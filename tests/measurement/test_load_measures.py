"""Measures of a deployment under load have names of their own and refuse what they cannot support."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from paretoopt.artifact.artifact import Artifact
from paretoopt.errors import MeasurementError, PipelineError
from paretoopt.measurement.measures import latency, load, throughput
from paretoopt.pipeline.stage import Context

MakeRecommender = Callable[..., Path]


@pytest.fixture
def context(histories: dict[str, np.ndarray], tmp_path: Path) -> Context:
    """What a pipeline tells its measures."""
    return Context(None, histories, lambda: None, 0, tmp_path, lambda progress: None)


def test_latency_under_load_has_a_name_of_its_own(make_recommender: MakeRecommender, context: Context) -> None:
    """The measure gives what it announces, and none of it is what ``latency`` gives."""
    measure = load(rate_rps=500, percentiles=(50, 90), seconds=2)

    measured = measure.run(Artifact(make_recommender()), {"serving_workers": 1}, context)

    assert tuple(measured) == measure.metrics == ("loaded_latency_p50_ms", "loaded_latency_p90_ms")
    assert set(measured).isdisjoint(latency().metrics)
    assert 0 < measured["loaded_latency_p50_ms"].value <= measured["loaded_latency_p90_ms"].value


def test_candidate_that_cannot_keep_up_fails(make_recommender: MakeRecommender, context: Context) -> None:
    """A rate beyond any processor is a failed measurement, which tells the search to move away."""
    measure = load(rate_rps=1e6, seconds=0.5)

    with pytest.raises(MeasurementError, match="saturated"):
        measure.run(Artifact(make_recommender()), {"serving_workers": 1}, context)


def test_throughput_within_a_bound_is_a_measure(make_recommender: MakeRecommender, context: Context) -> None:
    """Where no request is fast enough the throughput is 0, which is a value and no failure."""
    measured = throughput(bound_ms=1e-6, budget_seconds=0.5).run(
        Artifact(make_recommender()), {"serving_workers": 1}, context
    )

    assert {name: value.value for name, value in measured.items()} == {"throughput_rps": 0}


def test_percentile_that_the_load_cannot_support_is_refused() -> None:
    """100 requests hold no p99; the pipeline learns it before anything is measured."""
    with pytest.raises(PipelineError, match=r"needs at least 662 requests .* rate_rps=10 gives 100 in 10 s"):
        load(rate_rps=10, percentiles=(99,))
