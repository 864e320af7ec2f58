"""The environment record tells what a measurement depends on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from paretoopt.artifact.artifact import Artifact
from paretoopt.candidate import Candidate
from paretoopt.errors import MeasurementError
from paretoopt.measurement.environment import current_environment, pooled_record
from paretoopt.measurement.environment_record import environment_of
from paretoopt.measurement.load_measures import load, throughput
from paretoopt.measurement.measures import latency, memory
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Context, Measure


def test_record_is_ready_for_json() -> None:
    """Every field and the fingerprint go through JSON unchanged."""
    record = current_environment([0]).to_dict()

    assert json.loads(json.dumps(record)) == record
    assert record["cores_used"] == [0]


def test_fingerprint_names_processor_cores_and_versions() -> None:
    """A person can see from the fingerprint why two environments differ."""
    environment = current_environment([0])

    assert environment.cpu_model in environment.fingerprint
    assert f"numpy {np.__version__}" in environment.fingerprint
    assert f"1 of {environment.n_cores} cores" in environment.fingerprint


def test_governor_is_part_of_the_fingerprint_where_it_can_be_read() -> None:
    """A core that saves power is slower; where nobody can tell, the fingerprint is as it always was."""
    unknown = replace(current_environment([0]), governor=None)

    assert "governor" not in unknown.fingerprint
    assert replace(unknown, governor="powersave").fingerprint != replace(unknown, governor="performance").fingerprint


def test_record_of_several_measurements_tells_what_ran_beside_all_of_them() -> None:
    """Median and greatest share of others, all cores, and whether every warm-up became stable."""
    first = replace(current_environment([0]), is_warmed_up=True)
    shares = [None, 0.1, 0.5, 0.2]
    environments = [replace(first, share_of_others=share) for share in shares]

    record = pooled_record([*environments, replace(first, cores_used=(1,), is_warmed_up=False)])

    assert record["share_of_others (median)"] == 0.2
    assert record["share_of_others (greatest)"] == 0.5
    assert "share_of_others" not in record
    assert record["cores_used"] == [0, 1]
    assert record["is_warmed_up"] is False
    assert pooled_record(environments[:1])["share_of_others (median)"] is None


@pytest.mark.parametrize(
    "measure",
    [
        latency(percentiles=(50,), n_requests=100),
        memory(),
        load(rate_rps=200, percentiles=(50,), seconds=0.5),
        throughput(bound_ms=1e-6, budget_seconds=0.5),
    ],
    ids=lambda measure: measure.name,
)
def test_every_measurement_keeps_its_environment(
    measure: Measure, make_recommender: Callable[..., Path], histories: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """The record beside the values names processor, cores, versions, and what else ran on the cores meanwhile."""
    context = Context(None, histories, lambda: None, 0, tmp_path, lambda progress: None)

    measure.run(Artifact(make_recommender()), {"serving_workers": 1}, context)

    record = json.loads((tmp_path / "environment.json").read_text())
    assert record["fingerprint"] == current_environment(record["cores_used"]).fingerprint
    assert record["is_warmed_up"] in (True, False)
    assert record["share_of_others"] is None or 0 <= record["share_of_others"] <= 1
    assert {"cpu_model", "onnxruntime_version", "python_version", "governor", "load_average"} <= set(record)


def test_metric_without_an_environment_says_so(make_planted: Callable[..., Pipeline]) -> None:
    """Quality is the same on every machine, so nothing is kept with it."""
    pipeline = make_planted(current_data(), {32: {"ndcg_at_10": np.ones(3)}})
    pipeline.evaluate({})

    with pytest.raises(MeasurementError, match="no environment is kept with ndcg_at_10"):
        environment_of(pipeline, Candidate(0, {}, {}), "ndcg_at_10")


def current_data() -> object:
    """Data of which nothing but the fingerprint matters here."""

    class Data:
        fingerprint = "data"

    return Data()
