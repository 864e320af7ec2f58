"""``paretoopt studies``: what studies a database holds."""

from __future__ import annotations

import typer

from paretoopt.cli.output import Column, Format, FormatOption, print_rows
from paretoopt.cli.studied import StorageOption
from paretoopt.search.listing import StudySummary, list_studies

app = typer.Typer()


def _objectives(study: StudySummary) -> list[str]:
    return list(study.directions) if study.definition is None else [str(one) for one in study.definition.objectives]


def _constraints(study: StudySummary) -> list[str]:
    return [] if study.definition is None else [str(one) for one in study.definition.constraints]


def _started(study: StudySummary) -> str | None:
    return None if study.started is None else study.started.astimezone().isoformat(timespec="seconds")


def _count(title: str, *states: str) -> Column[StudySummary]:
    return Column(title, title, lambda one: sum(one.n_trials.get(state, 0) for state in states), is_number=True)


_COLUMNS = (
    Column[StudySummary]("study", "study_name", lambda one: one.study_name),
    Column[StudySummary]("objectives", "objectives", _objectives, lambda one: ", ".join(_objectives(one))),
    Column[StudySummary]("constraints", "constraints", _constraints, lambda one: ", ".join(_constraints(one))),
    _count("complete", "complete"),
    _count("pruned", "pruned"),
    _count("running", "running"),
    Column[StudySummary](
        "started", "started", _started, lambda one: (_started(one) or "")[:16].replace("T", " "), is_number=True
    ),
)


@app.command()
def studies(storage: StorageOption = None, form: FormatOption = Format.TABLE) -> None:
    """List the studies of a database."""
    found = list_studies(storage)
    print_rows(found, _COLUMNS, form, note="" if found else "No studies.")
