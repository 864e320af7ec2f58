"""A quantised artifact recommends what the model recommends, or the candidate fails with the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from paretoopt.artifact.artifact import Artifact, load_artifact, save_graph
from paretoopt.candidate import Measurement
from paretoopt.errors import CandidateError, PipelineError
from paretoopt.measurement.list_parity import compare_lists, overlaps
from paretoopt.measurement.parity_rules import ParityRules
from paretoopt.measurement.ranked_parity import ranked_parity
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Context, Measure, Stage
from paretoopt.space import Parameter, Params

BEST_FIRST = [[1, 2, 3, 4], [5, 6, 7, 8]] * 20
FULL = np.array(BEST_FIRST)
REQUESTS = {"user": np.arange(40)}


class Users:
    """Data whose users want their first item."""

    fingerprint = "users"


def answering(lists: Sequence[Sequence[int]]) -> onnx.ModelProto:
    """A graph that gives each user a list."""
    table = numpy_helper.from_array(np.array(lists), "lists")
    ports = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", *shape])
        for name, shape in (("user", []), ("items", [len(lists[0])]))
    ]
    graph = helper.make_graph([helper.make_node("Gather", ["lists", "user"], ["items"])], "g", ports[:1], ports[1:])
    graph.initializer.append(table)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def stage(name: str, lists: Sequence[Sequence[int]], **changes: Any) -> Stage:  # noqa: ANN401 (any field of Stage)
    """A stage whose artifact gives ``lists``."""

    def run(model: object, params: Params, context: Context) -> onnx.ModelProto:
        return answering(lists)

    return replace(Stage(name, run, save_graph, load_artifact), **changes)


def first_items(context: Context) -> NDArray[np.int64]:
    """What each user took next: the first of the exported list."""
    return np.array(BEST_FIRST)[:, 0]


def pipeline(folder: Path, measure: Measure, stages: Sequence[Stage]) -> Pipeline:
    """A pipeline that measures parity alone."""
    return Pipeline(
        data=Users(), build=_build, stages=stages, measures=[measure], requests=REQUESTS, store=folder / "store"
    )


def _build(params: Params, data: Users) -> None:
    """The stages bring their own model."""


def test_an_artifact_is_compared_with_the_one_before_it(tmp_path: Path) -> None:
    """By the lists that both really give, and with the items that the data says are wanted."""
    lists = [[2, 1, 3, 4], [5, 6, 9, 10]] * 20
    measure = ranked_parity(k=4, targets=first_items)

    given = pipeline(tmp_path, measure, [stage("export", BEST_FIRST), stage("quantize", lists)]).evaluate({})

    assert given.measurements["overlap_at_4"].value == 0.75
    assert given.measurements["ndcg_change_at_4"].value == pytest.approx((1 / np.log2(3) - 1) / 2)


def test_the_overlap_is_the_mean_share_of_items_in_common() -> None:
    """Whatever their order: 4 of 4 for every other user, 2 of 4 for the rest."""
    now = np.array([[4, 3, 2, 1], [9, 6, 7, 10]] * 20)

    overlap = compare_lists(FULL, now, ParityRules(k=4))["overlap_at_4"]

    assert overlap.value == 0.75
    assert overlap.low is not None
    assert overlap.high is not None
    assert 0.6 < overlap.low < 0.75 < overlap.high < 0.9


def test_the_change_of_ndcg_is_that_of_the_wanted_items() -> None:
    """From rank 1 to rank 2 for half of the users: half of 1 / log2(3) - 1."""
    now = np.array([[1, 2, 3, 4], [6, 5, 7, 8]] * 20)

    change = compare_lists(FULL, now, ParityRules(k=4), wanted=FULL[:, 0])["ndcg_change_at_4"]

    assert change.value == pytest.approx((1 / np.log2(3) - 1) / 2)


def test_too_little_overlap_fails_the_candidate_with_its_figures() -> None:
    """A quarter is asked for by default, since 2 bits leave more and wrong rows less."""
    now = np.array([[9, 10, 11, 12]] * 39 + [[5, 6, 7, 8]])

    with pytest.raises(CandidateError, match=r"share 0\.025 \(.*\) .* on 40 requests, where least_overlap is 0\.25"):
        compare_lists(FULL, now, ParityRules(k=4))


def test_a_certain_loss_of_ndcg_fails_the_candidate_with_its_figures() -> None:
    """Most of each list is there, but the wanted item is not."""
    now = np.array([[9, 2, 3, 4], [10, 6, 7, 8]] * 20)

    with pytest.raises(CandidateError, match=r"changes NDCG@4 of 1\.0000 by -1\.0000 .*where largest_loss is 0\.5"):
        compare_lists(FULL, now, ParityRules(k=4), wanted=FULL[:, 0])
    assert compare_lists(FULL, now, ParityRules(k=4, largest_loss=1.0), wanted=FULL[:, 0])


def test_a_loss_that_may_be_chance_is_no_failure() -> None:
    """One user of two lost the item: the interval reaches up to no loss."""
    now = FULL[:2].copy()
    now[0] = [2, 3, 4, 9]

    measured = compare_lists(FULL[:2], now, ParityRules(k=4, largest_loss=0.4), wanted=FULL[:2, 0])

    assert measured["ndcg_change_at_4"].value == -0.5


def test_limits_can_be_stated() -> None:
    """A deployment that must not move may ask for nine tenths."""
    now = np.array([[1, 2, 3, 9], [5, 6, 7, 10]] * 20)

    assert compare_lists(FULL, now, ParityRules(k=4))["overlap_at_4"].value == 0.75
    with pytest.raises(CandidateError, match=r"least_overlap is 0\.9"):
        compare_lists(FULL, now, ParityRules(k=4, least_overlap=0.9))


def test_a_candidate_that_is_not_quantised_has_parity_with_itself(tmp_path: Path) -> None:
    """Nothing needs to be run for that."""
    bits = Parameter("bits", 32)
    idle = stage("quantize", BEST_FIRST, reads=(bits,), is_active=lambda params: params["bits"] != 32)
    measure = ranked_parity(k=4, targets=first_items)

    given = pipeline(tmp_path, measure, [stage("export", BEST_FIRST), idle]).evaluate({}).measurements

    assert given == {"overlap_at_4": Measurement(1.0, 1.0, 1.0), "ndcg_change_at_4": Measurement(0.0, 0.0, 0.0)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"output": "scores"}, "the artifact has no output 'scores'. It has items: state output="),
        ({"k": 5}, r"output 'items' has the shape \(40, 4\), so it holds no lists of k=5. Lower k"),
    ],
)
def test_what_the_artifact_does_not_give_is_named(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    """With the remedy."""
    stages = [stage("export", BEST_FIRST), stage("quantize", BEST_FIRST)]

    with pytest.raises(CandidateError, match=message):
        pipeline(tmp_path, ranked_parity(**{"k": 4, **settings}), stages).evaluate({})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k": 0}, "k must be a whole number from 1 on, but is 0"),
        ({"least_overlap": 1.5}, r"least_overlap must be from 0 to 1, but is 1\.5"),
        ({"largest_loss": -1.0}, r"largest_loss must be from 0 to 1, but is -1\.0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    """When the measure is made."""
    with pytest.raises(PipelineError, match=message):
        ranked_parity(**settings)


def test_a_pipeline_without_the_stage_to_compare_with_is_refused(tmp_path: Path) -> None:
    """When it is composed."""
    with pytest.raises(
        PipelineError, match="'ranked_parity' uses the output of stage 'export', but comes after quantize"
    ):
        pipeline(tmp_path, ranked_parity(), [stage("quantize", BEST_FIRST)])


def test_overlap_is_the_same_both_ways() -> None:
    """Neither list is the right one."""
    one, other = np.array([[1, 2, 3]]), np.array([[3, 9, 1]])

    assert overlaps(one, other).tolist() == overlaps(other, one).tolist() == [2 / 3]


def test_artifacts_compare_by_their_place() -> None:
    """Which is how a candidate that is not quantised is recognised."""
    assert Artifact(Path("a")) == Artifact(Path("a")) != Artifact(Path("b"))
