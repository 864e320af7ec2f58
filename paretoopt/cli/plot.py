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
from paretoopt.visualization.compression import plot_compression
from paretoopt.visualization.hypervolume_history import plot_hypervolume_history
from paretoopt.visualization.marginal_effects import plot_marginal_effects
from paretoopt.visualization.parallel_coordinates import plot_parallel_coordinates
from paretoopt.visualization.pareto_front import plot_pareto_front
from paretoopt.visualization.pareto_front_3d import plot_pareto_front_3d
from paretoopt.visualization.stage_seconds import plot_stage_seconds

app = typer.Typer()


class Kind(StrEnum):
    """What to plot."""

    PARETO_FRONT = "pareto-front"
    PARETO_FRONT_3D = "pareto-front-3d"
    PARALLEL_COORDINATES = "parallel-coordinates"
    HYPERVOLUME_HISTORY = "hypervolume-history"
    HYPERVOLUME_SECONDS = "hypervolume-seconds"
    IMPORTANCES = "importances"
    MARGINAL_EFFECTS = "marginal-effects"
    COMPRESSION = "compression"
    STAGE_SECONDS = "stage-seconds"


def _importances(front: ParetoFront) -> go.Figure:
    # Whoever plots anything else shall not wait for scikit-learn.
    from paretoopt.visualization.importances import plot_importances  # noqa: PLC0415

    return plot_importances(front)


_DRAWN: dict[Kind, Callable[[ParetoFront], go.Figure]] = {
    Kind.PARALLEL_COORDINATES: plot_parallel_coordinates,
    Kind.PARETO_FRONT_3D: plot_pareto_front_3d,
    Kind.HYPERVOLUME_HISTORY: plot_hypervolume_history,
    Kind.HYPERVOLUME_SECONDS: lambda front: plot_hypervolume_history(front, over="seconds"),
    Kind.IMPORTANCES: _importances,
    Kind.MARGINAL_EFFECTS: plot_marginal_effects,
    Kind.COMPRESSION: plot_compression,
    Kind.STAGE_SECONDS: plot_stage_seconds,
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
