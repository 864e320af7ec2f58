"""``paretoopt plot``: one plot of a study, as a file that needs no network."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import plotly.graph_objects as go
import typer

from paretoopt.cli.files import OpenOption, tell_written, writing
from paretoopt.cli.mistakes import UserError
from paretoopt.cli.studied import StorageOption, StudyNameOption, opened, warnings_told
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.visualization.hypervolume_history import plot_hypervolume_history
from paretoopt.visualization.parallel_coordinates import plot_parallel_coordinates
from paretoopt.visualization.pareto_front import plot_pareto_front
from paretoopt.visualization.stage_seconds import plot_stage_seconds

app = typer.Typer()


class Kind(StrEnum):
    """What to plot."""

    PARETO_FRONT = "pareto-front"
    PARALLEL_COORDINATES = "parallel-coordinates"
    HYPERVOLUME_HISTORY = "hypervolume-history"
    STAGE_SECONDS = "stage-seconds"


_DRAWN: dict[Kind, Callable[[ParetoFront], go.Figure]] = {
    Kind.PARALLEL_COORDINATES: plot_parallel_coordinates,
    Kind.HYPERVOLUME_HISTORY: plot_hypervolume_history,
    Kind.STAGE_SECONDS: lambda front: plot_stage_seconds(front.candidates),
}
_Axis = Annotated[str | None, typer.Option(metavar="METRIC", help="pareto-front only; left out, an objective.")]


@app.command()
def plot(
    kind: Annotated[Kind, typer.Argument(help="What to plot.")] = Kind.PARETO_FRONT,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="The HTML file; left out, KIND.html.")
    ] = None,
    x: _Axis = None,
    y: _Axis = None,
    color: _Axis = None,
    storage: StorageOption = None,
    study_name: StudyNameOption = None,
    is_opened: OpenOption = False,
) -> None:
    """Write one plot of a study as an HTML file."""
    if kind is not Kind.PARETO_FRONT and (x or y or color):
        raise UserError(f"{kind.value} has no axes to choose.", "Leave --x, --y and --color out, or plot pareto-front.")
    with warnings_told():
        front = opened(storage, study_name).pareto_front()
    figure = plot_pareto_front(front, x=x, y=y, color=color) if kind is Kind.PARETO_FRONT else _DRAWN[kind](front)
    path = output or Path(f"{kind.value}.html")
    with writing(path):
        figure.write_html(path, include_plotlyjs=True)
    tell_written(path, is_opened=is_opened)
