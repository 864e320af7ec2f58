"""A folder that keeps the output of every stage under its content address.

Entries are written aside, synced and renamed into place, so that an entry is either whole or
absent, whatever is killed when. Checksums are verified whenever an entry is read; a corrupt entry
is never used: it is removed when its output is wanted again, by the process that makes it.
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
        """The entry under ``key``, its checksums verified; None where there is none, or a corrupt one.

        Raises:
            StoreError: The entry is there but cannot be read.
        """
        folder = self._folder_of(key)
        try:
            record = json.loads((folder / _ENTRY_FILE).read_text())
            if not _is_intact(folder, record, key):
                return None
            return Entry(key, folder, float(record["seconds"]), reused=True, description=dict(record["description"]))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        except OSError as error:
            raise StoreError(
                f"The store at {self.folder} cannot be read: {error}. "
                "Mend that, remove the entry's folder, or pass another folder as store=."
            ) from error

    def holds(self, key: str) -> bool:
        """Whether there is an entry under ``key``; nothing of it is read, so that it may be a corrupt one."""
        return (self._folder_of(key) / _ENTRY_FILE).is_file()

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
        try:
            with filelock.FileLock(self._locks / f"{key}.lock"):
                return self.find(key) or self._make(key, make, description)
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(
                f"The store at {self.folder} could not keep an output: {error}. "
                "Free some space, or pass store= a folder that can be written."
            ) from error

    def _make(self, key: str, make: Callable[[Path], float], description: Mapping[str, Any]) -> Entry:
        """Make the entry; the caller holds the key's lock, so what lies here of it was left by the dead."""
        folder, scratch = self._folder_of(key), self._scratch / key
        if folder.exists():
            _LOGGER.warning("Store entry %s is corrupt; it is removed and made again.", key[:12])
            shutil.rmtree(folder)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            seconds = make(scratch)
            _seal(scratch, {"key": key, "seconds": seconds, "created": time.time(), "description": dict(description)})
            folder.parent.mkdir(parents=True, exist_ok=True)
            scratch.rename(folder)
            _sync_folder(folder.parent)
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
    if (folder / _ENTRY_FILE).exists():
        raise StoreError(
            f"An output may not hold a file named {_ENTRY_FILE}: the store keeps its record there. Rename it."
        )
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    record["checksums"] = {path.relative_to(folder).as_posix(): file_checksum(path) for path in files}
    (folder / _ENTRY_FILE).write_text(json.dumps(record, indent=1, sort_keys=True))
    for path in [*files, folder / _ENTRY_FILE]:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    _sync_folder(folder)


def _is_intact(folder: Path, record: Mapping[str, Any], key: str) -> bool:
    """True where the record is that of ``key`` and every file that it names is there with its checksum."""
    checksums: Mapping[str, str] = record["checksums"]
    return record["key"] == key and all(
        file_checksum(folder / name) == checksum for name, checksum in checksums.items()
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
