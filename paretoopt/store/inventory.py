"""What a store holds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretoopt.store.layout import Layout
from paretoopt.store.record import ENTRY_FILE, CorruptEntryError, EntryRecord, read_record

UNREADABLE = "(unreadable)"
"""The name of an output that does not say what it is."""
UNFINISHED = "(unfinished)"
"""The name of an output that is being made, or was when its process died."""


@dataclass(frozen=True)
class StoredOutput:
    """One output, as it lies on disk.

    Attributes:
        key: Its content address.
        folder: The folder that holds its files.
        name: The stage or measure that gave it, or that it is unreadable or unfinished.
        params: The candidate that it was made for first; others that share it may differ in what it does not depend on.
        n_bytes: Size of all its files.
        created: When it was made, in seconds since the epoch.
        last_used: When it was last made or used, likewise.
        seconds: What making it took; 0 where that is not known.
    """

    key: str
    folder: Path
    name: str
    params: Mapping[str, Any]
    n_bytes: int
    created: float
    last_used: float
    seconds: float


@dataclass(frozen=True)
class Holdings:
    """All outputs of one stage or measure.

    Attributes:
        name: The stage or measure.
        n_outputs: Their number.
        n_bytes: Their size.
        seconds: What making them took.
    """

    name: str
    n_outputs: int
    n_bytes: int
    seconds: float


def inventory(layout: Layout) -> tuple[StoredOutput, ...]:
    """Every output, the last used first; what another process removes meanwhile is left out."""
    found = [_finished(folder) for folder in layout.finished()]
    found += [_on_disk(folder, UNFINISHED) for folder in layout.unfinished()]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: -one.last_used))


def holdings(outputs: Sequence[StoredOutput]) -> tuple[Holdings, ...]:
    """The sums of ``outputs`` by stage and measure, the largest first."""
    by_name: dict[str, list[StoredOutput]] = {}
    for output in outputs:
        by_name.setdefault(output.name, []).append(output)
    sums = (
        Holdings(name, len(group), sum(one.n_bytes for one in group), sum(one.seconds for one in group))
        for name, group in by_name.items()
    )
    return tuple(sorted(sums, key=lambda one: -one.n_bytes))


def name_of(record: EntryRecord) -> str:
    """The stage or measure that gave the output."""
    return str(record.description.get("stage") or record.description.get("measure") or UNREADABLE)


def _finished(folder: Path) -> StoredOutput | None:
    try:
        record = read_record(folder, folder.name)
        return StoredOutput(
            key=record.key,
            folder=folder,
            name=name_of(record),
            params=dict(record.description.get("params", {})),
            n_bytes=_size_of(folder),
            created=record.created,
            last_used=(folder / ENTRY_FILE).stat().st_mtime,
            seconds=record.seconds,
        )
    except (CorruptEntryError, FileNotFoundError):
        return _on_disk(folder, UNREADABLE)


def _on_disk(folder: Path, name: str) -> StoredOutput | None:
    """The output of which nothing but its files is known; None where it has just gone."""
    try:
        changed = folder.stat().st_mtime
        return StoredOutput(folder.name, folder, name, {}, _size_of(folder), changed, changed, 0.0)
    except FileNotFoundError:
        return None


def _size_of(folder: Path) -> int:
    return sum((Path(parent) / name).lstat().st_size for parent, _, names in os.walk(folder) for name in names)
