"""What a person sees while a study runs: a live display in a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from types import TracebackType

from optuna.trial import FrozenTrial
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from paretoopt.candidate import Evaluation, Progress, ProgressListener
from paretoopt.durations import duration_text
from paretoopt.objectives import Objective
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.ledger import Ledger
from paretoopt.search.progress_console import ProgressConsole, harmless
from paretoopt.search.progress_text import counts, joined, reuse, seconds_left, short, still_to_gain, summary, training
from paretoopt.space import Params

_LOGGER = logging.getLogger("paretoopt")
_LINE_EVERY_S = 30.0
_BAR_WIDTH = 20


class ProgressDisplay:
    """Shows trials as they come and go; whatever goes wrong in here never reaches the study."""

    def __init__(
        self,
        study_name: str,
        objectives: Sequence[Objective],
        target: int | None,
        console: Console | None = None,
        *,
        deadline: float | None = None,
        dimensions: Collection[str] = (),
    ) -> None:
        """Prepare a display.

        Args:
            study_name: Its title.
            objectives: What the study compares candidates in.
            target: Candidates that the study shall hold; None where that is not known.
            console: Where to draw; None for standard error.
            deadline: Value of ``time.monotonic()`` at which the study ends; None where it has none.
            dimensions: The parameters that are shown, where a candidate has them; all of them else.
        """
        self._console = console or ProgressConsole()
        self._study_name = study_name
        self._objectives = objectives
        self._target = target
        self._deadline = deadline
        self._dimensions = dimensions
        self._started_at = time.monotonic()
        self._spoke_at = self._started_at
        self._summary = self._counts = self._training = self._gain = ""
        self._n_evaluated = 0
        self._n_before: int | None = None
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

    @harmless
    def told(self, ledger: Ledger) -> None:
        """Show what the study holds."""
        self._n_evaluated = ledger.n_evaluated
        if self._n_before is None:
            self._n_before = self._n_evaluated
        self._summary = summary(ledger.feasible_values, self._objectives)
        self._counts, self._training = counts(ledger), training(ledger.training)

    @harmless
    def expects(self, gain: float | None) -> None:
        """Show the share of hypervolume that is expected still to gain; None where it is not known."""
        self._gain = still_to_gain(gain)

    @harmless
    def started(self, number: int, params: Params) -> None:
        """Show that a trial has begun."""
        self._params = {name: value for name, value in params.items() if name in self._dimensions} or params
        self._current = f"trial {number}: {short(self._params)}"
        self._stage = ""

    @harmless
    def heard(self, progress: Progress) -> None:
        """Show what goes on within a trial."""
        share = "" if progress.fraction is None else f" ({progress.fraction:.0%})"
        self._stage = f"{progress.stage}: {progress.message}{share}"
        if self._live is None and time.monotonic() - self._spoke_at > _LINE_EVERY_S:
            self.say(f"  {self._current} – {self._stage}")

    @harmless
    def finished(self, number: int, evaluation: Evaluation, ledger: Ledger) -> None:
        """Show a trial's objective values, and what it reused."""
        values = (
            f"{objective.metric} {evaluation.measurements[objective.metric].value:.4g}"
            for objective in self._objectives
        )
        self._end(f"trial {number}: {', '.join(values)}", ledger, reuse(evaluation.runs))

    @harmless
    def failed(self, number: int, reason: str, ledger: Ledger) -> None:
        """Show why a candidate could not be evaluated."""
        self._end(f"trial {number} failed: {reason}", ledger)

    @harmless
    def pruned(self, number: int, reason: str, ledger: Ledger, when: str = "pruned before training") -> None:
        """Show why a candidate was not trained, or not to the end."""
        self._end(f"trial {number} {when}: {reason}", ledger)

    @harmless
    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._spoke_at = time.monotonic()
        if self._console.quiet:
            _LOGGER.info(text)
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @harmless
    def _start(self) -> None:
        if self._console.is_terminal and not self._console.quiet:
            # Twice a second: drawing must not disturb what is measured.
            self._live = Live(get_renderable=self._draw, console=self._console, refresh_per_second=2, transient=True)
            self._live.start()

    @harmless
    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()

    def _end(self, text: str, ledger: Ledger, reused: str = "") -> None:
        self.told(ledger)
        self._current = self._stage = ""
        told = f"{self._count()} · {text}  [{short(self._params)}]"
        if self._live is not None:  # which has the rest
            self.say(joined(told, reused))
        else:
            self.say(joined(told, reused, self._summary, self._gain, self._counts, self._training, self._left()))

    def _count(self) -> str:
        return f"{self._n_evaluated}" if self._target is None else f"{self._n_evaluated}/{self._target}"

    def _left(self) -> str:
        now = time.monotonic()
        left = seconds_left(
            now - self._started_at,
            self._n_evaluated - (self._n_before or 0),
            None if self._target is None else self._target - self._n_evaluated,
            None if self._deadline is None else self._deadline - now,
        )
        return f"about {duration_text(left)} left" if left else ""

    def _draw(self) -> Group:
        head = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=self._target, completed=min(self._n_evaluated, self._target or 0), width=_BAR_WIDTH)
        head.add_row(Text(self._study_name, style="bold"), bar, joined(f"{self._count()} candidates", self._counts))
        elapsed = duration_text(time.monotonic() - self._started_at)
        summed_up = joined(self._summary, self._gain)
        lines = [joined(elapsed, self._left()), self._training, summed_up, self._current, self._stage]
        return Group(head, *(Text(line) for line in lines if line))


def display_of(
    study_name: str, definition: StudyDefinition, trials: Sequence[FrozenTrial], *, progress: bool
) -> ProgressDisplay:
    """A display of what is done with the candidates that a study has, ``trials``; silent without ``progress``."""
    console, ledger = ProgressConsole(quiet=not progress), Ledger()
    dimensions = definition.space.dimensions
    display = ProgressDisplay(study_name, definition.objectives, None, console, dimensions=dimensions)
    ledger.refresh(trials)
    display.told(ledger)
    return display


def both(first: ProgressListener, second: ProgressListener | None) -> ProgressListener:
    """A listener that tells both."""

    def listen(event: Progress) -> None:
        first(event)
        if second is not None:
            second(event)

    return listen
