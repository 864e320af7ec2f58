"""A folder that keeps the output of every stage under its content address.

Entries are written aside, synced and renamed into place, so that an entry is either whole or
absent, whatever is killed when. Checksums are verified whenever an entry is read; a corrupt entry
is never used: it is removed when its output is wanted again, by the process that makes it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paretoopt.errors import StoreError
from paretoopt.store.layout import STORE_VARIABLE, Layout, default_folder
from paretoopt.store.lease import Lease, lease
from paretoopt.store.record import ENTRY_FILE, CorruptEntryError, check_files, read_record, seal, sync_folder

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
        lease: Keeps the output from being pruned for as long as this entry lives.
    """

    key: str
    folder: Path
    seconds: float
    reused: bool
    description: Mapping[str, Any]
    lease: Lease = field(repr=False, compare=False)


class Store:
    """Stage outputs on disk, shared by candidates, studies and processes.

    Raises:
        StoreError: The folder cannot be created or written.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        """Open the store in ``folder``; None means the user's cache, or ``$PARETOOPT_STORE``."""
        self._layout = Layout(Path(folder if folder is not None else default_folder()).expanduser().absolute())
        self._make_folders()

    @property
    def folder(self) -> Path:
        """The folder that holds everything."""
        return self._layout.folder

    def find(self, key: str) -> Entry | None:
        """The entry under ``key``, its checksums verified; None where there is none, or a corrupt one.

        Raises:
            StoreError: The entry is there but cannot be read.
        """
        folder = self._layout.object_of(key)
        try:
            hold = lease(folder / ENTRY_FILE)
            record = read_record(folder, key)
            check_files(folder, record)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, CorruptEntryError):
            return None
        except OSError as error:
            raise StoreError(
                f"The store at {self.folder} cannot be read: {error}. "
                "Mend that, remove the entry's folder, or pass another folder as store=."
            ) from error
        with contextlib.suppress(OSError):  # a store that can only be read is as good
            os.utime(folder / ENTRY_FILE)
        return Entry(key, folder, record.seconds, reused=True, description=record.description, lease=hold)

    def holds(self, key: str) -> bool:
        """Whether there is an entry under ``key``; nothing of it is read, so that it may be a corrupt one."""
        return (self._layout.object_of(key) / ENTRY_FILE).is_file()

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
            with self._layout.lock_of(key):
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
        folder, scratch = self._layout.object_of(key), self._layout.scratch_of(key)
        if folder.exists():
            _LOGGER.warning("Store entry %s is corrupt; it is removed and made again.", key[:12])
            shutil.rmtree(folder)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            seconds = make(scratch)
            seal(scratch, key, seconds, description)
            folder.parent.mkdir(parents=True, exist_ok=True)
            scratch.rename(folder)
            sync_folder(folder.parent)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        hold = lease(folder / ENTRY_FILE)
        return Entry(key, folder, seconds, reused=False, description=dict(description), lease=hold)

    def _make_folders(self) -> None:
        layout = self._layout
        try:
            for folder in (layout.objects, layout.locks, layout.scratch):
                folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=layout.scratch):
                pass
        except OSError as error:
            raise StoreError(
                f"The store at {self.folder} cannot be written: {error}. "
                f"Pass store= a folder that can be, or set {STORE_VARIABLE}."
            ) from error
