"""``paretoopt dashboard``: the report of a study, kept up to date in the browser."""

from __future__ import annotations

import os
import socket
from typing import Annotated

import typer

from paretoopt.cli.mistakes import UserError
from paretoopt.cli.output import say
from paretoopt.cli.studied import StorageOption, StudyNameOption, opened
from paretoopt.dashboard.live_report import LiveReport
from paretoopt.dashboard.server import serve

app = typer.Typer()


@app.command()
def dashboard(
    storage: StorageOption = None,
    study_name: StudyNameOption = None,
    host: Annotated[
        str, typer.Option("--host", help="The address to answer at; anything but 127.0.0.1 opens it to others.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="The port; 0 for any that is free.")] = 8080,
) -> None:
    """Show the report of a study in the browser, and keep it up to date while the study goes on.

    It only reads. Ctrl-C ends it.
    """
    report = LiveReport(opened(storage, study_name))
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise UserError(f"{host}:{port} cannot be used: {reason}.", "Give another --port, or 0.") from error
    with listening:
        say(f"{report.study_name}: http://{host}:{listening.getsockname()[1]}/ (Ctrl-C ends it)")
        serve(report, listening, host=host)
