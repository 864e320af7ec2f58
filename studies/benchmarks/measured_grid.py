"""Every configuration of a grid, really trained and measured: the table that searches are replayed on.

Models share their trainings through the stage store, so that each stage of training runs once. Its epochs are counted
while it runs, those after the best one included. Latency and memory are measured one configuration after the other, and
what was measured or trained is kept, so that a run which was cut short goes on. ``search_table.py`` describes the
columns; beside them are the ends of the known intervals (``low.*``, ``high.*``) and the seconds that each stage and
measure took. A grid can be trained by several processes at once, which share the widths (``--only-train``).

    python studies/benchmarks/measured_grid.py --model MODEL --data FOLDER
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

import pandas as pd

import paretoopt as po
from paretoopt.candidate import Evaluation, Progress
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from studies.benchmarks.compression_subjects import SUBJECTS, Making
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
_COMMON = {"pruning_ratio": (0.0, 0.25, 0.5, 0.75), "linear_bits": (32, 8, 4), "embedding_bits": (32, 8, 4, 2)}
GRIDS: Mapping[str, Mapping[str, Sequence[float]]] = {
    "sasrec": {"embedding_dim": (8, 16, 32, 64, 128), **_COMMON, "serving_workers": (1, 2)},
    "dlrm": {"embedding_dim": (4, 8, 16, 32, 64), **_COMMON},
}
"""The values of each dimension, by model."""
_COLUMNS = ("name", "key", "epochs")
_STAGES = ("fit", "fine_tune")


Grid = Mapping[str, Sequence[float]]


def configurations(grid: Grid) -> Iterator[po.Params]:
    """All cells of the grid."""
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def train(pipeline: po.Pipeline, params: po.Params, epochs_file: Path) -> None:
    """Run the training stages that the store lacks, and note the epochs of each."""
    missing = {stage.name: stage.key for stage in pipeline.remaining(params)}
    epochs: Counter[str] = Counter()

    def heard(progress: Progress) -> None:
        if progress.message.startswith("epoch "):
            epochs[progress.stage] = int(progress.message.split()[1].rstrip(","))

    if missing:
        pipeline.deployable(params, heard)
    with epochs_file.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([name, key, epochs[name]] for name, key in missing.items() if epochs[name])


def row_of(
    pipeline: po.Pipeline, params: po.Params, evaluation: Evaluation, epochs: Mapping[str, int]
) -> dict[str, object]:
    """The configuration's row of the table."""
    row: dict[str, object] = {f"params.{name}": value for name, value in params.items()}
    for name, one in evaluation.measurements.items():
        row[f"metrics.{name}"] = one.value
        row |= {f"{end}.{name}": value for end, value in (("low", one.low), ("high", one.high)) if value is not None}
    row["artifact"] = pipeline.artifact_key(params)[:12]
    trainings = {run.name: run for run in evaluation.runs if run.trains}
    for name in _STAGES:
        run = trainings.get(name)
        row[f"stages.{name}.key"] = "" if run is None else run.key[:12]
        row[f"stages.{name}.epochs"] = 0 if run is None else epochs[run.key]
        row[f"seconds.{name}"] = 0.0 if run is None else run.seconds
    measured = {run.name: run.seconds for run in evaluation.runs if not run.trains}
    return row | {f"seconds.{name}": measured[name] for name in ("latency", "memory")}


def main() -> None:
    """Train, then measure, then write the table and its page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=list(GRIDS), required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the model's data")
    parser.add_argument("--epochs", type=int, default=120, help="at most this many for each training")
    parser.add_argument("--only-train", type=int, nargs="+", metavar="WIDTH", help="train these widths, and no more")
    parser.add_argument(
        "--values", nargs="+", action="append", default=[], metavar="NAME", help="a dimension's name and other values"
    )
    parser.add_argument("--store", type=Path, default=None, help="folder of the stage store; the user's cache else")
    parser.add_argument("--output", type=Path, default=None, help="the page; its table is beside it")
    options = parser.parse_args()
    output: Path = options.output or _RESULTS / f"grid_{options.model}.md"
    output.parent.mkdir(parents=True, exist_ok=True)
    epochs_file = output.with_suffix(".epochs.csv")
    pipeline = SUBJECTS[options.model](options.data, Making(options.store, options.epochs)).pipeline
    grid = {**GRIDS[options.model], **{name: tuple(map(_number, values)) for name, *values in options.values}}
    widths = options.only_train or grid["embedding_dim"]
    first = {name: grid[name][:1] for name in grid if name not in ("embedding_dim", "pruning_ratio")}
    for params in configurations({**grid, **first}):
        if params["embedding_dim"] in widths:
            train(pipeline, params, epochs_file)
            print(f"trained {params}", flush=True)
    if options.only_train is None:
        table = output.with_suffix(".csv")
        measure(pipeline, grid, epochs_file, table)
        publish(_page(options, grid, pd.read_csv(table)), output)


def measure(pipeline: po.Pipeline, grid: Grid, epochs_file: Path, output: Path) -> None:
    """Evaluate every configuration, and write the table."""
    trained = pd.read_csv(epochs_file, names=_COLUMNS)
    epochs = dict(zip(trained["key"], trained["epochs"], strict=True))
    rows = []
    for params in configurations(grid):
        rows.append(row_of(pipeline, params, pipeline.evaluate(params), epochs))
        print(f"measured {len(rows)}: {params}", flush=True)
    pd.DataFrame(rows).to_csv(output, index=False, float_format="%.6g")


def _number(text: str) -> float:
    return int(text) if text.isdigit() else float(text)


def _page(options: argparse.Namespace, grid: Grid, table: pd.DataFrame) -> str:
    stages = [table[[f"stages.{name}.key", f"stages.{name}.epochs"]].set_axis(_COLUMNS[1:], axis=1) for name in _STAGES]
    trainings = pd.concat(stages).dropna().drop_duplicates()
    alone = sum(table[f"stages.{name}.epochs"].sum() for name in _STAGES)
    lines = [
        f"{len(table)} configurations of {table['artifact'].nunique()} artifacts. {len(trainings)} trainings of "
        f"{trainings['epochs'].sum():,.0f} epochs served them all; each trained alone, they would have taken "
        f"{alone:,.0f} epochs. Measuring latency and memory took {table['seconds.latency'].sum():,.0f} s and "
        f"{table['seconds.memory'].sum():,.0f} s.",
        "",
        "| dimension | values |",
        "|---|---|",
        *(f"| {name} | {', '.join(map(str, values))} |" for name, values in grid.items()),
    ]
    command = (
        f"python studies/benchmarks/measured_grid.py --model {options.model} --data {options.data.name} "
        f"--epochs {options.epochs}"
    )
    command += "".join(f" --values {' '.join(words)}" for words in options.values)
    environment = current_environment(measured_cores(1, 1)).to_dict()
    known = {name: value for name, value in environment.items() if value is not None}
    return results_page(f"A measured grid: {options.model}", command, __doc__, lines, known)


if __name__ == "__main__":
    main()
