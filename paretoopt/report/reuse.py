"""What each trial found in the store, and what it had to make."""

from __future__ import annotations

from collections.abc import Sequence

from paretoopt.candidate import Candidate, StageRun
from paretoopt.durations import duration_text
from paretoopt.front.training_cost import training_cost
from paretoopt.report.table import Cell, Table


def make_reuse_table(candidates: Sequence[Candidate]) -> Table:
    """One row per trial: hits, misses, its training, then each stage and measure; empty where none kept its stages."""
    kept = sorted((one for one in candidates if one.runs), key=lambda one: one.number)
    # A trial can pass a stage over, so the one with the most stages tells the order best.
    fullest = sorted(kept, key=lambda one: -len(one.runs))
    names = list(dict.fromkeys(run.name for one in fullest for run in one.runs))
    titles = (
        "trial",
        "hits",
        "misses",
        "training spent",
        "training alone",
        *(name.replace("_", " ") for name in names),
    )
    return Table(headers=titles, rows=tuple(_row(one, names) for one in kept))


def _row(candidate: Candidate, names: Sequence[str]) -> tuple[Cell, ...]:
    hits = sum(run.reused for run in candidate.runs)
    cost = training_cost(candidate.runs)
    return (
        Cell(str(candidate.number), candidate.number),
        Cell(str(hits), hits),
        Cell(str(len(candidate.runs) - hits), len(candidate.runs) - hits),
        Cell(duration_text(cost.spent), cost.spent),
        Cell(duration_text(cost.alone), cost.alone),
        *(_stage_cell([run for run in candidate.runs if run.name == name]) for name in names),
    )


def _stage_cell(runs: Sequence[StageRun]) -> Cell:
    """The stage's runs: more than one where a teacher, say, went through it too."""
    if not runs:
        return Cell("–", "")
    spent = sum(run.seconds for run in runs if not run.reused)
    saved = sum(run.seconds for run in runs if run.reused)
    if all(run.reused for run in runs):
        return Cell("hit", 0.0, f"{duration_text(saved)} saved")
    return Cell(duration_text(spent), spent, f"{duration_text(saved)} saved" if saved else "")
