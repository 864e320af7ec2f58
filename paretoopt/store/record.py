"""What a store notes down of each output: what it is, what it cost, and the checksums of its files."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from paretoopt.errors import StoreError
from paretoopt.store.keys import file_checksum

ENTRY_FILE = "entry.json"
"""Holds the record, beside the output's files; its time of modification is when the output was last used."""


class CorruptEntryError(ValueError):
    """An output that is not what its record says, or that has no sound record; the message says what is wrong."""


@dataclass(frozen=True)
class EntryRecord:
    """What is noted down of one output.

    Attributes:
        key: Its content address.
        seconds: What making it took.
        created: When it was made, in seconds since the epoch.
        description: What the maker said of it.
        checksums: The SHA-256 of every file, by its path within the output's folder.
    """

    key: str
    seconds: float
    created: float
    description: Mapping[str, Any]
    checksums: Mapping[str, str]


def read_record(folder: Path, key: str) -> EntryRecord:
    """The record of the output in ``folder``; the files that it names are not looked at.

    Raises:
        CorruptEntryError: There is no record, it cannot be understood, or it is that of another output.
        OSError: It cannot be read.
    """
    try:
        fields = json.loads((folder / ENTRY_FILE).read_text())
        record = EntryRecord(
            key=fields["key"],
            seconds=float(fields["seconds"]),
            created=float(fields["created"]),
            description=dict(fields["description"]),
            checksums=dict(fields["checksums"]),
        )
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise CorruptEntryError("it has no record") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptEntryError("its record cannot be understood") from error
    if record.key != key:
        raise CorruptEntryError(f"its record is that of {str(record.key)[:12]}")
    return record


def check_files(folder: Path, record: EntryRecord) -> None:
    """Compare every file with its checksum.

    Raises:
        CorruptEntryError: A file is missing, or is not what was written.
        OSError: A file cannot be read.
    """
    for name, checksum in record.checksums.items():
        try:
            found = file_checksum(folder / name)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise CorruptEntryError(f"{name} is missing") from error
        if found != checksum:
            raise CorruptEntryError(f"{name} has changed")


def seal(folder: Path, key: str, seconds: float, description: Mapping[str, Any]) -> None:
    """Write the record of the files in ``folder``, and sync them all to disk.

    Raises:
        StoreError: A file has the record's name.
    """
    if (folder / ENTRY_FILE).exists():
        raise StoreError(
            f"An output may not hold a file named {ENTRY_FILE}: the store keeps its record there. Rename it."
        )
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    checksums = {path.relative_to(folder).as_posix(): file_checksum(path) for path in files}
    record = EntryRecord(key, seconds, time.time(), dict(description), checksums)
    (folder / ENTRY_FILE).write_text(json.dumps(asdict(record), indent=1, sort_keys=True))
    for path in [*files, folder / ENTRY_FILE]:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make what was renamed or written in ``folder`` outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
