"""Where progress is written, and how a broken terminal is kept from the study."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import IO, Concatenate, ParamSpec, TypeVar

from rich.console import Console

_LOGGER = logging.getLogger("paretoopt")
_P = ParamSpec("_P")
_Self = TypeVar("_Self")


class ProgressConsole(Console):
    """Standard error, or ``file``; falls silent when nobody reads it any more."""

    def __init__(self, *, file: IO[str] | None = None, quiet: bool = False) -> None:
        """Write to ``file`` instead of standard error, or nothing at all where ``quiet``."""
        super().__init__(file=file, stderr=True, quiet=quiet)

    def on_broken_pipe(self) -> None:
        """Go on in silence, where rich would end the program."""
        self.quiet = True


def harmless(method: Callable[Concatenate[_Self, _P], None]) -> Callable[Concatenate[_Self, _P], None]:
    """Let nothing that goes wrong in ``method``, such as a closed terminal, reach the study."""

    @wraps(method)
    def guarded(display: _Self, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(display, *args, **kwargs)
        except Exception:
            _LOGGER.debug("The progress display failed.", exc_info=True)

    return guarded
