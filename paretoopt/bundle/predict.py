"""Answer requests with a bundle; numpy and onnxruntime are all that it takes.

    python predict.py [FOLDER]   # compares checksums, repeats the sample requests, and times them

Every bundle carries this file. From Python, in the bundle's folder:

    import predict
    model = predict.open_model(".")
    requests = predict.read_arrays("requests.npz")
    answers = predict.answer(model, {name: values[:1] for name, values in requests.items()})
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
import time
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
"""Inputs or outputs by name; request i is ``{name: array[i : i + 1]}``."""

RELATIVE_TOLERANCE = 0.01
"""How far a number may be from the one expected, as a share of the greatest number of its output."""
EQUAL_SHARE = 0.9
"""The share of whole numbers, such as item ids, that must be equal: near ties may change places."""

_MOST_BYTES = 1 << 30
_ERRORS_ONLY = 3


def open_model(folder: str | os.PathLike[str], *, threads: int = 1) -> onnxruntime.InferenceSession:
    """The bundle's model, ready to answer on the CPU with ``threads`` threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    path = Path(folder) / "model.onnx"
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def answer(model: onnxruntime.InferenceSession, requests: Arrays) -> dict[str, NDArray[Any]]:
    """The model's outputs for ``requests``, by name; one row per request."""
    names = [output.name for output in model.get_outputs()]
    return dict(zip(names, model.run(names, dict(requests)), strict=True))


def read_arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """The arrays of an ``.npz`` file, none of which may hold Python objects or claim more than the file has.

    Raises:
        ValueError: The file holds something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise ValueError(f"it claims more than {_MOST_BYTES} bytes")
            return {entry.filename.removesuffix(".npy"): _read_array(archive, entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, zlib.error) as error:
        raise ValueError(f"it is no sound .npz file: {error}") from error


def differences(expected: Arrays, got: Arrays) -> list[str]:
    """What is wrong with the outputs ``got``, one sentence each; empty where they are within the tolerance.

    >>> differences({"items": np.array([[1, 2]])}, {"items": np.array([[1, 3]])})
    ['items: 50 % of the values are as expected, less than 90 %']
    """
    found = [f"{name}: no such output" for name in expected if name not in got]
    for name in expected.keys() & got.keys():
        found += _differences(name, expected[name], got[name])
    return sorted(found)


def repeat_sample(model: onnxruntime.InferenceSession, folder: str | os.PathLike[str]) -> tuple[list[str], list[float]]:
    """Repeat the sample requests, one by one: what differs from the answers beside them, and each one's milliseconds.

    Raises:
        ValueError: The sample cannot be read.
    """
    requests, expected = (read_arrays(Path(folder) / name) for name in ("requests.npz", "answers.npz"))
    rows, milliseconds = [], []
    for place in range(min(map(len, requests.values()), default=0)):
        began = time.perf_counter()
        rows.append(answer(model, {name: values[place : place + 1] for name, values in requests.items()}))
        milliseconds.append(1000 * (time.perf_counter() - began))
    if not rows:
        raise ValueError("there are no sample requests")
    got = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    return differences(expected, got), milliseconds


def changed_files(folder: str | os.PathLike[str]) -> list[str]:
    """The files whose SHA-256 is not what the manifest says; ``paretoopt verify`` looks closer."""
    checksums = json.loads((Path(folder) / "manifest.json").read_text(encoding="utf-8"))["checksums"]
    return [name for name, checksum in checksums.items() if _sha256(Path(folder) / Path(name).name) != checksum]


def main(folder: str | os.PathLike[str] = ".") -> int:
    """Check the bundle in ``folder``; gives the exit status."""
    if changed := changed_files(folder):
        sys.stdout.write(f"changed or missing: {', '.join(changed)}\n")
        return 1
    wrong, milliseconds = repeat_sample(open_model(folder), folder)
    if wrong:
        sys.stdout.write("".join(f"{line}\n" for line in wrong))
        return 1
    middle = sorted(milliseconds)[len(milliseconds) // 2]
    sys.stdout.write(f"{len(milliseconds)} sample requests answered as expected; the median took {middle:.3f} ms\n")
    return 0


def _differences(name: str, expected: NDArray[Any], got: NDArray[Any]) -> list[str]:
    if expected.shape != got.shape or expected.dtype.kind != got.dtype.kind:
        return [f"{name}: {got.dtype} of shape {got.shape}, not {expected.dtype} of shape {expected.shape}"]
    if expected.dtype.kind != "f":
        share = float((expected == got).mean()) if expected.size else 1.0
        if share < EQUAL_SHARE:
            return [f"{name}: {100 * share:.0f} % of the values are as expected, less than {100 * EQUAL_SHARE:.0f} %"]
        return []
    finite = np.isfinite(expected)
    if not np.array_equal(expected[~finite], got[~finite], equal_nan=True) or not np.isfinite(got[finite]).all():
        return [f"{name}: numbers that are infinite or no numbers are at other places"]
    scale = float(np.abs(expected[finite]).max(initial=0.0))
    off = float(np.abs(got[finite] - expected[finite]).max(initial=0.0))
    if off > RELATIVE_TOLERANCE * scale:
        return [f"{name}: a number is off by {off:.3g}, more than {RELATIVE_TOLERANCE:g} of the greatest, {scale:.3g}"]
    return []


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(entry) as file:
        _refuse_claim(file, entry)
    with archive.open(entry) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _refuse_claim(file: IO[bytes], entry: zipfile.ZipInfo) -> None:
    """Refuse a header that would have more memory taken than there are bytes."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"{entry.filename} has format {version}")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject or min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > entry.file_size:
        raise ValueError(f"{entry.filename} claims an array of shape {shape} of {dtype}, which it does not hold")


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if sys.argv[1:] else Path(__file__).parent))
