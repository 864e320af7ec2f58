"""A study in optuna-dashboard: a real server, asked over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import plotly.graph_objects as go
import pytest

from paretoopt.errors import StudyError
from paretoopt.objectives import at_most
from paretoopt.search.optuna_dashboard import show_in_optuna_dashboard
from paretoopt.search.study import Study

OpenStudy = Callable[..., Study]
MakeScales = Callable[..., Any]
_SERVE = """
import sys
from wsgiref.simple_server import make_server
from optuna_dashboard import wsgi
from paretoopt.search.storage import open_database
server = make_server("127.0.0.1", 0, wsgi(open_database(sys.argv[1]).storage))
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """Asks an optuna-dashboard of the database of ``open_study``."""
    url = f"sqlite:///{tmp_path / 'study.db'}"
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVE, url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert server.stdout is not None
    port = int(server.stdout.readline())

    def ask(path: str) -> Any:  # noqa: ANN401 (JSON)
        for _ in range(20):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/{path}", timeout=30) as answer:
                    return json.loads(answer.read())
            except URLError:
                time.sleep(0.1)
        raise AssertionError("optuna-dashboard does not answer")

    yield ask
    server.kill()
    server.communicate()


def test_the_dashboard_shows_names_directions_constraints_and_plots(
    open_study: OpenStudy, make_scales: MakeScales, api: Callable[[str], Any]
) -> None:
    """The metrics' names, which trial is infeasible, and the plot that was put there; nothing warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # what optuna-dashboard imports is its own affair
        study = open_study(constraints=[at_most("cost", 4)])
        study.optimize(make_scales(fails=lambda params: params["size"] == 1), progress=False)
        show_in_optuna_dashboard(study, go.Figure(go.Scatter(x=[1, 2], y=[3, 4])), name="front")

    (summary,) = api("studies")["study_summaries"]
    detail = api(f"studies/{summary['study_id']}")

    assert detail["name"] == "scales"
    assert [direction.lower() for direction in detail["directions"]] == ["minimize", "minimize"]
    assert detail["objective_names"] == ["cost", "error"]
    assert infeasible_numbers(detail) == {
        *(one.number for one in study.candidates() if float(one.params["size"]) > 4),
        *(failure.number for failure in study.failures()),
    }
    (plot,) = detail["plotly_graph_objects"]
    assert plot["id"] == "front"
    assert json.loads(plot["graph_object"])["data"][0]["y"] == [3, 4]


def infeasible_numbers(detail: dict[str, Any]) -> set[int]:
    """The trials that the dashboard takes for infeasible."""
    return {trial["number"] for trial in detail["trials"] if any(one > 0 for one in trial["constraints"])}


def test_a_name_that_no_plot_can_have_is_refused(open_study: OpenStudy) -> None:
    """The message says which characters it may hold."""
    with pytest.raises(StudyError, match="Use letters, digits"):
        show_in_optuna_dashboard(open_study(), go.Figure(), name="front of all")
