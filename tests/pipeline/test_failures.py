"""A failed candidate says which step failed, and what training it had spent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from paretoopt.errors import CandidateError
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context, Earlier
from paretoopt.space import Parameter, Params

if TYPE_CHECKING:
    from tests.pipeline.conftest import Toy

_NAP_S = 0.05


def sleepy(run: Callable[..., Any]) -> Callable[..., Any]:
    """A stage that takes its time."""

    def wrapped(*arguments: Any) -> Any:  # noqa: ANN401 (passed on)
        time.sleep(_NAP_S)
        return run(*arguments)

    return wrapped


def broken(*arguments: Any) -> Any:  # noqa: ANN401 (never returns)
    """A step that takes its time and then fails."""
    time.sleep(_NAP_S)
    raise ValueError("out of memory")


def failure(pipeline: Pipeline, params: Params | None = None) -> CandidateError:
    """The error that evaluating ends with."""
    with pytest.raises(CandidateError) as caught:
        pipeline.evaluate(params or {})
    return caught.value


def training_pipeline(toy: Toy, **changes: Any) -> Pipeline:  # noqa: ANN401 (parts)
    """The toy, whose ``fit`` trains for a while."""
    fit = toy.stage("fit", run=sleepy(toy.stage("fit").run), trains=True)
    return toy.pipeline(**{"stages": [fit, toy.stage("round")]} | changes)


def test_the_step_that_failed_is_a_field(toy: Toy) -> None:
    """Build, stage and measure are told by their names."""
    assert failure(toy.pipeline(stages=[toy.stage("fit", run=broken)])).stage == "fit"
    assert failure(toy.pipeline(build=Build(broken, (), "1"), stages=[toy.stage("fit")])).stage == "build"
    assert failure(toy.pipeline(measures=[toy.measure("quality", run=broken)])).stage == "quality"


def test_of_two_steps_the_inner_one_has_failed(toy: Toy) -> None:
    """Where a step asks for another output, the stage that could not give it is the one."""

    def fails_when_wide(model: dict[str, Any], params: Params, context: Context) -> dict[str, Any]:
        return model if params["width"] == 8 else broken()

    def taught(model: dict[str, Any], params: Params, context: Context) -> Any:  # noqa: ANN401 (a model)
        return context.earlier("fit")

    fit = toy.stage("fit", Parameter("width", 8), run=fails_when_wide)
    taught_stage = toy.stage("taught", run=taught, uses=(Earlier("fit", {"width": 16}),))

    error = failure(toy.pipeline(build=Build(lambda params, data: {"steps": []}, (), "1"), stages=[fit, taught_stage]))

    assert str(error).startswith("taught: fit: ")
    assert error.stage == "fit"


def test_training_before_a_failure_is_counted(toy: Toy) -> None:
    """What was trained before a measure failed was spent; the next candidate finds it in the store and spends none."""
    measures = [toy.measure("quality", run=broken)]

    assert failure(training_pipeline(toy, measures=measures)).training_cost >= _NAP_S
    assert failure(training_pipeline(toy, measures=measures)).training_cost == 0.0


def test_training_that_fails_is_counted(toy: Toy) -> None:
    """The time of a stage that trains and fails was spent; that of another stage is no training."""
    trains = toy.pipeline(stages=[toy.stage("fit", run=broken, trains=True)])
    rounds = toy.pipeline(stages=[toy.stage("round", run=broken)])

    assert failure(trains).training_cost >= _NAP_S
    assert failure(rounds).training_cost == 0.0


def test_runs_say_which_of_them_train(toy: Toy) -> None:
    """Training is told from rounding and measuring."""
    runs = training_pipeline(toy).evaluate({}).runs

    assert [(run.name, run.trains) for run in runs] == [
        ("fit", True),
        ("round", False),
        ("quality", False),
        ("latency_ms", False),
    ]
