"""Faults are found and named, and what is sound or at work is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from paretoopt.store.layout import Layout
from paretoopt.store.store import Store
from paretoopt.store.verification import Fault, faults

Make = Callable[[Path], float]


def test_a_sound_store_has_no_fault(store: Store, key: str, make: Make) -> None:
    """Nothing to report."""
    store.get_or_make(key, make, {"stage": "fit"})

    assert list(faults(Layout(store.folder))) == []


def _change(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"0123456788")


def _lose(folder: Path) -> None:
    (folder / "sub" / "notes.txt").unlink()


@pytest.mark.parametrize(
    ("damage", "problem"),
    [(_change, "corrupt: weights.bin has changed"), (_lose, "corrupt: sub/notes.txt is missing")],
)
def test_a_damaged_file_is_named(
    damage: Callable[[Path], None], problem: str, store: Store, key: str, make: Make
) -> None:
    """The fault says which output, and which of its files."""
    damage(store.get_or_make(key, make, {"stage": "fit"}).folder)

    assert list(faults(Layout(store.folder))) == [Fault(key, "fit", problem)]


def test_a_damaged_record_is_a_fault(store: Store, key: str, make: Make) -> None:
    """No record, one that is cut off, and one of another output."""
    record = store.get_or_make(key, make, {"stage": "fit"}).folder / "entry.json"
    whole = json.loads(record.read_text())
    problems = []
    for text in ("{", json.dumps(whole | {"key": "f" * 64}), None):
        record.unlink() if text is None else record.write_text(text)
        problems += [fault.problem for fault in faults(Layout(store.folder))]

    assert problems == [
        "corrupt: its record cannot be understood",
        "corrupt: its record is that of ffffffffffff",
        "corrupt: it has no record",
    ]


def test_half_written_is_a_fault_unless_it_is_being_made(store: Store, key: str, make: Make) -> None:
    """A folder in the scratch is one while its maker lives, and a fault after."""
    layout = Layout(store.folder)
    while_made: list[Fault] = []

    def watched(folder: Path) -> float:
        while_made.extend(faults(layout))
        return make(folder)

    store.get_or_make(key, watched, {})
    layout.scratch_of(key).mkdir()

    assert while_made == []
    assert [fault.problem for fault in faults(layout)] == ["half-written: its process died"]
