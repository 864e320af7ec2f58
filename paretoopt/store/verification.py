"""Whether what a store holds is what was put into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock

from paretoopt.store.inventory import UNFINISHED, UNREADABLE, name_of
from paretoopt.store.layout import Layout
from paretoopt.store.record import CorruptEntryError, check_files, read_record


@dataclass(frozen=True)
class Fault:
    """An output that will not be used.

    Attributes:
        key: Its content address.
        name: The stage or measure that gave it, as far as that is known.
        problem: What is wrong with it.
    """

    key: str
    name: str
    problem: str


def faults(layout: Layout) -> Iterator[Fault]:
    """Every output that is corrupt, and every one that was left half-written; each file is read.

    None of them does harm: the store makes them again when they are wanted.
    """
    for folder in layout.finished():
        fault = _fault_of(folder)
        if fault is not None:
            yield fault
    for folder in layout.unfinished():
        if folder.is_dir() and not _is_being_made(layout, folder.name):
            yield Fault(folder.name, UNFINISHED, "half-written: its process died")


def _fault_of(folder: Path) -> Fault | None:
    name = UNREADABLE
    try:
        record = read_record(folder, folder.name)
        name = name_of(record)
        check_files(folder, record)
    except CorruptEntryError as error:
        # Another process may have removed it while it was read.
        return Fault(folder.name, name, f"corrupt: {error}") if folder.exists() else None
    return None


def _is_being_made(layout: Layout, key: str) -> bool:
    try:
        with layout.lock_of(key).acquire(timeout=0):
            return False
    except filelock.Timeout:
        return True
