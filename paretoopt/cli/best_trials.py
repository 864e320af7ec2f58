"""``paretoopt best-trials``: the Pareto front of a study."""

from __future__ import annotations

import typer

from paretoopt.cli.output import Format, FormatOption, print_rows
from paretoopt.cli.studied import StorageOption, StudyNameOption, opened, warnings_told
from paretoopt.cli.trial_columns import NUMBER, columns_of, record_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.search.definition import StudyDefinition

app = typer.Typer()


@app.command()
def best_trials(
    storage: StorageOption = None, study_name: StudyNameOption = None, form: FormatOption = Format.TABLE
) -> None:
    """List the trials on the Pareto front."""
    study = opened(storage, study_name)
    with warnings_told():
        front = study.pareto_front()
    print_front(front, study.definition, form, name=study.study_name)


def print_front(front: ParetoFront, definition: StudyDefinition, form: Format, *, name: str) -> None:
    """Print the members of a study's front."""
    rows = [record_of(member) for member in front]
    count = f"{len(front)} of {len(front.candidates)} evaluated are on the Pareto front"
    wanted = ", ".join(map(str, (*front.objectives, *front.constraints)))
    print_rows(rows, [NUMBER, *columns_of(rows, definition)], form, note=f"{name}: {count} of {wanted}.")
