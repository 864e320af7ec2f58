"""``paretoopt trials``: every trial of a study."""

from __future__ import annotations

from collections import Counter

import typer

from paretoopt.cli.output import Column, Format, FormatOption, print_rows
from paretoopt.cli.studied import StorageOption, StudyNameOption, opened
from paretoopt.cli.trial_columns import NUMBER, columns_of
from paretoopt.cli.units import age_text
from paretoopt.search.trial_records import TrialRecord

app = typer.Typer()
_STATE: Column[TrialRecord] = Column("state", "state", lambda one: one.state)
_SECONDS: Column[TrialRecord] = Column(
    "took",
    "seconds",
    lambda one: one.seconds,
    lambda one: "" if one.seconds is None else age_text(one.seconds),
    is_number=True,
)
_REASON: Column[TrialRecord] = Column("reason", "reason", lambda one: one.reason)


@app.command()
def trials(
    storage: StorageOption = None, study_name: StudyNameOption = None, form: FormatOption = Format.TABLE
) -> None:
    """List every trial of a study: its state, parameters and measurements."""
    study = opened(storage, study_name)
    rows = study.trial_records()
    columns = [NUMBER, _STATE, *columns_of(rows, study.definition), _SECONDS]
    if any(row.reason for row in rows) or form is not Format.TABLE:
        columns.append(_REASON)
    counts = Counter(row.state for row in rows)
    note = ", ".join(f"{n} {state}" for state, n in counts.items()) or "No trials"
    print_rows(rows, columns, form, note=f"{study.study_name}: {note}")
