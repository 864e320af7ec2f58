"""What is shown while a study runs."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from paretoopt.candidate import Progress
from paretoopt.objectives import maximize, minimize
from paretoopt.search.progress import ProgressConsole, ProgressDisplay, summary
from paretoopt.search.study import Study

OpenStudy = Callable[..., Study]
MakeScales = Callable[..., Any]


def test_summary_names_front_and_best_values() -> None:
    """The line counts the front and gives each objective's best value in its own direction."""
    values = [(0.5, 10.0), (0.7, 20.0), (0.4, 30.0)]

    line = summary(values, [maximize("ndcg"), minimize("latency")], n_failed=1)

    assert line == "front of 2, best ndcg ↑ 0.7, latency ↓ 10 · 1 failed"


def test_lines_are_plain_where_there_is_no_terminal(
    open_study: OpenStudy, make_scales: MakeScales, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each finished trial is one line on standard error, with count, values and parameters; failures have reasons."""
    open_study().optimize(make_scales(fails=lambda params: params["size"] == 8), n_trials=10)

    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert "\x1b" not in captured.err
    assert lines[0].startswith("1/10 · trial 0")
    assert any("failed: weigh: the scales are stuck" in line for line in lines)
    assert "holds 10 evaluated candidates" in lines[-1]


def test_no_progress_means_silence(
    open_study: OpenStudy, make_scales: MakeScales, capsys: pytest.CaptureFixture[str]
) -> None:
    """With progress=False nothing is written."""
    open_study().optimize(make_scales(), n_trials=3, progress=False)

    assert capsys.readouterr() == ("", "")


def test_terminal_shows_the_stage_at_work() -> None:
    """In a terminal the display has the study, its front and what goes on now."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)

    with ProgressDisplay("shop", [minimize("cost")], 20, console) as display:
        display.started(3, {"size": 8, "waste": 0.25})
        display.heard(Progress("fit", "epoch 3", 0.5))

    assert "0/20 candidates" in screen.getvalue()
    assert "trial 3: size=8 waste=0.25" in screen.getvalue()
    assert "fit: epoch 3 (50%)" in screen.getvalue()


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("closed")])
def test_broken_display_does_not_reach_the_study(error: Exception) -> None:
    """What goes wrong while drawing stays in the display."""

    class ClosedTerminal(io.StringIO):
        def flush(self) -> None:
            raise error

    with ProgressDisplay("shop", [minimize("cost")], 20, ProgressConsole(file=ClosedTerminal())) as display:
        display.started(0, {"size": 8})
        display.say("hello")
        display.say("anyone there?")


def test_listener_hears_what_goes_on(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """A listener of one's own gets every event of every evaluation."""
    heard: list[Progress] = []

    open_study().optimize(make_scales(), n_trials=3, listener=heard.append)

    assert heard == [Progress("weigh", "started")] * 3
