"""Quality of what an artifact answers to examples of one's own."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from paretoopt.artifact.artifact import load_artifact, save_graph
from paretoopt.data.examples import split_examples
from paretoopt.errors import CandidateError, PipelineError
from paretoopt.measurement.click_quality import auc
from paretoopt.measurement.output_quality import output_quality
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Context, Measure, Stage
from paretoopt.space import Params

VALUES = np.random.default_rng(0).normal(size=400).astype(np.float32)
DATA = split_examples({"value": VALUES}, (VALUES > 0).astype(np.float32), validation_share=0.5)


def gap(targets: NDArray[Any], answers: NDArray[Any]) -> float:
    """A score of one's own."""
    return float(np.abs(targets - answers).mean())


def evaluated(folder: Path, measure: Measure) -> Any:  # noqa: ANN401 (measurements by name)
    """What ``measure`` gives of a model that answers with its input."""
    stage = Stage("export", _identity, save_graph, load_artifact)
    arguments: dict[str, Any] = {"data": DATA, "stages": [stage], "requests": DATA.requests(), "store": folder}
    return Pipeline(build=_build, measures=[measure], **arguments).evaluate({}).measurements


def _build(params: Params, data: object) -> None:
    """The stage brings its own model."""


def _identity(model: object, params: Params, context: Context) -> onnx.ModelProto:
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch"]) for name in ("value", "answer")]
    graph = helper.make_graph([helper.make_node("Identity", ["value"], ["answer"])], "g", ports[:1], ports[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def test_scores_are_those_of_the_validation_examples(tmp_path: Path) -> None:
    """By the artifact's own answers, each with an interval that holds it."""
    measured = evaluated(tmp_path, output_quality({"auc": auc, "gap": gap}, output="answer"))

    expected = gap(DATA.validation.targets, DATA.validation.inputs["value"])
    assert measured["auc"].value == 1
    assert measured["gap"].value == pytest.approx(expected)
    assert measured["gap"].low < expected < measured["gap"].high
    assert measured["gap"].high - measured["gap"].low < 0.3 * expected


def test_an_output_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With those that are."""
    with pytest.raises(
        CandidateError, match=r"quality: the artifact has no output 'logit'\. It has answer: state output="
    ):
        evaluated(tmp_path, output_quality({"gap": gap}, output="logit"))


def test_another_score_is_measured_anew() -> None:
    """Its source is part of the key."""
    assert output_quality({"a": gap}, output="o").identity() != output_quality({"a": auc}, output="o").identity()


def test_scores_that_the_store_could_not_name_are_refused() -> None:
    """And so is a measure of nothing."""
    with pytest.raises(PipelineError, match="the score of 'gap' is no plain function"):
        output_quality({"gap": functools.partial(gap)}, output="answer")
    with pytest.raises(PipelineError, match="output_quality needs a score"):
        output_quality({}, output="answer")
