"""What a study's finals ask of a pipeline: measuring again, without training again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from paretoopt.candidate import Measurement, UserStatistic
from paretoopt.errors import CandidateError
from paretoopt.pipeline.stage import Context
from paretoopt.space import Parameter, Params

if TYPE_CHECKING:
    from tests.pipeline.conftest import Toy

Model = dict[str, Any]


def test_what_depends_on_the_device_can_be_measured_again(toy: Toy) -> None:
    """The stages come from the store, quality is not measured again, and nothing new is kept."""
    pipeline = toy.pipeline()
    pipeline.evaluate({})

    ran = toy.ran(lambda: [pipeline.remeasure({}), pipeline.remeasure({})])

    assert ran == ["latency_ms", "latency_ms"]
    assert set(pipeline.remeasure({}).measurements) == {"latency_ms"}
    assert toy.ran(lambda: pipeline.evaluate({})) == []


def test_candidates_that_are_measured_by_turns_share_the_seed_of_a_round(toy: Toy) -> None:
    """Each round has a seed that neither the search nor another round had."""
    seeds: list[int] = []

    def run(model: Model, params: Params, context: Context) -> dict[str, Measurement]:
        seeds.append(context.seed)
        return {"latency_ms": Measurement(1.0)}

    measure = toy.measure("latency_ms", run=run, device=lambda: "this computer", reads=(Parameter("workers", 1),))
    pipeline = toy.pipeline(measures=[measure])
    pipeline.evaluate({})

    for _ in range(2):
        pipeline.remeasure({"workers": 1})
        pipeline.remeasure({"workers": 2})

    assert seeds[1] == seeds[2]
    assert seeds[3] == seeds[4]
    assert len(set(seeds)) == 3


def test_it_says_where_it_was_measured(toy: Toy) -> None:
    """The device of each measure, and the environment that the measure keeps beside its values."""

    def run(model: Model, params: Params, context: Context) -> dict[str, Measurement]:
        (context.folder / "environment.json").write_text('{"share_of_others": 0.25}')
        return {"latency_ms": Measurement(1.0)}

    measures = [
        toy.measure("latency_ms", run=run, device=lambda: "this computer"),
        toy.measure("memory_mib", device=lambda: "its memory"),
        toy.measure("quality"),
    ]

    found = toy.pipeline(measures=measures).remeasure({})

    assert found.devices == {"latency_ms": "this computer", "memory_mib": "its memory"}
    assert found.environments == {"latency_ms": {"share_of_others": 0.25}}


def test_a_measure_that_fails_again_is_named(toy: Toy) -> None:
    """As in the first evaluation."""

    def run(model: Model, params: Params, context: Context) -> dict[str, Measurement]:
        raise OSError("the cable is loose")

    measure = toy.measure("latency_ms", run=run, device=lambda: "this computer")

    with pytest.raises(CandidateError, match="latency_ms: OSError: the cable is loose"):
        toy.pipeline(measures=[measure]).remeasure({})


def test_a_pipeline_names_its_devices_and_what_is_timed(toy: Toy) -> None:
    """Each device once; no device where nothing depends on one."""
    measures = [toy.measure(name, device=lambda: "this computer", is_timed=name == "one") for name in ("one", "two")]

    pipeline = toy.pipeline(measures=[toy.measure("quality"), *measures])

    assert (pipeline.device(), pipeline.timed_metrics) == ("this computer", ("one",))
    assert toy.pipeline(measures=[toy.measure("quality")]).device() == ""


def test_values_per_user_are_read_from_what_the_measure_kept(toy: Toy) -> None:
    """They are measured once, with the metric that is their mean."""

    def run(model: Model, params: Params, context: Context) -> dict[str, Measurement]:
        np.save(context.folder / "users.npy", np.array([0.0, 1.0]))
        return {"quality": Measurement(0.5)}

    def read(folder: Path) -> dict[str, NDArray[np.float64]]:
        return {"quality": np.load(folder / "users.npy")}

    pipeline = toy.pipeline(measures=[toy.measure("quality", run=run, per_user=read), toy.measure("size")])

    assert {metric: values.tolist() for metric, values in pipeline.per_user({}).items()} == {"quality": [0.0, 1.0]}


def test_other_metrics_of_users_can_be_computed_of_samples(toy: Toy) -> None:
    """A measure says how, from what it kept and the data."""

    def run(model: Model, params: Params, context: Context) -> dict[str, Measurement]:
        np.save(context.folder / "users.npy", np.array([0.25, 1.0]))
        return {"worst": Measurement(0.25)}

    def statistics(folder: Path, data: Any) -> dict[str, UserStatistic]:  # noqa: ANN401 (the pipeline's data)
        users = np.load(folder / "users.npy")
        return {"worst": lambda counts: float(users[counts > 0].min())}

    pipeline = toy.pipeline(measures=[toy.measure("worst", run=run, user_statistics=statistics), toy.measure("size")])

    worst = pipeline.user_statistics({})["worst"]
    assert (worst(np.array([1, 1])), worst(np.array([0, 2]))) == (0.25, 1.0)
