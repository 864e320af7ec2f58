"""What is computed again, and what is shared: exactly that which the change could have changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from paretoopt.candidate import Measurement
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context
from paretoopt.space import Parameter, Params, Value

if TYPE_CHECKING:
    from tests.pipeline.conftest import Toy

ALL = ["fit", "round", "quality", "latency_ms"]


def test_the_same_candidate_is_never_computed_twice(toy: Toy) -> None:
    """Neither by the same pipeline nor by another one over the same store."""
    assert toy.ran(lambda: toy.pipeline().evaluate({})) == ALL
    assert toy.ran(lambda: toy.pipeline().evaluate({})) == []


@pytest.mark.parametrize(
    ("params", "steps"),
    [
        ({"width": 16}, ALL),
        ({"epochs": 4}, ALL),
        ({"ratio": 0.5}, ["prune", "round", "quality", "latency_ms"]),
        ({"linear_bits": 8}, ["round", "quality", "latency_ms"]),
        ({"bits": 8}, ["round", "quality", "latency_ms"]),
        ({"serving_workers": 2}, ["latency_ms"]),
        ({"workers": 2}, ["latency_ms"]),
    ],
)
def test_a_parameter_runs_the_steps_that_read_it_and_those_after(
    toy: Toy, params: dict[str, Value], steps: list[str]
) -> None:
    """Everything before the first reader is shared with the candidate that differs in this parameter alone."""
    pipeline = toy.pipeline()
    pipeline.evaluate({})

    assert toy.ran(lambda: pipeline.evaluate(params)) == steps


@pytest.mark.parametrize("params", [{"ratio": 0}, {"width": 8.0}, {"epochs": 3, "workers": 1}, {"bits": 32}])
def test_a_candidate_is_the_same_however_it_is_written(toy: Toy, params: dict[str, Value]) -> None:
    """0 and 0.0 are one ratio, a default may be written out, and a shorthand is what it stands for."""
    pipeline = toy.pipeline()
    pipeline.evaluate({})

    assert toy.ran(lambda: pipeline.evaluate(params)) == []


def test_an_inactive_stage_is_passed_over(toy: Toy) -> None:
    """A candidate that is not pruned shares its key with a pipeline that has no pruning at all."""
    with_pruning = toy.pipeline().evaluate({})
    stages = [toy.stage("fit", Parameter("epochs", 3))]
    stages += [toy.stage("round", Parameter("linear_bits", 32), Parameter("embedding_bits", 32))]

    without = toy.pipeline(stages=stages).evaluate({})

    assert [run.name for run in with_pruning.runs] == ALL
    assert [run.key for run in without.runs] == [run.key for run in with_pruning.runs]
    assert all(run.reused for run in without.runs)


def test_a_pipeline_may_have_no_active_stage(toy: Toy) -> None:
    """The untrained model is measured then, and kept apart from that of another width."""
    idle = toy.pipeline(stages=[toy.stage("fit", Parameter("epochs", 3), is_active=lambda params: False)])

    assert toy.ran(lambda: idle.evaluate({})) == ["quality", "latency_ms"]
    assert toy.ran(lambda: idle.evaluate({"width": 9})) == ["quality", "latency_ms"]
    assert idle.deployable({}) == {"steps": [["build", {"width": 8}, "numbers"]]}


@pytest.mark.parametrize("change", [{"version": "2"}, {"settings": {"learning_rate": 0.1}}, {"name": "other"}])
def test_a_changed_stage_runs_again_with_all_after_it(toy: Toy, change: dict[str, Any]) -> None:
    """A stage's name, version and settings are part of what it computes."""
    toy.pipeline().evaluate({})
    fit, *others = (
        toy.stage("fit", Parameter("epochs", 3)),
        toy.stage("round", Parameter("linear_bits", 32), Parameter("embedding_bits", 32)),
    )

    assert toy.ran(lambda: toy.pipeline(stages=[replace(fit, **change), *others]).evaluate({})) == ALL


@pytest.mark.parametrize("change", [{"version": "2"}, {"settings": {"threads": 2}}, {"name": "other"}])
def test_a_changed_measure_runs_again_alone(toy: Toy, change: dict[str, Any]) -> None:
    """The model is as it was, and so are the other measures."""
    toy.pipeline().evaluate({})
    measures = [replace(toy.measure("quality"), **change), toy.measure("size")]

    assert toy.ran(lambda: toy.pipeline(measures=measures).evaluate({})) == ["quality", "size"]


@pytest.mark.parametrize("change", ["data", "build", "seed"])
def test_other_data_build_or_seed_runs_everything_again(toy: Toy, change: str) -> None:
    """They are at the origin of every output."""
    toy.pipeline().evaluate({})
    original = toy.pipeline()
    changes: dict[str, Any] = {
        "data": replace(original.data, fingerprint="other numbers"),
        "build": Build(lambda params, data: {"steps": []}, (Parameter("width", 8),), "2"),
        "seed": 1,
    }

    assert toy.ran(lambda: toy.pipeline(**{change: changes[change]}).evaluate({})) == ALL


@pytest.mark.parametrize(
    "requests",
    [
        {"history": np.zeros((3, 2), dtype=np.int64)},
        {"history": np.arange(6, dtype=np.int32).reshape(3, 2)},
        {"history": np.arange(6).reshape(3, 2, 1)},
        {"seen": np.arange(6).reshape(3, 2)},
    ],
)
def test_other_requests_are_measured_again_without_training(toy: Toy, requests: dict[str, np.ndarray]) -> None:
    """Measurements depend on the requests' names, types, shapes and values; the model does not."""
    toy.pipeline().evaluate({})

    assert toy.ran(lambda: toy.pipeline(requests=requests).evaluate({})) == ["quality", "latency_ms"]


def test_only_what_depends_on_the_device_is_measured_again_on_another(toy: Toy) -> None:
    """Latency is that of a device, quality is the same everywhere."""
    toy.pipeline().evaluate({})
    other = [
        toy.measure("quality"),
        toy.measure("latency_ms", Parameter("serving_workers", 1), device=lambda: "another computer"),
    ]

    assert toy.ran(lambda: toy.pipeline(measures=other).evaluate({})) == ["latency_ms"]


@pytest.mark.parametrize("params", [{}, {"ratio": 0.5, "bits": 4, "workers": 2}])
def test_results_are_the_same_whether_made_or_reused(toy: Toy, params: dict[str, Value], tmp_path: Path) -> None:
    """Values, intervals, keys and costs come out to the last bit, and as in a store of its own."""
    made, reused = (toy.pipeline().evaluate(params) for _ in range(2))
    elsewhere = toy.pipeline(store=tmp_path / "another store").evaluate(params)

    assert made.measurements == reused.measurements == elsewhere.measurements
    assert [replace(run, reused=True) for run in made.runs] == list(reused.runs)
    assert not any(run.reused for run in made.runs)
    assert [run.key for run in elsewhere.runs] == [run.key for run in made.runs]
    assert toy.pipeline().deployable(params) == toy.pipeline(store=tmp_path / "third store").deployable(params)


def test_a_shared_stage_is_told_as_reused_and_at_its_own_cost(toy: Toy) -> None:
    """What training cost is known of every candidate, though only the first one paid for it."""
    first = {run.name: run for run in toy.pipeline().evaluate({}).runs}
    second = {run.name: run for run in toy.pipeline().evaluate({"bits": 8}).runs}

    assert (first["fit"].reused, second["fit"].reused, second["round"].reused) == (False, True, False)
    assert second["fit"] == replace(first["fit"], reused=True)


def test_no_measure_sees_what_another_did_to_the_model(toy: Toy) -> None:
    """A result must not depend on which measures had to run before it."""

    def spoil(model: dict[str, Any], params: Params, context: Context) -> Mapping[str, Measurement]:
        model["steps"].append("spoilt")
        return {"spoiler": Measurement(1.0)}

    alone = toy.pipeline().evaluate({}).measurements["quality"]
    measures = [toy.measure("spoiler", run=spoil), toy.measure("quality", version="again")]

    assert toy.pipeline(measures=measures).evaluate({}).measurements["quality"] == alone


def test_a_corrupt_stage_output_is_made_again_when_it_is_needed(toy: Toy) -> None:
    """Only the damaged stage runs; its output has the same key, so what follows is still good."""
    pipeline: Pipeline = toy.pipeline()
    evaluation = pipeline.evaluate({})
    entry = pipeline.store.find(evaluation.runs[0].key)
    assert entry is not None
    (entry.folder / "model.json").write_text("{}")

    assert toy.ran(lambda: pipeline.evaluate({"bits": 8})) == ["fit", "round", "quality", "latency_ms"]
    assert toy.ran(lambda: pipeline.evaluate({})) == []


def test_keys_are_the_same_in_every_process(tmp_path: Path) -> None:
    """Another process, with another hash seed and the parameters in another order, finds the same outputs."""
    program = """
import json, pathlib, runpy, sys
from paretoopt.pipeline.stage import reads
parts = runpy.run_path(sys.argv[1])
pipeline = parts["Toy"](pathlib.Path(sys.argv[2])).pipeline(build=reads(*parts["WIDTH"])(parts["build"]))
print([run.key for run in pipeline.evaluate(json.loads(sys.argv[3])).runs], pipeline.fingerprint)
"""
    orders = ['{"ratio": 0.5, "bits": 8, "width": 16}', '{"width": 16, "bits": 8, "ratio": 0.5}']
    outputs = []
    for seed, order in enumerate(orders):
        command = [
            sys.executable,
            "-c",
            program,
            str(Path(__file__).with_name("conftest.py")),
            str(tmp_path / str(seed)),
            order,
        ]
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        outputs.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    assert outputs[0] == outputs[1]
