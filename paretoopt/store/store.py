"""A folder that keeps the output of every stage under its content address.

Entries are written aside, synced and renamed into place, so that an entry is either whole or
absent, whatever is killed when. Checksums are verified whenever an entry is read; a corrupt entry
is removed and made again, never used.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import platformdirs

from paretoopt.errors import StoreError
from paretoopt.store.keys import file_checksum

_ENTRY_FILE = "entry.json"
_LOGGER = logging.getLogger("paretoopt")


@dataclass(frozen=True)
class Entry:
    """One stored output.

    Attributes:
        key: Its content address.
        folder: The folder that holds its files; do not change them.
        seconds: What making it took, without the stages before it.
        reused: True where it was in the store already.
        description: What was stored along with it, for people and tools.
    """

    key: str
    folder: Path
    seconds: float
    reused: bool
    description: Mapping[str, Any]


class Store:
    """Stage outputs on disk, shared by candidates, studies and processes.

    Raises:
        StoreError: The folder cannot be created or written.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        """Open the store in ``folder``; None means the user's cache, or ``$PARETOOPT_STORE``."""
        default = os.environ.get("PARETOOPT_STORE") or platformdirs.user_cache_path("paretoopt") / "store"
        self.folder = Path(folder if folder is not None else default).expanduser().absolute()
        self._objects = self.folder / "objects"
        self._locks = self.folder / "locks"
        self._scratch = self.folder / "scratch"
        self._make_folders()

    def find(self, key: str) -> Entry | None:
        """The entry under ``key``, its checksums verified; None where there is none."""
        folder = self._folder_of(key)
        try:
            record = json.loads((folder / _ENTRY_FILE).read_text())
            intact = _is_intact(folder, record)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError, OSError):
            intact = False
        if not intact:
            _LOGGER.warning("Store entry %s is corrupt; it is removed and will be made again.", key[:12])
            shutil.rmtree(folder, ignore_errors=True)
            return None
        return Entry(key, folder, float(record["seconds"]), reused=True, description=record["description"])

    def get_or_make(self, key: str, make: Callable[[Path], float], description: Mapping[str, Any]) -> Entry:
        """The entry under ``key``, made first where it is absent.

        Two processes that want the same key make it once: the second waits for the first.

        Args:
            key: Content address, as of :func:`paretoopt.store.keys.content_key`.
            make: Writes the output's files into the empty folder given, and returns the seconds
                that are the output's own cost.
            description: Kept beside the output.

        Raises:
            StoreError: The store cannot be written.
        """
        entry = self.find(key)
        if entry is not None:
            return entry
        with filelock.FileLock(self._locks / f"{key}.lock"):
            return self.find(key) or self._make(key, make, description)

    def _make(self, key: str, make: Callable[[Path], float], description: Mapping[str, Any]) -> Entry:
        scratch = Path(tempfile.mkdtemp(prefix=key[:12], dir=self._scratch))
        try:
            seconds = make(scratch)
            _seal(scratch, {"key": key, "seconds": seconds, "created": time.time(), "description": dict(description)})
            folder = self._folder_of(key)
            folder.parent.mkdir(parents=True, exist_ok=True)
            scratch.rename(folder)
            _sync_folder(folder.parent)
        except OSError as error:
            raise StoreError(
                f"The store at {self.folder} could not keep an output: {error}. "
                "Free some space, or pass store= a folder that can be written."
            ) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return Entry(key, folder, seconds, reused=False, description=dict(description))

    def _folder_of(self, key: str) -> Path:
        return self._objects / key[:2] / key

    def _make_folders(self) -> None:
        try:
            for folder in (self._objects, self._locks, self._scratch):
                folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._scratch):
                pass
        except OSError as error:
            raise StoreError(
                f"The store at {self.folder} cannot be written: {error}. "
                "Pass store= a folder that can be, or set PARETOOPT_STORE."
            ) from error


def _seal(folder: Path, record: dict[str, Any]) -> None:
    """Sync every file of ``folder`` to disk and write the entry record with their checksums."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    record["checksums"] = {path.relative_to(folder).as_posix(): file_checksum(path) for path in files}
    (folder / _ENTRY_FILE).write_text(json.dumps(record, indent=1, sort_keys=True))
    for path in [*files, folder / _ENTRY_FILE]:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    _sync_folder(folder)


def _is_intact(folder: Path, record: Mapping[str, Any]) -> bool:
    """True where every file that the record names is there with its checksum."""
    checksums: Mapping[str, str] = record["checksums"]
    float(record["seconds"])
    return all(file_checksum(folder / name) == checksum for name, checksum in checksums.items())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
