"""Measures of a deployment under load have names of their own and refuse what they cannot support."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from paretoopt.artifact.artifact import Artifact
from paretoopt.errors import MeasurementError, PipelineError
from paretoopt.measurement.load_measures import load, throughput
from paretoopt.measurement.measures import latency
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
    with pytest.raises(PipelineError, match=r"rate_rps=10, seconds=10\) gives 100 requests.*p99 needs 662 that are"):
        load(rate_rps=10, percentiles=(99,))


@pytest.mark.parametrize("rate_rps", [13, 0.7, 400 / 3])
def test_load_that_is_too_short_says_how_long_it_has_to_be(rate_rps: float) -> None:
    """Without its first tenth, 130 requests are 117, of which some depend; what the error advises is accepted."""
    with pytest.raises(PipelineError, match=r"Set seconds=[\d.]+ or more") as caught:
        load(rate_rps=rate_rps, seconds=130 / rate_rps)
    seconds = float(str(caught.value).partition("Set seconds=")[2].split()[0])

    load(rate_rps=rate_rps, seconds=seconds)
    with pytest.raises(PipelineError, match="Set seconds="):
        load(rate_rps=rate_rps, seconds=0.95 * seconds)


def test_load_must_make_sense() -> None:
    """Nothing arrives at no rate, and nothing lasts for nan seconds."""
    with pytest.raises(PipelineError, match="load needs rate_rps above 0 and finite, but got 0"):
        load(rate_rps=0)
    with pytest.raises(PipelineError, match="load needs seconds above 0 and finite, but got nan"):
        load(rate_rps=100, seconds=float("nan"))
