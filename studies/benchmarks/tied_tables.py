"""What does a table cost that is looked up and scored, at every width?

A request looks up 20 rows of an item table, averages them, scores every row of the same table by that, and takes the
ten best. On disk the table is stored once at every width. In memory it depends on how the scores are computed:

- *as exported* (32 bits): `MatMul`, for which ONNX Runtime keeps the table a second time, transposed and re-ordered;
- *packed*: `MatMulNBits`, for which it keeps the packed table a second time, in an order of its own (2 bits unpacked);
- *chunks*: some rows at a time are decoded, multiplied and forgotten; the table is held once.

`scoring="auto"`, the default, is packed at 8 and 4 bits, and chunks at 16 and, for tables of more than one chunk,
at 2. Memory is the private memory that one worker adds to an idle runtime.

    python studies/benchmarks/tied_tables.py
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from paretoopt.artifact.artifact import save_graph
from paretoopt.compression.quantize import EMBEDDING_BITS, QuantizationRules, quantize_graph
from paretoopt.compression.tied_scores import Scoring
from paretoopt.measurement.environment import Environment, pooled_record
from paretoopt.measurement.percentiles import latency_percentile
from paretoopt.measurement.serving import measure_serving
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "tied_tables.md"
_DIM, _LENGTH, _N_REQUESTS = 64, 20, 200
_HEADER = ("items", "bits", "scores", "artifact (MiB)", "memory (MiB)", "peak (MiB)", "latency p50 (ms)")


def tied_graph(n_items: int) -> onnx.ModelProto:
    """The graph in fp32, with a table of normal values."""
    weights = {
        "table": np.random.default_rng(0).standard_normal((n_items, _DIM), dtype=np.float32),
        "second_axis": np.array([1]),
        "k": np.array([10]),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "history"], ["rows"]),
            helper.make_node("ReduceMean", ["rows", "second_axis"], ["user"], keepdims=0),
            helper.make_node("Transpose", ["table"], ["columns"], perm=[1, 0]),
            helper.make_node("MatMul", ["user", "columns"], ["all_scores"]),
            helper.make_node("TopK", ["all_scores", "k"], ["scores", "items"], axis=1),
        ],
        "tied",
        [helper.make_tensor_value_info("history", TensorProto.INT64, ["n", _LENGTH])],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 10]),
            helper.make_tensor_value_info("items", TensorProto.INT64, ["n", 10]),
        ],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def ways() -> Iterator[tuple[int, str, Scoring]]:
    """Every width with every way to score, by its name on the page."""
    for bits in EMBEDDING_BITS:
        if bits == 32:
            yield bits, "as exported", "auto"
        else:
            yield from ((bits, way, way) for way in ("packed", "chunks") if (bits, way) != (16, "packed"))


def rows(n_items: int, *, repeats: int, folder: Path, environments: list[Environment]) -> list[str]:
    """One line of the table for each way, measured ``repeats`` times by turns; medians. Appends to ``environments``."""
    graph, requests = tied_graph(n_items), _requests(n_items)
    paths = {}
    for bits, way, scoring in ways():
        paths[bits, way] = folder / f"{n_items}-{bits}-{way}"
        paths[bits, way].mkdir()
        rules = QuantizationRules(scoring=scoring)
        save_graph(quantize_graph(graph, linear_bits=32, embedding_bits=bits, rules=rules), paths[bits, way])
    measured: dict[tuple[int, str], list[tuple[float, ...]]] = {key: [] for key in paths}
    for number in range(repeats):
        for key, path in paths.items():
            one = measure_serving(path / "model.onnx", requests, n_requests=_N_REQUESTS, seed=number)
            p50 = latency_percentile(one.latencies_ms, 50).value
            environments.append(one.environment)
            measured[key].append((one.artifact_mib, one.memory_mib, one.memory_peak_mib, p50))
    return [_line(n_items, *key, np.median(values, axis=0)) for key, values in measured.items()]


def _requests(n_items: int) -> dict[str, np.ndarray]:
    return {"history": np.random.default_rng(1).integers(0, n_items, (_N_REQUESTS, _LENGTH))}


def _line(n_items: int, bits: int, way: str, values: np.ndarray) -> str:
    artifact, memory, peak, p50 = values
    return f"| {n_items:,} | {bits} | {way} | {artifact:.2f} | {memory:.1f} | {peak:.1f} | {p50:.3f} |"


def _page(rows: Sequence[str], environments: Sequence[Environment], command: str) -> str:
    lines = [f"| {' | '.join(_HEADER)} |", "|---:|---:|---|---:|---:|---:|---:|", *rows]
    title = "Tables that are looked up and scored"
    return results_page(title, command, __doc__, lines, pooled_record(environments))


def main() -> None:
    """Print the table and write it to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="+", default=[1_700, 12_000, 200_000], help="rows of each table")
    parser.add_argument("--repeats", type=int, default=3, help="of each artifact")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    arguments = parser.parse_args()
    lines: list[str] = []
    environments: list[Environment] = []
    with tempfile.TemporaryDirectory() as folder:
        for n_items in arguments.items:
            lines += rows(n_items, repeats=arguments.repeats, folder=Path(folder), environments=environments)
    items = " ".join(map(str, arguments.items))
    command = f"python studies/benchmarks/tied_tables.py --items {items} --repeats {arguments.repeats}"
    page = _page(lines, environments, command)
    publish(page, arguments.output)


if __name__ == "__main__":
    main()
