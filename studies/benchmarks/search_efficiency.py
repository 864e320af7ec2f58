"""How much training does a search need to reach the front?

Searches are replayed on tables of configurations: what is measured of a configuration, and which training stages it
needs, is looked up. An epoch is counted once per stage where outputs are kept (*with store*), and in every trial where
each is trained alone (*alone*). *Hypervolume* is the share of that of all configurations, from a reference point a
tenth of the span beyond the worst, with costs as they are (*raw*) and as logarithms (*log*). Optuna's samplers see
ordered dimensions as integers; TPESampler is Optuna's default. *Costs known*: latency and memory of every
configuration are measured before the first training, which takes no epoch but as many measurements as there are
configurations. *Costs predicted*: they are known of those configurations alone that were evaluated. GPSampler runs
when it is named (`--searches GPSampler`), and joins the kept runs.

    python studies/benchmarks/search_efficiency.py
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna

import paretoopt as po
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from studies.benchmarks.page import publish, results_page
from studies.benchmarks.search_table import Ruler, Table, read_table, synthetic_table
from studies.benchmarks.searches import LISTED, SEARCHES

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
_LEVELS = (0.95, 0.99)
# GPSampler takes about a second per trial, hundreds of times as long as the replay itself: it runs when it is named.
_USUAL = [name for name in SEARCHES if name != "GPSampler"]


@dataclass(frozen=True)
class Run:
    """One search on one table.

    Attributes:
        table: The table's name.
        search: The search's name.
        seed: Its seed.
        rows: The configurations that it evaluated, until it had 99 % of the hypervolume or was stopped.
    """

    table: str
    search: str
    seed: int
    rows: tuple[int, ...]


def epochs_alone(table: Table, rows: Sequence[int]) -> list[float]:
    """Epochs after each trial, every one trained from scratch."""
    return list(np.cumsum([sum(table.epochs[stage.key] for stage in table.stages[row]) for row in rows]))


def epochs_with_store(table: Table, rows: Sequence[int]) -> list[float]:
    """Epochs after each trial, every stage trained once."""
    paid: set[str] = set()
    spent = []
    for row in rows:
        new = {stage.key for stage in table.stages[row]} - paid
        paid |= new
        spent.append(sum(table.epochs[key] for key in new))
    return list(np.cumsum(spent))


def run_search(table: Table, name: str, seed: int, most_trials: int) -> Run:
    """Search until 99 % of the hypervolume, raw and log, or ``most_trials``."""
    rulers = [Ruler.of(table.costs(is_log=is_log)) for is_log in (False, True)]
    limit = len(table.metrics) if name in LISTED else most_trials
    rows: list[int] = []
    for row in SEARCHES[name](table, seed):
        rows.append(row)
        if len(rows) >= limit or all(ruler.share(rows) >= _LEVELS[-1] for ruler in rulers):
            break
    return Run(table.name, name, seed, tuple(rows))


def n_trials_to(shares: Sequence[float], level: float) -> int | None:
    """Trials until the share is reached; None where it never is."""
    return next((n for n, share in enumerate(shares, start=1) if share >= level), None)


def spent_at(epochs: Sequence[float], n_trials: int | None) -> float:
    """Epochs after so many trials; infinite where the level was not reached."""
    return math.inf if n_trials is None else epochs[n_trials - 1]


def main() -> None:
    """Run what was not run before, and write the page."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument(
        "--table", type=Path, help="a measured table, as search_table.py describes; else synthetic ones"
    )
    parser.add_argument("--synthetic", type=int, default=3, help="synthetic tables")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=300, help="trials after which a sampler is stopped")
    parser.add_argument("--searches", nargs="*", default=_USUAL, choices=list(SEARCHES), metavar="NAME")
    parser.add_argument("--runs", type=Path, default=_RESULTS / "search_efficiency.csv", help="kept runs; added to")
    parser.add_argument("--output", type=Path, default=_RESULTS / "search_efficiency.md")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    objectives = (po.maximize("ndcg_at_10"), po.minimize("latency_p95_ms"), po.minimize("memory_mib"))
    tables = (
        [synthetic_table(seed) for seed in range(arguments.synthetic)]
        if arguments.table is None
        else [read_table(arguments.table, objectives)]
    )
    runs = list(_read_runs(arguments.runs))
    kept = {(run.table, run.search, run.seed) for run in runs}
    for seed in range(arguments.seeds):
        for search in arguments.searches:
            for table in tables:
                if (table.name, search, seed) not in kept:
                    runs.append(run_search(table, search, seed, arguments.trials))
                    _keep(arguments.runs, runs[-1])
    lines = [line for table in tables for line in _section(table, runs, arguments.trials)]
    command = "python studies/benchmarks/search_efficiency.py"
    command += "" if arguments.table is None else f" --table {arguments.table.name}"
    known = {name: v for name, v in current_environment(measured_cores(1, 1)).to_dict().items() if v is not None}
    publish(results_page("Search efficiency", command, __doc__, lines, known), arguments.output)


def _section(table: Table, runs: Iterable[Run], most_trials: int) -> list[str]:
    whole = epochs_with_store(table, range(len(table.metrics)))[-1]
    header = [
        "hypervolume to 95 %, raw: epochs alone",
        "with store",
        "trials",
        "to 99 %, raw: alone",
        "with store",
        "trials",
        "to 95 %, log: with store",
        "to 99 %, log: with store",
    ]
    lines = [
        f"## Table: {table.name}",
        "",
        f"{len(table.metrics)} configurations; training all of them takes {whole:g} epochs with the store. "
        f"Medians, with quartiles in brackets; *not* where fewer than half of the runs came so far "
        f"in {most_trials} trials; the searches that list all configurations are not stopped.",
        "",
        "| search | runs | " + " | ".join(header) + " |",
        "|---|---:|" + "---:|" * len(header),
    ]
    for search in SEARCHES:
        own = [run for run in runs if run.table == table.name and run.search == search]
        if own:
            lines.append(f"| {search} | {len(own)} | " + " | ".join(_cells(table, own)) + " |")
    return [*lines, ""]


def _cells(table: Table, runs: Sequence[Run]) -> list[str]:
    columns: list[list[float]] = [[] for _ in range(8)]
    rulers = {is_log: Ruler.of(table.costs(is_log=is_log)) for is_log in (False, True)}
    for run in runs:
        alone, stored = epochs_alone(table, run.rows), epochs_with_store(table, run.rows)
        shares = {
            is_log: [ruler.share(list(run.rows[:n])) for n in range(1, len(run.rows) + 1)]
            for is_log, ruler in rulers.items()
        }
        reached = [n_trials_to(shares[False], level) for level in _LEVELS]
        values = [one for n in reached for one in (spent_at(alone, n), spent_at(stored, n), n or math.inf)]
        values += [spent_at(stored, n_trials_to(shares[True], level)) for level in _LEVELS]
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    return [_summary(column) for column in columns]


def _summary(values: Sequence[float]) -> str:
    # "nearest" takes a run's own value, so that one that never came so far counts as the worst, and no more.
    low, middle, high = (float(np.quantile(values, share, method="nearest")) for share in (0.25, 0.5, 0.75))
    if math.isinf(middle):
        return "*not*"
    return f"{middle:g} ({low:g}–{'*not*' if math.isinf(high) else f'{high:g}'})"


def _read_runs(path: Path) -> Iterable[Run]:
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            for table, search, seed, rows in csv.reader(file):
                yield Run(table, search, int(seed), tuple(map(int, rows.split())))


def _keep(path: Path, run: Run) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow([run.table, run.search, run.seed, " ".join(map(str, run.rows))])


if __name__ == "__main__":
    main()
