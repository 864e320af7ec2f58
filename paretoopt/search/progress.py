"""What a person sees while a study runs: a live display in a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import wraps
from types import TracebackType
from typing import IO, Concatenate, ParamSpec

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from paretoopt.candidate import Evaluation, Progress, ProgressListener
from paretoopt.front.dominance import is_nondominated
from paretoopt.objectives import Objective
from paretoopt.search.ledger import Ledger
from paretoopt.space import Params

_LOGGER = logging.getLogger("paretoopt")
_LINE_EVERY_S = 30.0
_P = ParamSpec("_P")
_Method = Callable[Concatenate["ProgressDisplay", _P], None]


def _harmless(method: _Method[_P]) -> _Method[_P]:
    """Let nothing that goes wrong in ``method``, such as a closed terminal, reach the study."""

    @wraps(method)
    def guarded(display: ProgressDisplay, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(display, *args, **kwargs)
        except Exception:
            _LOGGER.debug("The progress display failed.", exc_info=True)

    return guarded


class ProgressConsole(Console):
    """Standard error, or ``file``; falls silent when nobody reads it any more."""

    def __init__(self, *, file: IO[str] | None = None, quiet: bool = False) -> None:
        """Write to ``file`` instead of standard error, or nothing at all where ``quiet``."""
        super().__init__(file=file, stderr=True, quiet=quiet)

    def on_broken_pipe(self) -> None:
        """Go on in silence, where rich would end the program."""
        self.quiet = True


class ProgressDisplay:
    """Shows trials as they come and go; whatever goes wrong in here never reaches the study."""

    def __init__(
        self, study_name: str, objectives: Sequence[Objective], target: int | None, console: Console | None = None
    ) -> None:
        """Prepare a display for ``target`` candidates on ``console``, or standard error."""
        self._console = console or ProgressConsole()
        self._study_name = study_name
        self._objectives = objectives
        self._target = target
        self._started_at = time.monotonic()
        self._spoke_at = self._started_at
        self._summary = ""
        self._n_evaluated = 0
        self._current = ""
        self._stage = ""
        self._params: Params = {}
        self._live: Live | None = None

    def __enter__(self) -> ProgressDisplay:
        """Start drawing, where there is a terminal."""
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop drawing."""
        self._stop()

    @_harmless
    def told(self, ledger: Ledger) -> None:
        """Show what the study holds."""
        self._n_evaluated = ledger.n_evaluated
        self._summary = summary(ledger.feasible_values, self._objectives, ledger.n_failed, ledger.n_pruned)

    @_harmless
    def started(self, number: int, params: Params) -> None:
        """Show that a trial has begun."""
        self._params = params
        self._current = f"trial {number}: {_short(params)}"
        self._stage = ""

    @_harmless
    def heard(self, progress: Progress) -> None:
        """Show what goes on within a trial."""
        share = "" if progress.fraction is None else f" ({progress.fraction:.0%})"
        self._stage = f"{progress.stage}: {progress.message}{share}"
        if self._live is None and time.monotonic() - self._spoke_at > _LINE_EVERY_S:
            self.say(f"  {self._current} – {self._stage}")

    @_harmless
    def finished(self, number: int, evaluation: Evaluation, ledger: Ledger) -> None:
        """Show a trial's objective values."""
        values = (
            f"{objective.metric} {evaluation.measurements[objective.metric].value:.4g}"
            for objective in self._objectives
        )
        self._end(f"trial {number}: {', '.join(values)}  [{_short(self._params)}]", ledger)

    @_harmless
    def failed(self, number: int, reason: str, ledger: Ledger) -> None:
        """Show why a candidate could not be evaluated."""
        self._end(f"trial {number} failed: {reason}  [{_short(self._params)}]", ledger)

    @_harmless
    def pruned(self, number: int, reason: str, ledger: Ledger) -> None:
        """Show why a candidate was not trained."""
        self._end(f"trial {number} pruned before training: {reason}  [{_short(self._params)}]", ledger)

    @_harmless
    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._spoke_at = time.monotonic()
        if self._console.quiet:
            _LOGGER.info(text)
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @_harmless
    def _start(self) -> None:
        if self._console.is_terminal and not self._console.quiet:
            # Twice a second: drawing must not disturb what is measured.
            self._live = Live(get_renderable=self._draw, console=self._console, refresh_per_second=2, transient=True)
            self._live.start()

    @_harmless
    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()

    def _end(self, text: str, ledger: Ledger) -> None:
        self.told(ledger)
        self._current = self._stage = ""
        self.say(f"{self._count()} · {text} · {self._summary}")

    def _count(self) -> str:
        return f"{self._n_evaluated}" if self._target is None else f"{self._n_evaluated}/{self._target}"

    def _draw(self) -> Group:
        elapsed = time.strftime("%H:%M:%S", time.gmtime(time.monotonic() - self._started_at))
        head = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=self._target, completed=min(self._n_evaluated, self._target or 0), width=30)
        head.add_row(Text(self._study_name, style="bold"), bar, f"{self._count()} candidates", elapsed)
        return Group(head, Text(self._summary), Text(self._current), Text(self._stage))


def summary(
    values: Sequence[Sequence[float]], objectives: Sequence[Objective], n_failed: int, n_pruned: int = 0
) -> str:
    """The front's size, the best feasible value of each objective, and how many failed or were pruned, in one line."""
    failed = f" · {n_failed} failed" if n_failed else ""
    failed += f" · {n_pruned} pruned before training" if n_pruned else ""
    if not values:
        return f"no feasible candidate yet{failed}"
    signs = np.array([objective.sign for objective in objectives])
    costs = np.array(values, dtype=np.float64) * signs
    best = (f"{objective} {value:.4g}" for objective, value in zip(objectives, costs.min(axis=0) * signs, strict=True))
    return f"front of {is_nondominated(costs).sum()}, best {', '.join(best)}{failed}"


def _short(params: Params) -> str:
    values = {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in params.items()}
    return " ".join(f"{name}={value}" for name, value in values.items())


def both(first: ProgressListener, second: ProgressListener | None) -> ProgressListener:
    """A listener that tells both."""

    def listen(event: Progress) -> None:
        first(event)
        if second is not None:
            second(event)

    return listen
