"""A store to ask about, and the command line to ask with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from paretoopt.candidate import Measurement
from paretoopt.cli.main import run
from paretoopt.errors import CandidateError
from paretoopt.objectives import at_most, maximize, minimize
from paretoopt.search.create import create_study
from paretoopt.space import Int, Params, SearchSpace
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


@pytest.fixture(scope="session")
def toy_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of one study, ``toy``.

    Its candidates are sizes from 1 to 6; 6 fails, and 5 breaks a limit. Those from 1 to 4 are the front.
    """
    file = tmp_path_factory.mktemp("toy") / "toy.db"
    study = create_study(
        SearchSpace(size=Int(1, 6)),
        objectives=[maximize("quality"), minimize("memory_mib")],
        constraints=[at_most("memory_mib", 40.0)],
        study_name="toy",
        storage=f"sqlite:///{file}",
    )
    study.optimize(_measure, progress=False)
    return file


@pytest.fixture
def study_url(toy_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A copy of ``toy_database`` in the current folder."""
    monkeypatch.chdir(tmp_path)
    for file in toy_database.parent.iterdir():  # what the write-ahead log holds is part of the database
        shutil.copy(file, tmp_path)
    return f"sqlite:///{tmp_path / 'toy.db'}"


def _measure(params: Params) -> dict[str, Measurement | float]:
    size = float(params["size"])
    if size == 6:
        raise CandidateError("fit: out of memory")
    return {"quality": Measurement(size, size - 0.25, size + 0.25), "memory_mib": 10 * size, "artifact_mib": 9 - size}
