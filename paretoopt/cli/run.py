"""``paretoopt run``: search what a study file says, or go on where it was stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from paretoopt.cli.best_trials import print_front
from paretoopt.cli.output import Format, FormatOption
from paretoopt.cli.studied import StorageOption, warnings_told
from paretoopt.cli.study_file import read_study_file
from paretoopt.search.convergence import Converged
from paretoopt.search.definition import StudyDefinition

app = typer.Typer()
_INTERRUPTED = 130
FileArgument = Annotated[Path, typer.Argument(metavar="STUDY.py", help="The study file; see docs/command_line.md.")]
NameOption = Annotated[
    str | None,
    typer.Option("--study-name", metavar="NAME", help="The study; left out, what the file says, or the file's name."),
]


@app.command()
def run(
    file: FileArgument,
    n_trials: Annotated[
        int | None,
        typer.Option("--n-trials", help="Trials that the study shall hold in all; left out, a finite space is tried."),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", help="No trial starts after so long.")
    ] = None,
    max_training_cost: Annotated[
        float | None,
        typer.Option("--max-training-cost", metavar="SECONDS", help="Worker-seconds of training in all."),
    ] = None,
    max_failure_share: Annotated[
        float | None, typer.Option("--max-failure-share", metavar="SHARE", help="Share of trials that may fail.")
    ] = None,
    until_share: Annotated[
        float | None,
        typer.Option("--until-share", metavar="SHARE", help="Stop when at most this share of hypervolume is to gain."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress on standard error.")] = False,
    storage: StorageOption = None,
    study_name: NameOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Search what a study file says, or go on where it was stopped.

    Ctrl-C ends it in good order, with exit status 130; the same command goes on from there.
    """
    given = read_study_file(file)
    study = given.study(storage=storage, study_name=study_name)
    with _interrupts() as pressed:
        study.optimize(
            given.pipeline(),
            n_trials,
            timeout,
            max_training_cost=max_training_cost,
            max_failure_share=max_failure_share,
            until=None if until_share is None else Converged(until_share),
            progress=not quiet,
        )
    definition = StudyDefinition(study.space, study.objectives, study.constraints)
    with warnings_told():
        front = study.pareto_front()
    print_front(front, definition, form, name=study.study_name)
    if pressed:
        raise typer.Exit(_INTERRUPTED)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Every Ctrl-C meanwhile, which a study takes for its end and not for an error."""
    pressed: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
