"""What goes wrong in a candidate is told with the step that it went wrong in, and nothing of it is kept."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from paretoopt.candidate import Measurement, Progress
from paretoopt.errors import CandidateError, MeasurementError, PipelineError, StoreError
from paretoopt.pipeline.stage import Build, Context
from paretoopt.space import Parameter, Params

if TYPE_CHECKING:
    from tests.pipeline.conftest import Toy


def raising(error: BaseException) -> Callable[..., Any]:
    """A function that raises ``error`` whatever it is given."""

    def fail(*arguments: object) -> Any:  # noqa: ANN401 (it never returns)
        raise error

    return fail


@pytest.mark.parametrize("part", ["run", "save", "load"])
def test_an_error_in_a_stage_names_the_stage(toy: Toy, part: str) -> None:
    """Whichever of its functions failed, the message says in which stage, what and why."""
    stages = [toy.stage("fit"), toy.stage("prune", **{part: raising(ValueError("no channel is left"))})]

    with pytest.raises(CandidateError, match=r"^prune: ValueError: no channel is left$"):
        toy.pipeline(stages=stages).evaluate({})


def test_an_error_in_building_names_the_build(toy: Toy) -> None:
    """It fails inside the first stage, which is not to blame."""
    build = Build(raising(ValueError("too wide")), (), "1")

    with pytest.raises(CandidateError, match=r"^build: ValueError: too wide$"):
        toy.pipeline(build=build).evaluate({})


@pytest.mark.parametrize("part", ["run", "device"])
def test_an_error_in_a_measure_names_the_measure(toy: Toy, part: str) -> None:
    """Naming the device is part of measuring."""
    measures = [toy.measure("latency_ms", **{part: raising(RuntimeError("the process hung"))})]

    with pytest.raises(CandidateError, match=r"^latency_ms: RuntimeError: the process hung$"):
        toy.pipeline(measures=measures).evaluate({})


def test_a_candidate_error_keeps_its_kind(toy: Toy) -> None:
    """A measurement error stays one, with the step in front."""
    measures = [toy.measure("latency_ms", run=raising(MeasurementError("it answered nonsense")))]

    with pytest.raises(MeasurementError, match=r"^latency_ms: it answered nonsense$"):
        toy.pipeline(measures=measures).evaluate({})


def test_a_full_disk_is_no_fault_of_the_candidate(toy: Toy) -> None:
    """The study would take one candidate after another for infeasible; it has to stop instead."""
    full = OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StoreError, match=r"No space left on device.*Free some space"):
        toy.pipeline(stages=[toy.stage("fit", save=raising(full))]).evaluate({})
    with pytest.raises(CandidateError, match="fit: FileNotFoundError"):
        toy.pipeline(stages=[toy.stage("fit", save=raising(FileNotFoundError("gone")))]).evaluate({})


def test_an_interrupted_study_is_not_a_failed_candidate(toy: Toy) -> None:
    """Ctrl-C comes out as it is, and what was finished is kept."""
    stages = [toy.stage("fit"), toy.stage("prune", run=raising(KeyboardInterrupt()))]
    with pytest.raises(KeyboardInterrupt):
        toy.pipeline(stages=stages).evaluate({})

    assert toy.ran(lambda: toy.pipeline(stages=[toy.stage("fit"), toy.stage("prune")]).evaluate({})) == [
        "prune",
        "quality",
        "latency_ms",
    ]


def test_nothing_of_a_failed_step_is_kept(toy: Toy) -> None:
    """What was mended between two runs is tried again."""
    with pytest.raises(CandidateError, match=r"^fit: "):
        toy.pipeline(stages=[toy.stage("fit", run=raising(ValueError("bad luck")))]).evaluate({})

    assert toy.ran(lambda: toy.pipeline(stages=[toy.stage("fit")]).evaluate({})) == ["fit", "quality", "latency_ms"]


@pytest.mark.parametrize("access", ["item", "get"])
@pytest.mark.parametrize("step", ["build", "stage", "measure"])
def test_an_undeclared_parameter_is_refused_with_the_remedy(toy: Toy, step: str, access: str) -> None:
    """The store would not notice a change of it; a default given to ``get`` would hide the mistake for ever."""

    def run(params: Params) -> Any:  # noqa: ANN401 (it never returns)
        return params["epochs"] if access == "item" else params.get("epochs", 3)

    changes: dict[str, Any] = {
        "build": {"build": Build(lambda params, data: run(params), (Parameter("width", 8),), "1")},
        "stage": {"stages": [toy.stage("prune", run=lambda model, params, context: run(params))]},
        "measure": {"measures": [toy.measure("quality", run=lambda model, params, context: run(params))]},
    }
    remedy = (
        r"'epochs' is asked for, but only .* declared.*Declare it: reads=\(Parameter\('epochs', default=\.\.\.\),\)"
    )

    with pytest.raises(PipelineError, match=remedy):
        toy.pipeline(**changes[step]).evaluate({})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_nan_is_no_measurement(toy: Toy, value: float) -> None:
    """The metric is named, and nothing is kept that would be read back as a result."""
    measures = [toy.measure("latency_ms", run=lambda *_: {"latency_ms": Measurement(value)})]

    for _ in range(2):
        with pytest.raises(
            CandidateError, match=r"latency_ms: latency_ms came out as .*(nan|inf), which is no measure"
        ):
            toy.pipeline(measures=measures).evaluate({})


@pytest.mark.parametrize("bounds", [(math.nan, 2.0), (0.0, math.nan)])
def test_an_interval_does_not_end_in_nan(toy: Toy, bounds: tuple[float, float]) -> None:
    """An unknown uncertainty is None; NaN would pass every comparison in silence."""
    measures = [toy.measure("latency_ms", run=lambda *_: {"latency_ms": Measurement(1.0, *bounds)})]

    with pytest.raises(CandidateError, match=r"latency_ms has a confidence interval that ends in nan\. Use None"):
        toy.pipeline(measures=measures).evaluate({})


@pytest.mark.parametrize("result", [{}, {"other": Measurement(1.0)}, {"m": Measurement(1.0), "n": Measurement(1.0)}])
def test_a_measure_gives_exactly_the_metrics_that_it_promised(toy: Toy, result: Mapping[str, Measurement]) -> None:
    """A missing metric and one that nobody expects are both named."""
    measures = [toy.measure("m", run=lambda *_: result)]

    with pytest.raises(CandidateError, match=r"m: it should give \['m'\], but gave \["):
        toy.pipeline(measures=measures).evaluate({})


def test_a_bare_number_is_no_measurement(toy: Toy) -> None:
    """The error shows what to write."""
    with pytest.raises(CandidateError, match=r"m: m came out as 0\.5\. Give Measurement\(0\.5\)"):
        toy.pipeline(measures=[toy.measure("m", run=lambda *_: {"m": 0.5})]).evaluate({})


def test_measurements_may_be_numpy_numbers(toy: Toy) -> None:
    """They come out as plain floats of the same value, intervals included."""
    result = {"m": Measurement(np.float32(0.1), low=np.float32(0.05), high=np.int64(2))}  # type: ignore[arg-type]

    measured = toy.pipeline(measures=[toy.measure("m", run=lambda *_: result)]).evaluate({}).measurements["m"]

    assert measured == Measurement(float(np.float32(0.1)), float(np.float32(0.05)), 2.0)
    assert {type(number) for number in (measured.value, measured.low, measured.high)} == {float}


def test_progress_names_the_steps_that_really_run(toy: Toy) -> None:
    """A listener hears of each step that starts, and of none that the store has."""
    heard: list[Progress] = []
    pipeline = toy.pipeline()

    pipeline.evaluate({}, heard.append)
    pipeline.evaluate({"bits": 8}, heard.append)

    started = [progress.stage for progress in heard if progress.message == "started"]
    assert started == ["fit", "round", "quality", "latency_ms", "round", "quality", "latency_ms"]


def test_a_step_sees_the_data_the_requests_and_the_seed(toy: Toy) -> None:
    """Beside the model and what it reads, a step is handed the pipeline's own parts and a fresh model."""
    seen: list[Context] = []

    def run(model: Any, params: Params, context: Context) -> Any:  # noqa: ANN401 (the toy's own kinds)
        seen.append(context)
        return model

    pipeline = toy.pipeline(stages=[toy.stage("fit", run=run)], seed=7)
    pipeline.evaluate({"width": 16})

    (context,) = seen
    assert (context.data, context.requests, context.seed) == (pipeline.data, pipeline.requests, 7)
    assert context.build() == {"steps": [["build", {"width": 16}, "numbers"]]}


def test_what_a_step_writes_beside_its_output_is_kept_with_it(toy: Toy) -> None:
    """Per-user values, for example, lie in the entry of the measure that gave their mean."""

    def run(model: Any, params: Params, context: Context) -> Mapping[str, Measurement]:  # noqa: ANN401
        (context.folder / "per_user.txt").write_text("1 0 1")
        return {"m": Measurement(2 / 3)}

    pipeline = toy.pipeline(measures=[toy.measure("m", run=run)])
    entry = pipeline.store.find(pipeline.evaluate({}).runs[-1].key)

    assert entry is not None
    assert (entry.folder / "per_user.txt").read_text() == "1 0 1"
