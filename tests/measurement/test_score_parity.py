"""Scores rank the same candidates, or rows, first as before, or the candidate fails with the figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from paretoopt.artifact.artifact import load_artifact, save_graph
from paretoopt.data.slate_metrics import slate_quality
from paretoopt.data.slates import Slates
from paretoopt.errors import CandidateError, PipelineError
from paretoopt.measurement.click_quality import auc
from paretoopt.measurement.parity_rules import ParityRules
from paretoopt.measurement.ranked_parity import ranked_parity
from paretoopt.measurement.score_parity import LabelledRows, compare_rows, compare_slates, listed_shares
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Context, Requests, Stage
from paretoopt.space import Params

RANDOM = np.random.default_rng(0)
SLATES = Slates(candidates=np.tile(np.arange(20), (60, 1)), positions=RANDOM.integers(0, 20, 60))
FULL = RANDOM.random((60, 20)) + 0.5 * (np.arange(20) == SLATES.positions[:, None])
LABELS = RANDOM.integers(0, 2, 1_000)
ROWS = LabelledRows({"row": np.arange(1_000)}, LABELS)
ROW_SCORES = RANDOM.random(1_000) + 0.7 * LABELS
ANY = ParityRules(k=5, least_overlap=0.0, largest_loss=1.0)


def test_the_overlap_is_that_of_the_best_by_score() -> None:
    """Counted slate by slate with sorted lists."""
    now = FULL + 0.2 * RANDOM.random(FULL.shape)

    found = compare_slates(FULL, now, SLATES, ANY)["overlap_at_5"]

    lists = [[set(np.argsort(-row)[:5]) for row in scores] for scores in (FULL, now)]
    shares = [len(one & other) / 5 for one, other in zip(*lists, strict=True)]
    assert found.value == pytest.approx(np.mean(shares))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


def test_the_change_of_ndcg_is_the_difference_of_two_ndcgs() -> None:
    """Those that quality reports, for the same slates."""
    now = FULL + 0.2 * RANDOM.random(FULL.shape)

    change = compare_slates(FULL, now, SLATES, ANY)["ndcg_change_at_5"]

    assert change.value == pytest.approx(slate_quality(now, SLATES, 5).ndcg - slate_quality(FULL, SLATES, 5).ndcg)


def test_equal_scores_are_listed_by_chance() -> None:
    """All alike, they share with any ranking k of the candidates, and everything with themselves."""
    alike = np.zeros_like(FULL)

    assert compare_slates(FULL, alike, SLATES, ANY)["overlap_at_5"].value == pytest.approx(5 / 20)
    assert compare_slates(alike, alike, SLATES, ANY)["overlap_at_5"].value == pytest.approx(1)


def test_what_is_no_candidate_is_never_listed() -> None:
    """However high its score; a slate with fewer than k candidates lists them all."""
    is_real = np.array([[True, True, True, False], [True, True, False, False]])

    shares = listed_shares(np.array([[0.3, 0.2, 0.1, 0.9], [0.1, 0.2, 0.9, 0.9]]), is_real, 2)

    assert shares.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0]]


@pytest.mark.parametrize(("k", "least"), [(5, r"\(0\.250\) leaves, so 0\.438"), (10, r"\(0\.500\) leaves, so 0\.625")])
def test_what_chance_gives_is_no_overlap(k: int, least: str) -> None:
    """Half of any two lists of 10 of 20 are in common, so that a quarter would let any ranking pass."""
    other = RANDOM.random(FULL.shape)

    with pytest.raises(CandidateError, match=rf"top {k} share 0\.[2-5].* on 60 requests, .* of what chance {least}"):
        compare_slates(FULL, other, SLATES, ParityRules(k=k))


def test_a_certain_loss_of_ndcg_fails_the_candidate() -> None:
    """The wanted candidate falls to the end, all others keep their order."""
    now = FULL - 9 * (np.arange(20) == SLATES.positions[:, None])

    with pytest.raises(CandidateError, match=r"changes NDCG@5 of 0\.\d+ by -0\.\d+ .* is 0\.5 of it beyond the 0\.147"):
        compare_slates(FULL, now, SLATES, ParityRules(k=5))


def test_the_change_of_the_auc_is_the_difference_of_two_aucs() -> None:
    """Over all rows, with an interval over what belongs together."""
    now = ROW_SCORES + 0.5 * RANDOM.random(1_000)
    rows = LabelledRows(ROWS.requests, LABELS, clusters=np.arange(1_000) // 5)

    alone, together = (compare_rows(ROW_SCORES, now, each, ANY)["auc_change"] for each in (ROWS, rows))

    assert alone.value == together.value == pytest.approx(auc(LABELS, now) - auc(LABELS, ROW_SCORES))
    assert (alone.low, alone.high) != (together.low, together.high)


def test_rows_are_ranked_by_the_hundred() -> None:
    """In an order that the seed gives; fewer than a hundred are one slate, and of ten any top ten is the same."""
    other = RANDOM.random(1_000)

    few = compare_rows(ROW_SCORES[:10], other[:10], LabelledRows({}, LABELS[:10]), ParityRules(largest_loss=1.0))
    many = compare_rows(ROW_SCORES, other, ROWS, ParityRules(10, 0.0, 1.0))

    assert few["overlap_at_10"].value == 1
    assert many["overlap_at_10"].value == pytest.approx(0.1, abs=0.06)
    assert many != compare_rows(ROW_SCORES, other, ROWS, ParityRules(10, 0.0, 1.0), seed=1)


def test_a_certain_loss_of_auc_fails_the_candidate() -> None:
    """The best of each hundred stay, but beyond them clicks and others have the same scores."""
    now = np.where(np.argsort(np.argsort(ROW_SCORES)) > 850, ROW_SCORES, RANDOM.random(1_000))

    with pytest.raises(CandidateError, match=r"changes the AUC of 0\.9\d+ by -0\.\d+ .* 0\.5 of it beyond the 0\.5000"):
        compare_rows(ROW_SCORES, now, ROWS, ParityRules())
    assert compare_rows(ROW_SCORES, now, ROWS, ParityRules(largest_loss=0.9))["auc_change"].value < -0.2


def test_a_model_no_better_than_chance_has_nothing_to_lose() -> None:
    """Its AUC of 0.4 may fall; only the order of its rows must stay."""
    worse = np.where(LABELS == 1, ROW_SCORES - 1.2, ROW_SCORES)
    order = np.where(LABELS == 1, worse - 0.05, worse)

    change = compare_rows(worse, order, ROWS, ParityRules())["auc_change"]

    assert auc(LABELS, worse) < 0.5
    assert change.high is not None
    assert change.high < 0


def evaluated(folder: Path, now: NDArray[np.float64] | None, **settings: Any) -> Any:  # noqa: ANN401 (measurements)
    """What parity is measured between the full scores and ``now``, or no other artifact at all."""
    stages = [_stage("export", FULL), *([] if now is None else [_stage("quantize", now)])]
    arguments: dict[str, Any] = {"data": _Slates(), "build": _build, "requests": {"user": np.arange(3)}}
    measures = [ranked_parity(k=5, **{"output": "scores", **settings})]
    return Pipeline(**arguments, stages=stages, measures=measures, store=folder).evaluate({}).measurements


class _Slates:
    fingerprint = "slates"


def _build(params: Params, data: object) -> None:
    """The stages bring their own model."""


def _stage(name: str, scores: NDArray[np.float64]) -> Stage:
    """A stage whose artifact scores each user's slate."""

    def run(model: object, params: Params, context: Context) -> onnx.ModelProto:
        ports = [
            helper.make_tensor_value_info("user", TensorProto.INT64, ["batch"]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", *scores.shape[1:]]),
        ]
        node = helper.make_node("Gather", ["table", "user"], ["scores"])
        table = numpy_helper.from_array(scores.astype(np.float32), "table")
        graph = helper.make_graph([node], "g", ports[:1], ports[1:], [table])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)

    return Stage(name, run, save_graph, load_artifact)


def asked_slates(context: Context) -> tuple[Requests, Slates]:
    """A slate of each user, other requests than the pipeline's."""
    return {"user": np.arange(60)}, SLATES


def asked_rows(context: Context) -> LabelledRows:
    """A row of each user."""
    return LabelledRows({"user": np.arange(60)}, LABELS[:60])


def test_slates_of_ones_own_are_asked(tmp_path: Path) -> None:
    """A pipeline says what is asked and what is wanted; both artifacts answer that."""
    now = FULL + 0.2 * RANDOM.random(FULL.shape)

    measured = evaluated(tmp_path, now, slates=asked_slates)

    single = [scores.astype(np.float32).astype(np.float64) for scores in (FULL, now)]
    assert measured == compare_slates(single[0], single[1], SLATES, ParityRules(k=5))


def test_rows_of_ones_own_are_asked(tmp_path: Path) -> None:
    """The graph answers here with the pipeline's full scores before, and with other scores of the same order after."""
    stages = [_stage("export", ROW_SCORES[:60]), _stage("quantize", 2 * ROW_SCORES[:60])]
    arguments: dict[str, Any] = {"data": _Slates(), "build": _build, "requests": {"user": np.arange(3)}}
    measures = [ranked_parity(k=5, output="scores", rows=asked_rows)]

    measured = Pipeline(**arguments, stages=stages, measures=measures, store=tmp_path).evaluate({}).measurements

    assert (measured["overlap_at_5"].value, measured["auc_change"].value) == (1, 0)


@pytest.mark.parametrize(
    ("way", "change"), [("slates", "ndcg_change_at_5"), ("rows", "auc_change")], ids=["slates", "rows"]
)
def test_a_candidate_that_is_not_quantised_is_asked_nothing(tmp_path: Path, way: str, change: str) -> None:
    """It has parity with itself."""

    def refuse(context: Context) -> Any:  # noqa: ANN401 (it gives nothing)
        raise AssertionError

    measured = evaluated(tmp_path, None, **{way: refuse})

    assert (measured["overlap_at_5"].value, measured[change].value) == (1, 0)


@pytest.mark.parametrize(
    ("now", "settings", "message"),
    [
        (
            FULL[:, :19],
            {"slates": asked_slates},
            r"'scores' has the shape \(60, 19\), but what is ranked has \(60, 20\)",
        ),
        (FULL, {"rows": asked_rows}, r"'scores' has the shape \(60, 20\), but what is ranked has \(60,\)"),
        (FULL * np.nan, {"slates": asked_slates}, "scores that are NaN or infinite: its weights are broken"),
        (FULL, {"slates": asked_slates, "output": "items"}, "no output 'items'. It has scores: state output="),
    ],
    ids=["another shape", "rows", "NaN", "another output"],
)
def test_what_cannot_be_ranked_is_told(
    tmp_path: Path, now: NDArray[np.float64], settings: dict[str, Any], message: str
) -> None:
    """With what was expected."""
    with pytest.raises(CandidateError, match=message):
        evaluated(tmp_path, now, **settings)


@pytest.mark.parametrize("ways", [("targets", "slates"), ("slates", "rows")], ids=str)
def test_an_output_is_told_of_in_one_way(ways: Sequence[str]) -> None:
    """Lists, scores of candidates and scores of rows exclude each other."""
    settings: dict[str, Any] = dict.fromkeys(ways, asked_slates)

    with pytest.raises(PipelineError, match=f"{' and '.join(ways)} say different things"):
        ranked_parity(**settings)
