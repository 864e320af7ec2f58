"""A store, and an output to keep in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from paretoopt.store.keys import content_key
from paretoopt.store.store import Store

KEY = content_key("an output")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store in a fresh folder."""
    return Store(tmp_path / "store")


@pytest.fixture
def key() -> str:
    """The key of the output."""
    return KEY


@pytest.fixture
def made() -> list[Path]:
    """The folders in which the output was made, in order."""
    return []


@pytest.fixture
def make(made: list[Path]) -> Callable[[Path], float]:
    """Makes the output: two files, at a cost of 1.5 s."""

    def make(folder: Path) -> float:
        made.append(folder)
        (folder / "weights.bin").write_bytes(b"0123456789")
        (folder / "sub").mkdir()
        (folder / "sub" / "notes.txt").write_text("kept")
        return 1.5

    return make
