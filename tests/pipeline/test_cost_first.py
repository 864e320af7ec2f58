"""What depends on the shape alone is measured before training, once for all candidates of the shape."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from paretoopt.candidate import StageRun
from paretoopt.errors import WeightsError
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Context, Earlier, Measure
from paretoopt.search.evaluator import CostFirst
from paretoopt.space import Parameter, Params

if TYPE_CHECKING:
    from tests.pipeline.conftest import Toy

TRAINING = ["fit", "fine_tune"]


def latency(toy: Toy) -> Measure:
    """A measure of the shape alone."""
    measure = toy.measure("latency_ms", Parameter("workers", 1), device=lambda: "this computer")
    return replace(measure, needs_training=False)


def make_pipeline(toy: Toy, **changes: Any) -> Pipeline:  # noqa: ANN401 (any argument of Pipeline)
    """Fit and fine-tune train; prune shapes by trained weights where ``ratio`` is above a half."""
    arguments: dict[str, Any] = {
        "stages": [
            toy.stage("fit", Parameter("epochs", 3), trains=True),
            toy.stage(
                "prune",
                Parameter("ratio", 0.0),
                is_active=lambda params: float(params["ratio"]) > 0,
                shape_needs_training=lambda params: float(params["ratio"]) > 0.5,
            ),
            toy.stage("fine_tune", is_active=lambda params: float(params["ratio"]) > 0, trains=True),
            toy.stage("round", Parameter("bits", 32)),
        ],
        "measures": [toy.measure("quality"), latency(toy)],
    }
    return toy.pipeline(**arguments | changes)


def names(runs: tuple[StageRun, ...]) -> list[str]:
    """What ran, in order."""
    return [run.name for run in runs]


def test_a_pipeline_tells_costs_first(toy: Toy) -> None:
    """It has all that a study asks for, and names the metrics of the shape."""
    pipeline = make_pipeline(toy)

    assert isinstance(pipeline, CostFirst)
    assert pipeline.shape_metrics == ("latency_ms",)


def test_costs_are_measured_without_training(toy: Toy) -> None:
    """Only stages that do not train run, and only measures of the shape."""
    pipeline = make_pipeline(toy)

    assert toy.ran(lambda: pipeline.costs({"ratio": 0.5})) == ["prune", "round", "latency_ms"]
    assert names(pipeline.costs({"bits": 8}).runs) == ["round", "latency_ms"]
    assert set(pipeline.costs({}).measurements) == {"latency_ms"}


def test_costs_are_those_of_the_evaluation(toy: Toy) -> None:
    """What was measured first is not measured again on the trained model."""
    pipeline = make_pipeline(toy)
    first = pipeline.costs({"ratio": 0.5})

    assert toy.ran(lambda: pipeline.evaluate({"ratio": 0.5})) == ["fit", "prune", "fine_tune", "round", "quality"]
    assert pipeline.evaluate({"ratio": 0.5}).measurements["latency_ms"] == first.measurements["latency_ms"]


def test_one_shape_is_measured_once(toy: Toy) -> None:
    """Candidates that differ in training share their costs; those that differ in workers do not."""
    pipeline = make_pipeline(toy)
    pipeline.costs({})

    assert toy.ran(lambda: pipeline.costs({"epochs": 9})) == []
    assert toy.ran(lambda: pipeline.costs({"workers": 2})) == ["latency_ms"]


def test_a_shape_that_training_decides_is_measured_on_the_trained_model(toy: Toy) -> None:
    """The costs are an estimate then, and the value after training counts."""
    pipeline = make_pipeline(toy)
    estimate = pipeline.costs({"ratio": 0.75}).measurements["latency_ms"]

    assert not pipeline.costs_are_final({"ratio": 0.75})
    assert pipeline.costs_are_final({"ratio": 0.5})
    assert toy.ran(lambda: pipeline.evaluate({"ratio": 0.75}))[-2:] == ["quality", "latency_ms"]
    assert pipeline.evaluate({"ratio": 0.75}).measurements["latency_ms"] != estimate


def test_known_costs_are_read_and_nothing_is_made(toy: Toy) -> None:
    """None until they are measured, on this device."""
    pipeline = make_pipeline(toy)

    assert toy.ran(lambda: pipeline.known_costs({})) == []
    assert pipeline.known_costs({}) is None
    assert pipeline.known_costs({}) != pipeline.costs({}).measurements
    assert pipeline.known_costs({}) == pipeline.costs({}).measurements


def test_finals_measure_what_ships(toy: Toy) -> None:
    """Measuring again is done on the trained model."""
    pipeline = make_pipeline(toy)
    evaluated = pipeline.evaluate({}).measurements["latency_ms"]

    again = pipeline.remeasure({}).measurements["latency_ms"]

    assert again.value > evaluated.value  # the toy's latency is the length of its history, training included


def test_an_untrained_model_that_was_found_made_counts_as_no_saving(toy: Toy) -> None:
    """Nobody would have made it but for its costs, so a report may not count it as work that sharing saved."""
    pipeline = make_pipeline(toy)

    first, second = pipeline.evaluate({}), pipeline.evaluate({"epochs": 4})

    assert names(first.runs) == ["fit", "round", "round", "quality", "latency_ms"]
    assert names(second.runs) == ["fit", "round", "quality", "latency_ms"]
    assert [run.name for run in second.runs if run.reused] == ["latency_ms"]


def test_weights_that_make_no_artifact_before_training_are_measured_after_it(toy: Toy) -> None:
    """A model that starts at 0 throughout has no costs first, and the usual ones in the end."""

    def run(model: dict[str, Any], params: Params, context: Context) -> dict[str, Any]:
        if all(step[0] != "fit" for step in model["steps"]):
            raise WeightsError("all weights are 0")
        return model

    pipeline = make_pipeline(toy, stages=[toy.stage("fit", trains=True), toy.stage("export", run=run)])

    assert pipeline.costs({}).measurements == {}
    assert toy.ran(lambda: pipeline.evaluate({})) == ["fit", "quality", "latency_ms"]
    assert pipeline.measured({}, "latency_ms").reused


def test_training_that_remains_is_told_by_what_it_depends_on(toy: Toy) -> None:
    """Candidates that share a stage name it by one key; what the store has remains no more."""
    pipeline = make_pipeline(toy)
    fit, fine_tune = pipeline.remaining({"ratio": 0.5})

    assert [fit.name, fine_tune.name] == TRAINING
    assert (fit.params, fine_tune.params) == ({"width": 8, "epochs": 3}, {"width": 8, "epochs": 3, "ratio": 0.5})
    assert pipeline.remaining({"bits": 8, "workers": 2}) == (fit,)
    pipeline.evaluate({})
    assert pipeline.remaining({"ratio": 0.5}) == (fine_tune,)
    assert pipeline.remaining({"bits": 8}) == ()


def test_a_measured_candidate_has_no_training_left_even_if_its_models_are_gone(toy: Toy) -> None:
    """What a measure took from them is in the store."""
    pipeline = make_pipeline(toy)
    runs = pipeline.evaluate({}).runs
    for run in runs:
        if run.name != "quality":
            (pipeline.store.folder / "objects" / run.key[:2] / run.key / "entry.json").unlink()

    assert pipeline.remaining({}) == ()
    assert [stage.name for stage in pipeline.remaining({"bits": 8})] == ["fit"]


def test_a_teacher_that_has_to_be_trained_remains_too(toy: Toy) -> None:
    """It comes before the stage that it teaches, and is named as the larger candidate's own."""
    teacher = (Earlier("fit", {"width": 64}),)
    stages = [toy.stage("fit", trains=True), toy.stage("distill", uses=teacher, trains=True)]
    pipeline = make_pipeline(toy, stages=stages)

    remaining = pipeline.remaining({})

    assert [(stage.name, stage.params["width"]) for stage in remaining] == [("fit", 8), ("fit", 64), ("distill", 8)]


def test_what_ships_is_made_even_if_only_its_shape_is_measured(toy: Toy) -> None:
    """So that whatever was evaluated can be exported."""
    pipeline = make_pipeline(toy, measures=[latency(toy)])

    assert [stage.name for stage in pipeline.remaining({})] == ["fit"]
    assert pipeline.artifact_key({}) in {run.key for run in pipeline.evaluate({}).runs}
    assert pipeline.remaining({}) == ()


def test_a_candidate_asked_about_again_is_not_worked_out_anew(toy: Toy) -> None:
    """Its keys are the same whatever is asked; only the store is looked into again."""
    looked: list[Params] = []

    def is_active(params: Params) -> bool:
        looked.append(params)
        return True

    pipeline = make_pipeline(toy, stages=[toy.stage("fit", Parameter("epochs", 3), trains=True, is_active=is_active)])
    key, n_looked = pipeline.artifact_key({"epochs": 5}), len(looked)

    assert pipeline.artifact_key({"epochs": 5}) == key
    assert len(looked) == n_looked
    assert [stage.name for stage in pipeline.remaining({"epochs": 5})] == ["fit"]
    pipeline.evaluate({"epochs": 5})
    assert pipeline.remaining({"epochs": 5}) == ()
