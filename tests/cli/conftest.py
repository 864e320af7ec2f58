"""A store to ask about, and the command line to ask with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from paretoopt.cli.main import run
from paretoopt.store.keys import content_key
from paretoopt.store.store import Store

Answer = tuple[int, str, str]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store that the command line looks at unless told otherwise; it has two trained models and a latency."""
    monkeypatch.setenv("PARETOOPT_STORE", str(tmp_path / "store"))
    store = Store()
    for dim in (16, 32):
        description = {"stage": "fit", "params": {"embedding_dim": dim}}
        store.get_or_make(content_key("fit", dim), _weights(dim), description)
    store.get_or_make(content_key("latency"), _weights(1), {"measure": "latency", "params": {"embedding_dim": 16}})
    return store


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Types a command line; gives its exit status and what it wrote to standard output and standard error."""

    def asked(*arguments: str) -> Answer:
        status = run(arguments)
        return (status, *capsys.readouterr())

    return asked


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the width of the terminal."""
    return lambda width: monkeypatch.setenv("COLUMNS", str(width))


def _weights(n: int) -> Callable[[Path], float]:
    def make(folder: Path) -> float:
        (folder / "weights.bin").write_bytes(bytes(n * 1024))
        return 60.0 * n

    return make
