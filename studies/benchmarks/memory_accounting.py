"""Does `memory_mib` follow the size of the artifact?

Six artifacts of 1 to 100 MiB, which look up embeddings and score them, are measured with one worker and with two. A
worker's private memory should grow by the artifact's size and little else: no second copy of the weights, no part of
the runtime, and no part of what other processes map.

    python studies/benchmarks/memory_accounting.py
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from paretoopt.measurement.environment import Environment, pooled_record
from paretoopt.measurement.serving import measure_serving
from paretoopt.measurement.serving_measurement import ServingMeasurement
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "memory_accounting.md"
_SIZES_MIB = (1, 3, 10, 30, 60, 100)
_DIM, _LENGTH, _N_SCORED, _N_REQUESTS = 64, 20, 200, 200
_MIB = 2**20


def make_artifact(size_mib: int, folder: Path) -> tuple[Path, int]:
    """An artifact of about ``size_mib`` MiB, nearly all of it an embedding table; its path and number of items."""
    n_items = size_mib * _MIB // (4 * _DIM) - _N_SCORED
    random = np.random.default_rng(0)
    weights = {
        "table": random.standard_normal((n_items, _DIM), dtype=np.float32),
        "scored": random.standard_normal((_DIM, _N_SCORED), dtype=np.float32),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "history"], ["embedded"]),
            helper.make_node("ReduceMean", ["embedded"], ["user"], axes=[1], keepdims=0),
            helper.make_node("MatMul", ["user", "scored"], ["scores"]),
        ],
        "embeddings",
        [helper.make_tensor_value_info("history", TensorProto.INT64, ["n", _LENGTH])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", _N_SCORED])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    path = folder / f"{size_mib}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path, n_items


def measure(path: Path, n_items: int, *, workers: int, repeats: int) -> list[ServingMeasurement]:
    """Measure the artifact ``repeats`` times."""
    requests = {"history": np.random.default_rng(1).integers(0, n_items, (_N_REQUESTS, _LENGTH))}
    return [
        measure_serving(path, requests, workers=workers, n_requests=_N_REQUESTS, seed=number)
        for number in range(repeats)
    ]


def row(workers: int, measured: Sequence[ServingMeasurement]) -> str:
    """One line of the table."""
    memory = np.array([one.memory_mib for one in measured])
    first = measured[0]
    beyond = np.median(memory) / workers - first.artifact_mib
    cells = [
        f"{workers}",
        f"{first.artifact_mib:.2f}",
        f"{np.median(memory):.2f}",
        f"{memory.min():.2f} to {memory.max():.2f}",
        f"{beyond:+.2f}",
        f"{np.median([one.memory_after_load_mib for one in measured]):.2f}",
        f"{np.median([one.memory_total_mib for one in measured]):.1f}",
        f"{np.median([one.memory_peak_mib for one in measured]):.1f}",
        f"{np.median([one.memory_baseline_mib for one in measured]):.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _page(rows: Sequence[str], environments: Sequence[Environment], arguments: argparse.Namespace) -> str:
    header = (
        "workers", "artifact_mib", "memory_mib (median)", "of all repeats", "beyond the artifact, per worker",
        "after load", "memory_total_mib", "peak", "idle runtime (baseline)",
    )  # fmt: skip
    lines = ["All values are in MiB.", "", f"| {' | '.join(header)} |", f"|{'---:|' * len(header)}", *rows]
    command = f"python studies/benchmarks/memory_accounting.py --repeats {arguments.repeats}"
    title = "Memory against the size of the artifact"
    return results_page(title, command, __doc__, lines, pooled_record(environments))


def main() -> None:
    """Print the table and write it to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="of each artifact and number of workers")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    arguments = parser.parse_args()
    rows, environments = [], []
    with tempfile.TemporaryDirectory() as folder:
        for size_mib in _SIZES_MIB:
            path, n_items = make_artifact(size_mib, Path(folder))
            for workers in (1, 2):
                measured = measure(path, n_items, workers=workers, repeats=arguments.repeats)
                rows.append(row(workers, measured))
                environments += [one.environment for one in measured]
    page = _page(rows, environments, arguments)
    publish(page, arguments.output)


if __name__ == "__main__":
    main()
