"""The report of a study as it is now, made again when the study has found something new."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

from paretoopt.report.report import render
from paretoopt.report.source import Reportable


class Watched(Reportable, Protocol):
    """A study that may go on while it is looked at."""

    def version(self) -> str:
        """Another text whenever the study has found something new."""


@dataclass(frozen=True)
class Edition:
    """The report as it was at some time.

    Attributes:
        version: What the study was at.
        page: The report, as HTML.
    """

    version: str
    page: str


class LiveReport:
    """Keeps the newest edition, so that many readers cost one rendering."""

    def __init__(self, study: Watched) -> None:
        """Report on ``study``."""
        self._study = study
        self._edition: Edition | None = None
        self._lock = threading.Lock()

    @property
    def study_name(self) -> str:
        """The study's name."""
        return self._study.study_name

    def version(self) -> str:
        """What the study is at now; cheap, unlike :meth:`edition`."""
        with self._lock:
            return self._study.version()

    def edition(self) -> Edition:
        """The report on what the study is at now."""
        with self._lock:
            version = self._study.version()
            if self._edition is None or self._edition.version != version:
                self._edition = Edition(version, render(self._study))
            return self._edition
