"""Runs of searches on tables: what each evaluated, what it spent on that, and the file that keeps them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studies.benchmarks.search_table import Ruler, Table
from studies.benchmarks.searches import LISTED, SEARCHES

ENOUGH = 0.99
"""The share of the hypervolume at which a search is stopped."""
_ALL = "all"


@dataclass(frozen=True)
class Run:
    """One search on one table.

    Attributes:
        table: The table's name.
        search: The search's name.
        seed: Its seed.
        rows: The configurations that it evaluated, until it had 99 % of the hypervolume or was stopped.
        asked: The configurations whose costs it asked for before the first of them was evaluated; None: all.
    """

    table: str
    search: str
    seed: int
    rows: tuple[int, ...]
    asked: tuple[int, ...] | None = ()


def run_search(table: Table, name: str, seed: int, most_trials: int) -> Run:
    """Search until 99 % of the hypervolume, raw and log, or ``most_trials``."""
    n_rows = len(table.metrics)
    limit = n_rows if name in LISTED else most_trials
    shares = [Ruler.of(table.costs(is_log=is_log)).shares() for is_log in (False, True)]
    costs = table.metrics[list(table.cost_metrics())].to_dict("records")
    asked: set[int] = set()
    rows: list[int] = []

    def ask(row: int) -> Mapping[str, float]:
        asked.add(row)
        return {str(metric): float(value) for metric, value in costs[row].items()}

    for row in SEARCHES[name](table, seed, ask):
        rows.append(row)
        reached = [share(row) >= ENOUGH for share in shares]
        if len(rows) >= limit or all(reached):
            break
    return Run(table.name, name, seed, tuple(rows), None if len(asked) == n_rows else tuple(sorted(asked)))


def shares_of(table: Table, rows: Sequence[int], *, is_log: bool) -> list[float]:
    """The share of the hypervolume after each trial."""
    return list(map(Ruler.of(table.costs(is_log=is_log)).shares(), rows))


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


def measurements(table: Table, run: Run) -> list[int]:
    """Configurations whose costs were measured after each trial: each once, those asked for before included."""
    measured = set(range(len(table.metrics)) if run.asked is None else run.asked)
    counts = []
    for row in run.rows:
        measured.add(row)
        counts.append(len(measured))
    return counts


def read_runs(paths: Sequence[Path]) -> Iterator[Run]:
    """The runs that were kept; of those that two files have, the first."""
    # A list of all configurations is longer than the module expects a field to be.
    csv.field_size_limit(sys.maxsize)
    seen = set()
    for path in paths:
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                for table, search, seed, rows, asked in csv.reader(file):
                    if (table, search, seed) not in seen:
                        seen.add((table, search, seed))
                        yield Run(table, search, int(seed), _numbers(rows), None if asked == _ALL else _numbers(asked))


def keep_run(path: Path, run: Run) -> None:
    """Add a run to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    asked = _ALL if run.asked is None else " ".join(map(str, run.asked))
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow([run.table, run.search, run.seed, " ".join(map(str, run.rows)), asked])


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))
