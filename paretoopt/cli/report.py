"""``paretoopt report``: the report of a study, as a file that needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paretoopt.cli.files import OpenOption, tell_written, writing
from paretoopt.cli.studied import StorageOption, StudyNameOption, opened, warnings_told
from paretoopt.report.report import write_report

app = typer.Typer()


@app.command()
def report(
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="The HTML file.")] = Path("report.html"),
    storage: StorageOption = None,
    study_name: StudyNameOption = None,
    is_opened: OpenOption = False,
) -> None:
    """Write the report of a study: one HTML file that needs no network."""
    study = opened(storage, study_name)
    with warnings_told(), writing(output):
        write_report(study, output)
    tell_written(output, is_opened=is_opened)
