"""An artifact's answers, computed in a process of its own, are those of ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from paretoopt.errors import MeasurementError
from paretoopt.measurement.inference import run_requests
from paretoopt.measurement.program import Limits

MakeRecommender = Callable[..., Path]
Histories = dict[str, np.ndarray]


@pytest.mark.parametrize("batch_size", [1, 128, 500, 501])
def test_outputs_are_those_of_all_requests_in_order(
    make_recommender: MakeRecommender, histories: Histories, batch_size: int
) -> None:
    """Batches of any size, a smaller last one included, give the rows that one run gives."""
    model = make_recommender()
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    expected = dict(zip(("scores", "items"), session.run(None, histories), strict=True))

    outputs = run_requests(model, histories, batch_size=batch_size)

    assert outputs.keys() == expected.keys()
    np.testing.assert_array_equal(outputs["items"], expected["items"])
    assert outputs["scores"].astype(float) == pytest.approx(expected["scores"].astype(float), rel=1e-5)


def test_artifact_that_never_answers_is_given_up(endless_model: Path) -> None:
    """The limit holds for inference too."""
    with pytest.raises(MeasurementError, match="did not reach its end within the limit of 2 s"):
        run_requests(endless_model, {"x": np.ones((3, 1), np.float32)}, limits=Limits(seconds=2))


def test_output_without_a_row_per_request_is_refused(make_recommender: MakeRecommender, tmp_path: Path) -> None:
    """An output that sums over the batch cannot be told apart by request."""
    onnx = pytest.importorskip("onnx")
    make, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = make.make_graph(
        [make.make_node("ReduceSum", ["x"], ["y"], keepdims=1)],
        "sum",
        [make.make_tensor_value_info("x", kind, ["n", 2])],
        [make.make_tensor_value_info("y", kind, None)],
    )
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9), tmp_path / "sum.onnx")

    with pytest.raises(MeasurementError, match=r"output 'y' has shape \(1, 1\) for 3 requests"):
        run_requests(tmp_path / "sum.onnx", {"x": np.ones((3, 2), np.float32)})


def test_batch_size_must_be_positive(make_recommender: MakeRecommender, histories: Histories) -> None:
    """A batch of nothing is refused."""
    with pytest.raises(MeasurementError, match="batch_size must be at least 1, but got 0"):
        run_requests(make_recommender(), histories, batch_size=0)
