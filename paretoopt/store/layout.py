"""Where a store keeps what: finished outputs, those that are being made, and the locks of both."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock
import platformdirs

STORE_VARIABLE = "PARETOOPT_STORE"
"""The environment variable that names the folder of the store."""


@dataclass(frozen=True)
class Layout:
    """The folders of one store; looking at them makes none.

    Attributes:
        folder: The folder that holds them all.
    """

    folder: Path

    @property
    def objects(self) -> Path:
        """Holds the finished outputs."""
        return self.folder / "objects"

    @property
    def locks(self) -> Path:
        """Holds one lock per output; whoever makes or removes the output has it."""
        return self.folder / "locks"

    @property
    def scratch(self) -> Path:
        """Holds outputs that are being made, and what the dead have left of theirs."""
        return self.folder / "scratch"

    def object_of(self, key: str) -> Path:
        """The folder of the finished output."""
        return self.objects / key[:2] / key

    def scratch_of(self, key: str) -> Path:
        """The folder in which the output is made."""
        return self.scratch / key

    def lock_of(self, key: str) -> filelock.FileLock:
        """Keeps other processes from making or removing the output."""
        return filelock.FileLock(self.locks / f"{key}.lock")

    def finished(self) -> Iterator[Path]:
        """The folders of all finished outputs, in the order of their keys."""
        for shelf in sorted(self.objects.iterdir()):
            yield from sorted(shelf.iterdir())

    def unfinished(self) -> Iterator[Path]:
        """The folders of all outputs that are being made, or were when their process died."""
        yield from sorted(self.scratch.iterdir())


def default_folder() -> Path:
    """What ``$PARETOOPT_STORE`` names, or a folder in the user's cache."""
    return Path(os.environ.get(STORE_VARIABLE) or platformdirs.user_cache_path("paretoopt") / "store")
