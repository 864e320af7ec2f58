"""What optuna-dashboard shows of a study, beyond what Optuna keeps anyway."""

from __future__ import annotations

import importlib
from typing import Protocol

import optuna

from paretoopt.errors import MissingExtraError, StudyError


class Figure(Protocol):
    """A plotly figure."""

    def to_json(self) -> str | None:
        """The figure as JSON."""


class InOptuna(Protocol):
    """A study that has an Optuna study within."""

    @property
    def optuna_study(self) -> optuna.Study:
        """The Optuna study."""


def show_in_optuna_dashboard(study: InOptuna, figure: Figure, *, name: str = "pareto-front") -> None:
    """Show ``figure`` among the plots of the study in optuna-dashboard.

    It stays as it is while the study goes on; show it again to bring it up to date.

    Args:
        study: The study.
        figure: A plotly figure, for example ``po.plot_pareto_front(study.pareto_front())``.
        name: Names the plot; an older one of that name is replaced. Letters, digits and ``-_:.`` only.

    Raises:
        MissingExtraError: optuna-dashboard is not installed.
        StudyError: ``name`` holds something else.
    """
    try:
        dashboard = importlib.import_module("optuna_dashboard")
    except ImportError as error:
        raise MissingExtraError(
            "showing a plot in optuna-dashboard needs it: pip install 'paretoopt[optuna-dashboard]'."
        ) from error
    try:
        dashboard.save_plotly_graph_object(study.optuna_study, figure, graph_object_id=name)
    except ValueError as error:
        raise StudyError(f"name={name!r} names no plot: {error} Use letters, digits and -_:. only.") from error
