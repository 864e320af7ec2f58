"""Which range, block size and calibration lose least, at how many bytes?

Embedding tables are quantised by both ranges (`mse`, `minmax`), with one scale for a row or for each block, and, to see
what it would bring, with zero points (asymmetric, least squared error; not offered). Four tables: normal values;
heavy tails (Student's t, 3 degrees of freedom); rows whose sizes differ as items' popularity does; and the item table
of a trained SASRec, scored by what that model makes of real histories. Errors are root mean squares relative to the
spread of the values, or of the scores; overlap is the share of the ten best items that stay.

The linear layers of the same SASRec are quantised by every kernel, calibrator and block size. Its quality is NDCG@10 on
the validation items of all users, one request at a time. Calibration sees the requests
of 128 users, one item before.

    python studies/benchmarks/quantisation_ranges.py --data FOLDER
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

import paretoopt as po
from paretoopt import recommenders
from paretoopt.artifact.tables import table_names
from paretoopt.compression.blocks import RANGES, Range, dequantize_blocks, quantize_blocks
from paretoopt.compression.graph_parts import weights_of
from paretoopt.compression.quantize import QuantizationRules, quantize_graph
from paretoopt.compression.static_layers import CALIBRATIONS
from paretoopt.compression.stored_tables import in_rows
from paretoopt.data.split import Split, leave_one_out
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.pipeline.stage import Requests
from paretoopt.recommenders.ranking_quality import requests_of
from paretoopt.training.loop import TrainingSettings
from paretoopt.training.ranking import discounted_gains
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "quantisation_ranges.md"
_DIM, _LENGTH, _K = 64, 50, 10
_N_ROWS, _N_QUERIES, _N_CALIBRATED = 4_000, 500, 128
_BITS, _BLOCKS = (8, 4, 2), (64, 32, 16)
_FACTORS = np.linspace(0.6, 1.05, 24)

Table = NDArray[np.float32]
Quantize = Callable[[Table, int, int], tuple[Table, float]]
"""``(table, bits, block_size) -> (rounded table, bytes)``."""


@dataclass(frozen=True)
class Trained:
    """A trained recommender: its graph and data, its item table and the vectors that score it for real requests."""

    graph: onnx.ModelProto
    split: Split
    table: Table
    queries: Table


def train(interactions: po.Interactions, *, epochs: int, folder: Path) -> Trained:
    """Train a SASRec on ``interactions``."""
    split = leave_one_out(interactions)
    settings = TrainingSettings(epochs=epochs)
    pipeline = recommenders.next_item(split, length=_LENGTH, training=settings, store=folder)
    graph = onnx.load(pipeline.deployable({"embedding_dim": _DIM}).model_path)
    (name,) = table_names(graph)
    transposed = {node.output[0] for node in graph.graph.node if node.op_type == "Transpose" and node.input[0] == name}
    query = next(node.input[0] for node in graph.graph.node if node.op_type == "MatMul" and node.input[1] in transposed)
    probe = onnx.ModelProto.FromString(graph.SerializeToString())
    probe.graph.output.append(onnx.helper.make_tensor_value_info(query, onnx.TensorProto.FLOAT, None))
    queries = answers(probe, pipeline.requests, query)[:_N_QUERIES]
    return Trained(graph, split, weights_of(graph, name), queries)


def answers(graph: onnx.ModelProto, requests: Requests, output: str) -> NDArray[np.float32]:
    """One output for all requests, served one by one."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    n_requests = len(next(iter(requests.values())))
    feeds = ({name: array[i : i + 1] for name, array in requests.items()} for i in range(n_requests))
    return np.concatenate([session.run([output], feed)[0] for feed in feeds])


def tables_of(trained: Trained) -> Iterator[tuple[str, Table, Table]]:
    """Name, table and queries of each kind."""
    random = np.random.default_rng(0)
    shape = (_N_ROWS, _DIM)
    queries = random.normal(size=(_N_QUERIES, _DIM)).astype(np.float32)
    for name, values in (
        ("normal", random.normal(size=shape)),
        ("heavy tails", random.standard_t(3, size=shape)),
        ("rows of uneven size", random.normal(size=shape) * random.lognormal(0, 1.5, size=(_N_ROWS, 1))),
    ):
        yield name, values.astype(np.float32), queries
    yield "trained SASRec", trained.table, trained.queries


def by_range(scale_range: Range) -> Quantize:
    """The quantisation that is offered, with one of its ranges."""

    def run(table: Table, bits: int, block_size: int) -> tuple[Table, float]:
        quantized = quantize_blocks(table, bits, block_size=block_size, scale_range=scale_range)
        return dequantize_blocks(quantized), sum(array.nbytes for array in in_rows("table", quantized).arrays.values())

    return run


def with_zero_points(table: Table, bits: int, block_size: int) -> tuple[Table, float]:
    """Asymmetric ranges of least squared error: beside its scale, each block stores the integer that means zero."""
    levels = 2**bits - 1
    blocks = table.reshape(len(table), -1, block_size)
    low, high = np.minimum(blocks.min(-1, keepdims=True), 0), np.maximum(blocks.max(-1, keepdims=True), 0)
    best, least = np.zeros_like(blocks), np.full(low.shape, np.inf)
    for factor in _FACTORS:
        scale = np.maximum((high - low) * factor / levels, np.finfo(np.float32).tiny)
        zero = np.clip(np.rint(-low * factor / scale), 0, levels)
        rounded = (np.clip(np.rint(blocks / scale) + zero, 0, levels) - zero) * scale
        error = np.square(rounded - blocks).sum(-1, keepdims=True)
        best, least = np.where(error < least, rounded, best), np.minimum(error, least)
    stored = len(table) * (table.shape[1] * bits / 8 + (4 + bits / 8) * blocks.shape[1])
    return best.reshape(table.shape), stored


def table_rows(trained: Trained) -> list[str]:
    """The errors of every table at every width, block size and range."""
    lines = [
        "| table | bits | block | range | of fp32's bytes | error of values | error of scores | overlap |",
        "|---|---:|---:|---|---:|---:|---:|---:|",
    ]
    ways: dict[str, Quantize] = {name: by_range(name) for name in RANGES} | {"(zero points)": with_zero_points}
    for name, table, queries in tables_of(trained):
        scores = queries @ table.T
        for bits in _BITS:
            for block_size in _BLOCKS:
                for way, run in ways.items():
                    rounded, stored = run(table, bits, block_size)
                    found = queries @ rounded.T
                    cells = (
                        f"{stored / table.nbytes:.1%}",
                        f"{np.sqrt(np.square(rounded - table).mean()) / table.std():.4f}",
                        f"{np.sqrt(np.square(found - scores).mean()) / scores.std():.4f}",
                        f"{overlap(best_of(found), best_of(scores)):.3f}",
                    )
                    lines.append(f"| {name} | {bits} | {block_size} | {way} | {' | '.join(cells)} |")
    return lines


def best_of(scores: Table) -> NDArray[np.int64]:
    """The ten best rows for each query."""
    return np.argsort(-scores, axis=1)[:, :_K]


def overlap(found: NDArray[np.int64], wanted: NDArray[np.int64]) -> float:
    """The mean share of ``wanted`` that is found."""
    return float(np.mean([len(set(one) & set(other)) / _K for one, other in zip(found, wanted, strict=True)]))


def layer_rows(trained: Trained) -> list[str]:
    """Size and quality of the model with its linear layers in every kernel."""
    requests = requests_of(trained.split, "validation", _LENGTH)
    targets = trained.split.validation_items + 1
    full = answers(trained.graph, requests, "items").astype(np.int64)
    lines = [
        "| linear layers | artifact (KiB) | NDCG@10 | difference to fp32 | overlap |",
        "|---|---:|---:|---:|---:|",
    ]
    base = discounted_gains(full, targets)
    for name, graph in layer_graphs(trained):
        items = answers(graph, requests, "items").astype(np.int64)
        gains = discounted_gains(items, targets)
        error = 1.96 * (gains - base).std(ddof=1) / np.sqrt(len(gains))
        cells = (
            f"{graph.ByteSize() / 1024:.0f}",
            f"{gains.mean():.4f}",
            f"{(gains - base).mean():+.4f} ± {error:.4f}",
            f"{overlap(items, full):.3f}",
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def layer_graphs(trained: Trained) -> Iterator[tuple[str, onnx.ModelProto]]:
    """The graph with its linear layers in every kernel, by name."""
    sample = {name: array[:_N_CALIBRATED] for name, array in requests_of(trained.split, "validation", _LENGTH).items()}
    # A request earlier, so that nothing that quality is measured on is calibrated on.
    sample["history"] = np.pad(sample["history"], ((0, 0), (1, 0)))[:, :-1]

    def quantized(bits: int, rules: QuantizationRules, requests: Requests | None = None) -> onnx.ModelProto:
        return quantize_graph(
            trained.graph, linear_bits=bits, embedding_bits=32, rules=rules, calibration_requests=requests
        )

    yield "32 bits", trained.graph
    yield "8 bits, dynamic", quantized(8, QuantizationRules())
    for calibration in CALIBRATIONS:
        rules = QuantizationRules(linear="static", calibration=calibration)
        yield f"8 bits, static, {calibration}", quantized(8, rules, sample)
    for scale_range in RANGES:
        for block_size in (None, 32, 16):
            rules = QuantizationRules(range=scale_range, block_size=block_size)
            yield f"4 bits, {scale_range}, {block_size or 'whole channel'}", quantized(4, rules)


def _page(tables: Sequence[str], layers: Sequence[str], command: str) -> str:
    # Nothing here is timed, so that what else ran at the time is not known, and does not matter.
    known = {name: v for name, v in current_environment(measured_cores(1, 1)).to_dict().items() if v is not None}
    lines = ["## Linear layers", "", *layers, "", "## Embedding tables", "", *tables]
    return results_page("Ranges, blocks and calibration", command, __doc__, lines, known)


def main() -> None:
    """Print the tables and write them to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="what load_interactions reads; without it, a synthetic shop")
    parser.add_argument("--epochs", type=int, default=20, help="of training")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    arguments = parser.parse_args()
    shop = po.synthetic_shop(users=1_000, items=2_000, seed=0)
    interactions = po.load_interactions(arguments.data) if arguments.data else shop
    with tempfile.TemporaryDirectory() as folder:
        trained = train(interactions, epochs=arguments.epochs, folder=Path(folder))
    given = f"--data {Path(arguments.data).name} " if arguments.data else ""
    command = f"python studies/benchmarks/quantisation_ranges.py {given}--epochs {arguments.epochs}"
    page = _page(table_rows(trained), layer_rows(trained), command)
    publish(page, arguments.output)


if __name__ == "__main__":
    main()
