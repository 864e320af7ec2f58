"""What is shown while a study runs."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from paretoopt.candidate import Progress
from paretoopt.front.training_cost import TrainingCost
from paretoopt.objectives import maximize, minimize
from paretoopt.search.ledger import Ledger
from paretoopt.search.progress import ProgressDisplay
from paretoopt.search.progress_console import ProgressConsole
from paretoopt.search.study import Study

OpenStudy = Callable[..., Study]
MakeScales = Callable[..., Any]


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
    assert all("0 of 1 outputs reused" in line for line in lines[:-1] if "failed:" not in line)
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


@pytest.mark.parametrize("width", [80, 120])
def test_the_display_fits_its_terminal(width: int) -> None:
    """What is done, what is known, what training took, how long it goes on, and what is at work: each has its line."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=width, color_system=None)
    ledger = Ledger()
    ledger.n_completed, ledger.n_reused, ledger.n_pruned = 11, 7, 2
    ledger.failed["export"] = 1
    ledger.feasible_values = [(0.09, 4.0), (0.07, 2.0)]
    ledger.training = TrainingCost(4, 11, 60.0, 300.0)

    deadline = time.monotonic() + 7_200.5
    objectives = [maximize("ndcg_at_10"), minimize("memory_mib")]
    with ProgressDisplay("shop", objectives, 20, console, deadline=deadline, dimensions=["size"]) as display:
        display.told(ledger)
        display.started(12, {"size": 8, "allocation": "uniform"})
        display.heard(Progress("fit", "epoch 3", 0.5))

    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).strip() for line in screen.getvalue().splitlines()]
    assert "14/20 candidates · 1 failed · 2 pruned · 7 reused" in " ".join(lines)
    assert "about 2 h 0 min left" in " ".join(lines)
    assert "training 1 min 0 s; each trial alone 5 min 0 s, 5.0 times as long" in lines
    assert "hypervolume 0.17" in " ".join(lines)
    assert "trial 12: size=8" in lines
    assert max(map(len, lines)) <= width
