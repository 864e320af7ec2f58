"""What paretoopt itself adds to a candidate: the first time, and when the store has it already.

The pipeline does next to nothing, so that what is timed is keys, checksums, locks and syncs.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from paretoopt.candidate import Measurement
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Context, Measure, Stage, reads
from paretoopt.space import Int, Parameter, Params, SearchSpace, Value

_N_CANDIDATES = 100
_ARTIFACT_MIB = 1
_SIZE = Parameter("size", default=1)


@reads(_SIZE)
def build(params: Params, data: Any) -> bytes:  # noqa: ANN401 (whatever the pipeline's data is)
    """An artifact of 1 MiB."""
    return int(params["size"]).to_bytes(8, "little") * (_ARTIFACT_MIB * 2**20 // 8)


def pipeline(store: Path) -> Pipeline:
    """One stage that passes the artifact on, and one measure that looks at its length."""
    return Pipeline(
        data=SimpleNamespace(fingerprint="benchmark"),
        build=build,
        stages=[Stage("keep", run=_keep, save=_save, load=_load)],
        measures=[Measure("length", metrics=("length",), run=_length)],
        requests={"request": np.arange(10)},
        store=store,
    )


def milliseconds(pipeline: Pipeline, candidates: Sequence[Params]) -> list[float]:
    """How long each candidate takes."""
    times = []
    for params in candidates:
        started = time.perf_counter()
        pipeline.evaluate(params)
        times.append(1000 * (time.perf_counter() - started))
    return times


def main() -> None:
    """Print the median time of a candidate, new and reused."""
    candidates: list[dict[str, Value]] = list(SearchSpace(size=Int(1, _N_CANDIDATES)).grid())
    with tempfile.TemporaryDirectory() as folder:
        for state in ("new", "reused"):
            times = milliseconds(pipeline(Path(folder)), candidates)
            print(f"a {state} candidate with {_ARTIFACT_MIB} MiB: median {statistics.median(times):.2f} ms")


def _keep(model: bytes, params: Params, context: Context) -> bytes:
    return model


def _save(model: bytes, folder: Path) -> None:
    (folder / "model").write_bytes(model)


def _load(folder: Path, context: Context) -> bytes:
    return (folder / "model").read_bytes()


def _length(model: bytes, params: Params, context: Context) -> dict[str, Measurement]:
    return {"length": Measurement(len(model))}


if __name__ == "__main__":
    main()
