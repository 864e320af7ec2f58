"""A pipeline whose parts do not fit together is refused when it is composed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from paretoopt.candidate import Measurement
from paretoopt.errors import MeasurementError, ObjectiveError, PipelineError, SpaceError, StoreError
from paretoopt.pipeline.stage import Build, Context, Measure
from paretoopt.space import Float, Int, Ordered, Parameter, Params, SearchSpace

if TYPE_CHECKING:
    from tests.pipeline.conftest import Toy


def test_a_pipeline_knows_its_parameters_and_metrics(toy: Toy) -> None:
    """They are what a space and objectives can be made of, known before anything runs."""
    pipeline = toy.pipeline()

    names = ["width", "epochs", "ratio", "linear_bits", "embedding_bits", "serving_workers"]
    assert list(pipeline.parameters) == names
    assert pipeline.metrics == ("quality", "latency_ms")
    assert toy.calls == []


def test_nothing_runs_for_a_space_that_cannot_be_used(toy: Toy) -> None:
    """The mistake is told first, though an earlier stage does not read the parameter."""
    pipeline = toy.pipeline()

    with pytest.raises(SpaceError, match=r"ratio=-0\.5 cannot be used: it is negative"):
        pipeline.check(SearchSpace(ratio=Float(-0.5, 0.5)), ["quality"])
    with pytest.raises(SpaceError, match=r"ratio=-0\.5 cannot be used: it is negative"):
        pipeline.evaluate({"ratio": -0.5})
    with pytest.raises(SpaceError, match="linear_bits=-1 cannot be used"):
        pipeline.deployable({"bits": -1})
    with pytest.raises(SpaceError, match="Did you mean 'width'"):
        pipeline.evaluate({"widht": 4})
    assert toy.calls == []


def test_nothing_runs_for_an_unknown_metric(toy: Toy) -> None:
    """The nearest metric is offered."""
    with pytest.raises(ObjectiveError, match="Did you mean 'quality'"):
        toy.pipeline().check(SearchSpace(width=Ordered(4, 8)), ["qality"])


def test_nothing_is_searched_by_a_metric_for_reports(toy: Toy) -> None:
    """A metric of test data is refused as an objective or constraint, before anything runs, but is measured."""

    def run(model: object, params: Params, context: Context) -> dict[str, Measurement]:
        return {"ndcg": Measurement(0.2), "test_ndcg": Measurement(0.1)}

    measure = Measure("quality", ("ndcg", "test_ndcg"), run, reported_only=frozenset({"test_ndcg"}))
    pipeline = toy.pipeline(measures=[measure])
    space = SearchSpace(width=Int(8, 16))

    pipeline.check(space, ["ndcg"])
    with pytest.raises(ObjectiveError, match=r"'test_ndcg' is for reports only.*Did you mean 'ndcg'"):
        pipeline.check(space, ["ndcg", "test_ndcg"])
    assert pipeline.evaluate({}).measurements["test_ndcg"].value == 0.1


def test_entry_of_a_measured_candidate_is_found(toy: Toy) -> None:
    """Two spellings of one candidate have one entry; asking for it measures nothing."""
    pipeline = toy.pipeline()
    runs = pipeline.evaluate({"bits": 8}).runs

    found = pipeline.measured({"linear_bits": 8, "embedding_bits": 8}, "quality")

    assert found.key == next(run.key for run in runs if run.name == "quality")
    with pytest.raises(MeasurementError, match="was not measured by this pipeline"):
        pipeline.measured({"bits": 4}, "quality")
    assert toy.calls.count("quality") == 1


def test_run_of_a_measure_tells_where_it_was_taken(toy: Toy) -> None:
    """Only what depends on the device has an environment, reused or not."""
    for _ in range(2):
        environments = {run.name: run.environment for run in toy.pipeline().evaluate({}).runs}
        assert environments == {"fit": None, "round": None, "quality": None, "latency_ms": "this computer"}


@pytest.mark.parametrize("part", ["stages", "measures"])
def test_a_pipeline_has_stages_and_measures(toy: Toy, part: str) -> None:
    """Without either there is nothing to search for."""
    with pytest.raises(PipelineError, match="at least one stage and one measure"):
        toy.pipeline(**{part: []})


@pytest.mark.parametrize("data", [[1, 2, 3], None, replace])
def test_data_needs_a_fingerprint(toy: Toy, data: object) -> None:
    """Without one, results of other data would be taken for results of these."""
    with pytest.raises(PipelineError, match=r"has no fingerprint.*Give it a string attribute `fingerprint`"):
        toy.pipeline(data=data)


@pytest.mark.parametrize(
    "requests",
    [{}, {"history": np.zeros((0, 4))}, {"history": np.zeros((3, 4)), "seen": np.zeros((2, 4))}, {"x": np.array(1.0)}],
)
def test_requests_are_of_one_length_and_at_least_one(toy: Toy, requests: dict[str, Any]) -> None:
    """Nothing can be measured without a request, and request i is row i of every array."""
    with pytest.raises(PipelineError, match="arrays of one length along axis 0, with at least one request"):
        toy.pipeline(requests=requests)


def test_requests_hold_no_objects(toy: Toy) -> None:
    """Objects are addresses, and an address names no content."""
    with pytest.raises(PipelineError, match=r"requests names hold Python objects.*astype"):
        toy.pipeline(requests={"names": np.array(["a", None], dtype=object)})


def test_stage_names_are_unique(toy: Toy) -> None:
    """A report could not tell them apart."""
    with pytest.raises(PipelineError, match=r"stage fit stands twice in the pipeline\. Rename one"):
        toy.pipeline(stages=[toy.stage("fit"), toy.stage("fit", version="2")])


def test_measure_names_are_unique(toy: Toy) -> None:
    """A report could not tell them apart."""
    with pytest.raises(PipelineError, match="measure quality stands twice"):
        toy.pipeline(measures=[toy.measure("quality"), toy.measure("quality", metrics=("other",))])


def test_metric_names_are_unique(toy: Toy) -> None:
    """Of two measures with one metric, the second would silently win."""
    with pytest.raises(PipelineError, match="metric quality stands twice"):
        toy.pipeline(measures=[toy.measure("quality"), toy.measure("other", metrics=("quality",))])


def test_settings_are_plain_values(toy: Toy) -> None:
    """What the store cannot name is refused when the pipeline is composed, not at the first candidate."""
    with pytest.raises(PipelineError, match=r"cannot be named in the store: .*Use finite numbers, text"):
        toy.pipeline(stages=[toy.stage("fit", settings={"optimizer": object()})])


def test_a_store_that_cannot_be_written_is_refused(toy: Toy, tmp_path: Path) -> None:
    """Before anything is trained."""
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(StoreError, match="Pass store= a folder that can be"):
        toy.pipeline(store=tmp_path / "file" / "store")


def test_the_fingerprint_names_all_that_results_depend_on(toy: Toy) -> None:
    """A study is resumed by an equal pipeline and by no other, defaults of unsearched parameters included."""
    original = toy.pipeline()
    others = [
        toy.pipeline(seed=1),
        toy.pipeline(data=replace(original.data, fingerprint="other")),
        toy.pipeline(build=Build(lambda params, data: {}, (Parameter("width", 8),), "2")),
        toy.pipeline(stages=[toy.stage("fit", Parameter("epochs", 3))]),
        toy.pipeline(stages=[toy.stage("fit", Parameter("epochs", 4))]),
        toy.pipeline(measures=[toy.measure("quality")]),
        toy.pipeline(measures=[toy.measure("quality", version="2")]),
        toy.pipeline(requests={"history": np.zeros((3, 2))}),
    ]

    assert toy.pipeline().fingerprint == original.fingerprint
    assert len({pipeline.fingerprint for pipeline in (original, *others)}) == 1 + len(others)


def test_output_of_any_stage_can_be_had(toy: Toy) -> None:
    """What comes after the stage does not run; an inactive stage passes on what it got."""
    idle = toy.stage("idle", is_active=lambda params: False)
    pipeline = toy.pipeline(stages=[toy.stage("first"), idle, toy.stage("last")])

    assert toy.ran(lambda: pipeline.output_of("idle", {})) == ["first"]
    assert [step[0] for step in pipeline.output_of("idle", {})["steps"]] == ["build", "first"]


def test_output_of_an_unknown_stage_is_refused(toy: Toy) -> None:
    """The message lists the stages that there are."""
    with pytest.raises(PipelineError, match=r"no stage 'prune'. Its stages are first\."):
        toy.pipeline(stages=[toy.stage("first")]).output_of("prune", {})
