"""The page of a table: what each search spent to reach so much of the hypervolume, and how ours compares."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from studies.benchmarks.search_oracle import least_epochs
from studies.benchmarks.search_runs import ENOUGH, Run, epochs_alone, epochs_with_store, measurements, shares_of
from studies.benchmarks.search_table import Table
from studies.benchmarks.searches import SEARCHES

_LEVELS = (0.95, ENOUGH)
_COUNTS = ("epochs alone", "with store", "trials", "measured")
_EXHAUSTING = "exhausting, cheapest next"
Spent = Mapping[str, Sequence[Sequence[float]]]
"""By search: for each level and count a column, with a number per run."""


def section(table: Table, runs: Sequence[Run], most_trials: int, figure: str | None) -> list[str]:
    """The table's part of the page.

    Args:
        table: The table.
        runs: Runs on this table and on others.
        most_trials: After how many trials searches were stopped.
        figure: The name of the figure's file; None where there is none.
    """
    own = {search: [run for run in runs if (run.table, run.search) == (table.name, search)] for search in SEARCHES}
    own = {search: found for search, found in own.items() if found}
    whole = epochs_with_store(table, range(len(table.metrics)))[-1]
    lines = [
        f"## Table: {table.name}",
        "",
        f"{len(table.metrics):,} configurations, compared in {', '.join(map(str, table.objectives))}; training all of "
        f"them takes {whole:g} epochs with the store. Medians, with quartiles in brackets; *not* where fewer than half "
        f"of the runs came so far in {most_trials} trials; the searches that list all configurations are not stopped.",
    ]
    if figure is not None:
        lines += ["", f"![Share of the hypervolume against epochs and trials]({figure})"]
    for is_log in (False, True):
        spent = {search: _spent(table, found, is_log=is_log) for search, found in own.items()}
        name = "logarithms" if is_log else "they are"
        lines += ["", f"### Hypervolume with costs as {name}", "", *_rows(own, spent), *_comparison(spent)]
        lines += _least(table, is_log=is_log)
    return [*lines, ""]


def _least(table: Table, *, is_log: bool) -> list[str]:
    epochs = [least_epochs(table, level, is_log=is_log) for level in _LEVELS]
    told = [
        f"{one:g} epochs to {100 * level:g}%" for one, level in zip(epochs, _LEVELS, strict=True) if one is not None
    ]
    if not told:
        return []
    return ["", f"Whoever knew all outcomes beforehand would need {' and '.join(told)} with the store, and no fewer."]


def n_trials_to(shares: Sequence[float], level: float) -> int | None:
    """Trials until the share is reached; None where it never is."""
    return next((n for n, share in enumerate(shares, start=1) if share >= level), None)


def spent_at(spent: Sequence[float], n_trials: int | None) -> float:
    """What is spent after so many trials; infinite where the level was not reached."""
    return math.inf if n_trials is None else spent[n_trials - 1]


def _spent(table: Table, runs: Sequence[Run], *, is_log: bool) -> list[list[float]]:
    columns: list[list[float]] = [[] for _ in range(len(_LEVELS) * len(_COUNTS))]
    for run in runs:
        shares = shares_of(table, run.rows, is_log=is_log)
        counts = (
            epochs_alone(table, run.rows),
            epochs_with_store(table, run.rows),
            range(1, len(run.rows) + 1),
            measurements(table, run),
        )
        values = [spent_at(count, n_trials_to(shares, level)) for level in _LEVELS for count in counts]
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    return columns


def _rows(runs: Mapping[str, Sequence[Run]], spent: Spent) -> Iterator[str]:
    header = [f"to {level:.0%}: {count}" if count == _COUNTS[0] else count for level in _LEVELS for count in _COUNTS]
    yield "| search | runs | " + " | ".join(header) + " |"
    yield "|---|---:|" + "---:|" * len(header)
    for search, columns in spent.items():
        yield f"| {search} | {len(runs[search])} | " + " | ".join(map(_summary, columns)) + " |"


def _comparison(spent: Spent) -> Iterator[str]:
    """A table of our epochs with the store, as shares of what the best of the others needs."""
    ours = [name for name in spent if name.startswith("paretoopt")]
    peers = {name: columns for name, columns in spent.items() if name not in (*ours, _EXHAUSTING)}
    if not ours or not peers:
        return
    yield ""
    yield "| ours, with store | to | epochs | of the best peer's alone | with store | of exhausting's with store |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name in ours:
        for place, level in enumerate(_LEVELS):
            alone, stored = place * len(_COUNTS), place * len(_COUNTS) + 1
            own = _quantile(spent[name][stored], 0.5)
            exhausting = {one: spent[one] for one in spent if one == _EXHAUSTING}
            cells = [_against(own, peers, alone), _against(own, peers, stored), _against(own, exhausting, stored)]
            yield f"| {name} | {level:.0%} | {'*not*' if math.isinf(own) else f'{own:g}'} | {' | '.join(cells)} |"


def _against(own: float, others: Spent, column: int) -> str:
    medians = {name: _quantile(columns[column], 0.5) for name, columns in others.items()}
    best = min(medians, key=lambda name: medians[name], default="")
    if not best or math.isinf(medians[best]) or math.isinf(own):
        return ""
    return f"{own / medians[best]:.3f} of {medians[best]:g}, {best}"


def _summary(values: Sequence[float]) -> str:
    low, middle, high = (_quantile(values, share) for share in (0.25, 0.5, 0.75))
    if math.isinf(middle):
        return "*not*"
    return f"{middle:g} ({low:g}–{'*not*' if math.isinf(high) else f'{high:g}'})"


def _quantile(values: Sequence[float], share: float) -> float:
    # "nearest" takes a run's own value, so that one that never came so far counts as the worst, and no more.
    return float(np.quantile(values, share, method="nearest"))
