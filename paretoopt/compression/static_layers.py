"""Linear layers of an ONNX graph in 8 bits, their activations too, with ranges calibrated on real requests."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    create_calibrator,
    quantize_static,
    save_tensors_data,
)

from paretoopt.compression.linear_layers import checked_layers, without_advice
from paretoopt.pipeline.stage import Requests, request_count

Calibration = Literal["minmax", "entropy", "percentile"]
CALIBRATIONS: tuple[Calibration, ...] = ("minmax", "entropy", "percentile")

_METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
}
# ``quantize_static`` itself calibrates by entropy with 128 bins for 128 levels, which leaves a single range to choose
# from, that of minmax. With 512 there are 193. (The method's source, Migacz, "8-bit inference with TensorRT", 2017,
# has 2,048; that takes seconds for each layer.)
_BINS = {"entropy": 512, "percentile": 2_048}


def quantize_statically(model: onnx.ModelProto, requests: Requests, *, calibration: Calibration) -> onnx.ModelProto:
    """A copy of ``model`` whose linear layers compute in 8 bits with ranges fixed beforehand.

    Weights have one scale per output channel; inputs and outputs one each, from what the layers see of ``requests``.

    Args:
        model: In the form of :func:`~paretoopt.compression.linear_form.as_matrix_products`.
        requests: Real requests.
        calibration: How values become a range: all of them (``"minmax"``), the range of least Kullback-Leibler
            divergence (``"entropy"``), or 99.999 % of them (``"percentile"``).

    Raises:
        CandidateError: There is no linear layer, or its weights hold NaN or infinity.
    """
    layers = checked_layers(model, bits=8)
    method = _METHODS[calibration]
    with tempfile.TemporaryDirectory() as folder, without_advice(), contextlib.redirect_stdout(io.StringIO()):
        given, ranges, path = (Path(folder) / name for name in ("given.onnx", "ranges.json", "model.onnx"))
        onnx.save(model, given)
        bins = {"num_bins": _BINS[calibration]} if calibration in _BINS else {}
        calibrator = create_calibrator(given, ["MatMul"], Path(folder) / "probes.onnx", method, extra_options=bins)
        calibrator.collect_data(_Reader(requests))
        save_tensors_data(calibrator.compute_data(), ranges)
        quantize_static(
            given,
            path,
            calibration_cache_path=ranges,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["MatMul"],
            nodes_to_quantize=[layer.node for layer in layers],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=method,
        )
        return onnx.load(path)


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Hands out the requests one by one, as they are served."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._left = iter(range(request_count(requests)))

    def get_next(self) -> Mapping[str, NDArray[Any]] | None:
        """The next request; None after the last."""
        index = next(self._left, None)
        return None if index is None else {name: np.asarray(a[index : index + 1]) for name, a in self._requests.items()}
