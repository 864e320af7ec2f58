"""How much training does a search need to reach the front?

Searches are replayed on tables of configurations: what is measured of a configuration, and which training stages it
needs, is looked up. An epoch is counted once per stage where outputs are kept (*with store*), and in every trial where
each is trained alone (*alone*). *Measured* counts the configurations whose latency and memory were measured, each once:
those that were evaluated, and those whose costs were asked for before; alone, every trial measures. *Hypervolume* is
the share of that of all configurations, from a reference point a tenth of the span beyond the worst, with costs as they
are and as logarithms. A search is stopped when it has 99 % of both. Optuna's samplers see ordered dimensions as
integers; TPESampler is Optuna's default. qLogNEHVI is BoTorch's, told what the samplers are told, and chooses among the
configurations that are left. *paretoopt* proposes as in a study: before anything is trained, it measures the costs
of up to eight configurations that decide whether to. *Costs known*: latency and memory of every configuration are
measured before the first training. *Costs predicted*: only those of configurations that were evaluated are. Figures
show the median and the quartiles of the runs; a curve ends where the first run was stopped before it had 99 %.

GPSampler and qLogNEHVI take seconds per trial: they run when they are named (`--searches`), and join the kept runs.
Several processes can share the work, each with a file of its own to add to; `--runs` joins the files. Kept runs are
those of a table of this name: remove them when the table changes.

    python studies/benchmarks/search_efficiency.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import optuna
import pandas as pd

import paretoopt as po
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from studies.benchmarks.interpolated_table import interpolated_frame
from studies.benchmarks.page import publish, results_page
from studies.benchmarks.search_curves import curves_of, draw_curves, write_figure
from studies.benchmarks.search_page import section
from studies.benchmarks.search_runs import Run, keep_run, read_runs, run_search
from studies.benchmarks.search_table import OBJECTIVES, Table, synthetic_frame, table_of
from studies.benchmarks.searches import SEARCHES, SLOW

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
_INTERPOLATED = (
    "Interpolated: most configurations of this table were not measured. `interpolated_table.py` tells how they follow "
    "from their measured neighbours."
)


def main() -> None:
    """Run what was not run before, and write the page."""
    arguments = _parser().parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    tables = _tables(arguments)
    name = "search_efficiency" if arguments.table is None else f"search_{arguments.table.stem}"
    output = arguments.output or _RESULTS / f"{name}{'_interpolated' if arguments.interpolate else ''}.md"
    files = arguments.runs or [output.with_suffix(".csv")]
    runs = list(read_runs(files))
    kept = {(run.table, run.search, run.seed) for run in runs}
    for seed in arguments.seeds:
        for search in arguments.searches:
            for table in tables:
                if (table.name, search, seed) not in kept:
                    runs.append(_timed(table, search, seed, arguments.trials))
                    keep_run(files[0], runs[-1])
    lines = [_INTERPOLATED, ""] if arguments.interpolate else []
    for table in tables:
        figure = None if arguments.without_figures else output.with_name(f"{output.stem}{_ending(table, tables)}.png")
        if figure is not None:
            figure.parent.mkdir(parents=True, exist_ok=True)
            write_figure(draw_curves(table.name, curves_of(table, runs)), figure)
        lines += section(table, runs, arguments.trials, None if figure is None else figure.name)
    known = {name: v for name, v in current_environment(measured_cores(1, 1)).to_dict().items() if v is not None}
    publish(results_page("Search efficiency", _command(arguments), __doc__, lines, known), output)


def objective_of(text: str) -> po.Objective:
    """The objective that ``maximize:METRIC`` or ``minimize:METRIC`` names."""
    direction, _, metric = text.partition(":")
    if not metric or direction not in ("maximize", "minimize"):
        raise argparse.ArgumentTypeError(f"{text!r} is no objective. Write maximize:METRIC or minimize:METRIC.")
    return po.maximize(metric) if direction == "maximize" else po.minimize(metric)


def seeds_of(text: str) -> range:
    """The seeds ``0`` to one less than the number, or ``FIRST-LAST``."""
    first, dash, last = text.partition("-")
    return range(int(first), int(last) + 1) if dash else range(int(first))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--table", type=Path, help="a measured table, as search_table.py describes; else synthetic")
    parser.add_argument("--synthetic", type=int, default=3, help="synthetic tables")
    parser.add_argument("--interpolate", action="store_true", help="replay on larger tables interpolated from these")
    parser.add_argument("--objectives", nargs="+", type=objective_of, default=OBJECTIVES, metavar="DIRECTION:METRIC")
    parser.add_argument("--seeds", type=seeds_of, default=range(5), help="how many, or FIRST-LAST")
    parser.add_argument("--trials", type=int, default=300, help="trials after which a sampler is stopped")
    usual = [name for name in SEARCHES if name not in SLOW]
    parser.add_argument("--searches", nargs="*", default=usual, choices=list(SEARCHES), metavar="NAME")
    parser.add_argument("--runs", type=Path, nargs="+", help="files of kept runs, the first added to; else the page's")
    parser.add_argument("--output", type=Path, help="the page; figures are beside it")
    parser.add_argument("--without-figures", action="store_true", help="which need the extra [benchmarks] and Chrome")
    return parser


def _tables(arguments: argparse.Namespace) -> list[Table]:
    frames = {f"synthetic {seed}": synthetic_frame(seed) for seed in range(arguments.synthetic)}
    if arguments.table is not None:
        frames = {arguments.table.stem: pd.read_csv(arguments.table)}
    objectives = tuple(arguments.objectives)
    # Runs are kept by the table's name, so that it says whatever changes what a search does.
    ending = " (interpolated)" if arguments.interpolate else ""
    ending += "" if objectives == OBJECTIVES else f" by {', '.join(one.metric for one in objectives)}"
    return [
        table_of(name + ending, interpolated_frame(frame) if arguments.interpolate else frame, objectives)
        for name, frame in frames.items()
    ]


def _timed(table: Table, search: str, seed: int, most_trials: int) -> Run:
    start = time.perf_counter()
    run = run_search(table, search, seed, most_trials)
    print(
        f"{table.name}, {search}, seed {seed}: {len(run.rows)} trials, {time.perf_counter() - start:.1f} s", flush=True
    )
    return run


def _ending(table: Table, tables: Sequence[Table]) -> str:
    return "" if len(tables) == 1 else f"_{tables.index(table)}"


def _command(arguments: argparse.Namespace) -> str:
    parts = ["python studies/benchmarks/search_efficiency.py"]
    if arguments.table is not None:
        parts.append(f"--table {arguments.table.name}")
    if arguments.interpolate:
        parts.append("--interpolate")
    if tuple(arguments.objectives) != OBJECTIVES:
        parts.append("--objectives " + " ".join(f"{one.direction}:{one.metric}" for one in arguments.objectives))
    return " ".join(parts)


if __name__ == "__main__":
    main()
