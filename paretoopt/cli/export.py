"""``paretoopt export``: the bundle of a trial, made by the pipeline of its study file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from paretoopt.bundle.export import export as export_bundle
from paretoopt.candidate import Candidate
from paretoopt.cli.mistakes import UserError
from paretoopt.cli.run import FileArgument, NameOption
from paretoopt.cli.studied import StorageOption, warnings_told
from paretoopt.cli.study_file import read_study_file
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.search.stored_study import StoredStudy, open_stored_study

app = typer.Typer()


@app.command()
def export(
    file: FileArgument,
    trial: Annotated[int, typer.Option("--trial", metavar="NUMBER", help="The trial to export.")],
    output: Annotated[Path, typer.Option("--output", metavar="FOLDER", help="The bundle.")],
    licence: Annotated[str, typer.Option("--licence", help="Under which the model may be used, for example MIT.")] = "",
    is_overwritten: Annotated[bool, typer.Option("--overwrite", help="Replace an older bundle.")] = False,
    storage: StorageOption = None,
    study_name: NameOption = None,
) -> None:
    """Write the bundle of a trial: a folder that can be deployed."""
    given = read_study_file(file)
    study = open_stored_study(study_name=study_name or given.study_name, storage=storage or given.names.get("storage"))
    chosen = _evaluated(study, trial)
    pipeline = given.pipeline()
    if not isinstance(pipeline, Pipeline):
        raise UserError(
            f"The pipeline of {file} is a {type(pipeline).__name__}, which makes no artifact.",
            "Export needs a po.Pipeline.",
        )
    with warnings_told():
        front = study.pareto_front()
    if output.exists() and not is_overwritten:
        raise UserError(f"{output} exists.", "Name another --output, or add --overwrite.")
    bundle = export_bundle(pipeline, chosen, output, front=front, licence=licence or None, overwrite=is_overwritten)
    sys.stdout.write(f"{bundle}\n")


def _evaluated(study: StoredStudy, number: int) -> Candidate:
    candidates = {one.number: one for one in study.candidates()}
    if number not in candidates:
        raise UserError(
            f"Trial {number} of {study.study_name!r} was not evaluated, so it cannot be exported.",
            "Choose one with: paretoopt best-trials, or paretoopt pick.",
        )
    return candidates[number]
