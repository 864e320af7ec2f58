"""A step may use the output of an earlier stage, of this candidate or of one that differs in some parameters."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from paretoopt.candidate import Measurement
from paretoopt.errors import CandidateError, PipelineError
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Context, Earlier, Measure, Stage
from paretoopt.space import Parameter, Params, Value

if TYPE_CHECKING:
    from tests.pipeline.conftest import Toy

Model = dict[str, Any]
LARGER = Earlier("fit", {"width": 16})


def taught(model: Model, params: Params, context: Context) -> Model:
    """The model with what its teacher is written into it."""
    return {"steps": [*model["steps"], ["distill", context.earlier("fit")["steps"]]]}


def gap(model: Model, params: Params, context: Context) -> Mapping[str, Measurement]:
    """How many more steps the model has than the fitted one."""
    return {"gap": Measurement(float(len(model["steps"]) - len(context.earlier("fit")["steps"])))}


def stages(toy: Toy, **distill: Any) -> list[Stage]:  # noqa: ANN401 (any field of Stage)
    """Fit, prune, then distill with what it uses."""
    fields: dict[str, Any] = {"run": taught, "uses": (Earlier("fit"),)}
    return [
        toy.stage("fit", Parameter("epochs", 3)),
        toy.stage("prune", Parameter("ratio", 0.0), is_active=lambda params: float(params["ratio"]) > 0),
        toy.stage("distill", **fields | distill),
    ]


def teacher(pipeline: Pipeline, params: Params) -> object:
    """The steps of the teacher that the distilled model had."""
    return pipeline.deployable(params)["steps"][-1][1]


def test_a_stage_uses_what_an_earlier_one_gave(toy: Toy) -> None:
    """The pruned model is taught by the fitted one, which is trained once."""
    pipeline = toy.pipeline(stages=stages(toy))

    assert toy.ran(lambda: pipeline.deployable({"ratio": 0.5})) == ["fit", "prune"]
    assert teacher(pipeline, {"ratio": 0.5}) == [["build", {"width": 8}, "numbers"], ["fit", {"epochs": 3}, 0]]


def test_a_measure_uses_what_a_stage_gave(toy: Toy) -> None:
    """It compares what ships with what came before."""
    measure = Measure("gap", ("gap",), gap, uses=(Earlier("fit"),))

    evaluation = toy.pipeline(stages=stages(toy), measures=[measure]).evaluate({"ratio": 0.5})

    assert evaluation.measurements["gap"].value == 2
    assert [run.name for run in evaluation.runs] == ["fit", "prune", "distill", "gap"]


def test_an_earlier_output_may_be_that_of_other_parameters(toy: Toy) -> None:
    """A larger teacher is trained for the smaller model, and shared by all that it teaches."""
    pipeline = toy.pipeline(stages=stages(toy, uses=(LARGER,)))

    assert toy.ran(lambda: pipeline.deployable({})) == ["fit", "fit"]
    assert toy.ran(lambda: pipeline.deployable({"width": 4})) == ["fit"]
    assert teacher(pipeline, {"width": 4}) == [["build", {"width": 16}, "numbers"], ["fit", {"epochs": 3}, 0]]


def test_other_parameters_are_those_of_the_candidate(toy: Toy) -> None:
    """Only what is changed differs; a shorthand and a whole number stand for what they mean."""
    quantized = toy.stage("round", Parameter("linear_bits", 32), Parameter("embedding_bits", 32))
    use = Earlier("round", {"bits": 8.0})
    pipeline = toy.pipeline(stages=[quantized, toy.stage("compare", run=_compared("round"), uses=(use,))])

    steps = pipeline.deployable({"width": 4, "bits": 2})["steps"][-1]

    assert steps == [["build", {"width": 4}, "numbers"], ["round", {"linear_bits": 8, "embedding_bits": 8}, 0]]


@pytest.mark.parametrize(
    ("ratio", "changes", "names"),
    [
        (0.5, {}, ["build", "fit", "prune"]),
        (0.0, {}, ["build", "fit"]),
        (0.5, {"ratio": 0.0}, ["build", "fit"]),
        (0.0, {"ratio": 0.5}, ["build", "fit", "prune"]),
    ],
)
def test_an_inactive_stage_gives_what_came_before_it(
    toy: Toy, ratio: float, changes: dict[str, Value], names: list[str]
) -> None:
    """Changed parameters decide which stages are active."""
    compare = toy.stage("compare", run=_compared("prune"), uses=(Earlier("prune", changes),))
    pipeline = toy.pipeline(stages=[*stages(toy)[:2], compare])

    assert [step[0] for step in pipeline.deployable({"ratio": ratio})["steps"][-1]] == names


def test_without_any_active_stage_the_built_model_is_given(toy: Toy) -> None:
    """There is always something to compare with."""
    idle = toy.stage("fit", is_active=lambda params: False)
    pipeline = toy.pipeline(stages=[idle, toy.stage("distill", run=taught, uses=(Earlier("fit"),))])

    assert teacher(pipeline, {}) == [["build", {"width": 8}, "numbers"]]


def test_earlier_outputs_chain(toy: Toy) -> None:
    """What an earlier stage used itself is made as well."""
    compare = toy.stage("compare", run=_compared("distill"), uses=(Earlier("distill", {"width": 4}),))
    pipeline = toy.pipeline(stages=[*stages(toy, uses=(LARGER,)), compare])

    distilled = pipeline.deployable({})["steps"][-1]

    assert distilled[0] == ["build", {"width": 4}, "numbers"]
    assert distilled[-1][1][0] == ["build", {"width": 16}, "numbers"]


def test_what_is_not_asked_for_is_not_made(toy: Toy) -> None:
    """A candidate that is not distilled trains no teacher, and does not count what it did not need."""
    pipeline = toy.pipeline(stages=stages(toy, run=lambda model, params, context: model, uses=(LARGER,)))

    assert toy.ran(lambda: pipeline.evaluate({})) == ["fit", "quality", "latency_ms"]
    pipeline.evaluate({"width": 16})
    names = [run.name for run in pipeline.evaluate({}).runs]
    assert names == ["fit", "distill", "quality", "latency_ms"]


def test_a_teacher_is_among_the_stages_that_it_took(toy: Toy) -> None:
    """The candidate's cost counts it, at first as made and then as reused."""
    pipeline = toy.pipeline(stages=stages(toy, uses=(LARGER,)))

    first, second = ([run for run in pipeline.evaluate({}).runs if run.name == "fit"] for _ in range(2))

    assert [run.reused for run in first] == [False, False]
    assert [run.reused for run in second] == [True, True]
    assert [run.key for run in first] == [run.key for run in second]


def test_making_an_earlier_output_is_no_cost_of_the_step(toy: Toy) -> None:
    """The teacher's training is the teacher's."""

    def slow(model: Model, params: Params, context: Context) -> Model:
        time.sleep(0.2)
        return model

    pipeline = toy.pipeline(stages=[toy.stage("fit", run=slow), toy.stage("distill", run=taught, uses=(LARGER,))])
    seconds = {run.name: run.seconds for run in pipeline.evaluate({}).runs}

    assert seconds["distill"] < 0.2 <= seconds["fit"]


@pytest.mark.parametrize("use", [Earlier("fit", {"width": 32}), Earlier("fit", {"epochs": 9}), Earlier("prune")])
def test_another_earlier_output_is_another_result(toy: Toy, use: Earlier) -> None:
    """Its content address is part of the step's, and of the pipeline's name."""
    original, other = (toy.pipeline(stages=stages(toy, uses=(one,))) for one in (LARGER, use))

    assert original.artifact_key({"ratio": 0.5}) != other.artifact_key({"ratio": 0.5})
    assert original.fingerprint != other.fingerprint


def test_a_change_without_effect_is_the_same_result(toy: Toy) -> None:
    """The teacher of width 8 is that of the candidate of width 8."""
    same, changed = (toy.pipeline(stages=stages(toy, uses=(Earlier("fit", c),))) for c in ({}, {"width": 8}))

    assert same.artifact_key({}) == changed.artifact_key({})
    assert same.artifact_key({"width": 4}) != changed.artifact_key({"width": 4})


def test_a_measure_runs_again_when_what_it_uses_changes(toy: Toy) -> None:
    """The model that ships is the same; what it is compared with is not."""
    other = Earlier("fit", {"epochs": 4})
    pipelines = [toy.pipeline(measures=[toy.measure("gap", uses=(use,))]) for use in (Earlier("fit"), other)]

    pipelines[0].evaluate({})

    assert toy.ran(lambda: pipelines[1].evaluate({})) == ["gap"]
    assert toy.ran(lambda: pipelines[1].evaluate({})) == []


def test_a_measure_that_uses_a_stage_can_be_taken_again(toy: Toy) -> None:
    """In a study's finals, with what is in the store."""
    measure = Measure("gap", ("gap",), gap, uses=(Earlier("fit"),), device=lambda: "this computer")
    pipeline = toy.pipeline(stages=stages(toy), measures=[measure])
    pipeline.evaluate({"ratio": 0.5})

    assert toy.ran(lambda: pipeline.remeasure({"ratio": 0.5})) == []
    assert pipeline.remeasure({"ratio": 0.5}).measurements["gap"].value == 2


def test_an_output_that_is_not_declared_is_refused(toy: Toy) -> None:
    """The store could not see it; the message says how to declare it."""
    pipeline = toy.pipeline(stages=stages(toy, uses=()))

    with pytest.raises(PipelineError, match=r"distill asks for the output of 'fit'.*uses=\(Earlier\('fit'\),\)"):
        pipeline.evaluate({})


@pytest.mark.parametrize(
    ("uses", "message"),
    [
        ((Earlier("fitt"),), "stage 'distill' uses the output of stage 'fitt', but comes after fit, prune"),
        ((Earlier("distill"),), "uses the output of stage 'distill', but comes after fit, prune"),
        ((Earlier("fit"), LARGER), "stage 'distill' uses stage 'fit' twice"),
        ((Earlier("fit", {"widht": 4}),), "uses stage 'fit' with {'widht': 4}: .*Did you mean 'width'"),
        ((Earlier("fit", {"width": -1}),), "width=-1 cannot be used: it is negative"),
    ],
)
def test_what_cannot_be_used_is_refused_when_the_pipeline_is_composed(
    toy: Toy, uses: tuple[Earlier, ...], message: str
) -> None:
    """Before anything runs, naming the step and the mistake."""
    with pytest.raises(PipelineError, match=message):
        toy.pipeline(stages=stages(toy, uses=uses))


def test_a_first_stage_has_nothing_to_use_and_a_measure_no_unknown_stage(toy: Toy) -> None:
    """Each message says what could be used."""
    with pytest.raises(PipelineError, match="stage 'fit' uses the output of stage 'fit', but is the first one"):
        toy.pipeline(stages=[toy.stage("fit", uses=(Earlier("fit"),))])
    with pytest.raises(PipelineError, match="measure 'gap' uses the output of stage 'gone', but comes after fit"):
        toy.pipeline(measures=[toy.measure("gap", uses=(Earlier("gone"),))])


def test_a_teacher_that_fails_is_named(toy: Toy) -> None:
    """The candidate fails, with the way to the cause."""

    def run(model: Model, params: Params, context: Context) -> Model:
        raise ValueError("no gradient")

    fit = toy.stage("fit", Parameter("epochs", 3), run=run, is_active=lambda params: params["epochs"] == 9)
    distill = toy.stage("distill", run=taught, uses=(Earlier("fit", {"epochs": 9}),))

    with pytest.raises(CandidateError, match="distill: fit: ValueError: no gradient"):
        toy.pipeline(stages=[fit, distill]).evaluate({})


def test_a_context_of_ones_own_has_nothing_earlier() -> None:
    """Outside of a pipeline there is no stage to ask."""
    context = Context(None, {}, dict, 0, Path(), lambda progress: None)

    with pytest.raises(PipelineError, match="'fit' is asked for outside of a pipeline"):
        context.earlier("fit")


def _compared(stage: str) -> Any:  # noqa: ANN401 (a stage's run)
    """Writes the steps of the earlier output into the model."""
    return lambda model, params, context: {"steps": [*model["steps"], context.earlier(stage)["steps"]]}
