"""Opening the database that a study lives in."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import optuna
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from paretoopt.errors import StudyError

DEFAULT_STORAGE = "sqlite:///paretoopt.db"
_BUSY_TIMEOUT_S = 60.0
_OPEN_ATTEMPTS = 6
_CREATED_MEANWHILE = ("already exists", "UNIQUE constraint failed: alembic_version", "database is locked")


class _Connection(sqlite3.Connection):
    """A connection that lets readers go on while one process writes.

    With a write-ahead log a trial costs half the time. ``synchronous=NORMAL`` loses nothing when a
    process is killed; only a power cut can take the last commits, and never harms the file.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (passed on as they are)
        super().__init__(*args, **kwargs)
        if self.execute("PRAGMA journal_mode").fetchone() == ("delete",):
            self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=NORMAL")


@dataclass(frozen=True)
class Database:
    """Where a study lives.

    Attributes:
        storage: What Optuna reads and writes it through.
        name: Names it in errors; a password is left out.
        lock_file: Held by whoever claims a candidate, so that no two processes claim the same one;
            None for a database that is no local file.
    """

    storage: optuna.storages.BaseStorage
    name: str
    lock_file: Path | None

    def lock(self) -> AbstractContextManager[object]:
        """Keep other processes from claiming a candidate meanwhile."""
        return nullcontext() if self.lock_file is None else filelock.FileLock(self.lock_file, poll_interval=0.01)

    @contextmanager
    def naming_failures(self) -> Iterator[None]:
        """Turn a failure of the database into a StudyError that names it and says what to do."""
        try:
            yield
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            raise _unusable(self.name, error.__cause__ or error) from error


def open_database(storage: str | optuna.storages.BaseStorage | None) -> Database:
    """Open the database that ``storage`` stands for.

    Args:
        storage: A database URL, an Optuna storage, or None for ``paretoopt.db`` in the current folder.

    Raises:
        StudyError: The database cannot be opened.
    """
    given = DEFAULT_STORAGE if storage is None else storage
    if isinstance(given, str):
        if "://" not in given:
            raise StudyError(f"storage={given!r} is no database URL. Write storage='sqlite:///{given}' for a file.")
        given = _open_url(given)
    if not isinstance(given, optuna.storages.RDBStorage):
        return Database(given, type(given).__name__, None)
    url = make_url(given.url)
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    lock_file = Path(f"{url.database}.lock").absolute() if is_file else None
    return Database(optuna.storages.get_storage(given), url.render_as_string(hide_password=True), lock_file)


def open_existing_database(storage: str | optuna.storages.BaseStorage | None) -> Database:
    """Open a database that is there already: looking for one makes none.

    Raises:
        StudyError: There is none, the file is no study database, or it cannot be opened.
    """
    url = DEFAULT_STORAGE if storage is None else storage
    if isinstance(url, str) and url.startswith("sqlite:"):
        _refuse_no_studies(Path(make_url(url).database or ""))
    return open_database(storage)


def _refuse_no_studies(file: Path) -> None:
    """Refuse a SQLite file that Optuna would make, or make its tables in."""
    if not file.is_file():
        raise StudyError(f"There is no study database {str(file)!r}. Name another storage, or run a study first.")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'studies'").fetchone()
    except sqlite3.Error as error:
        raise _unusable(str(file), error) from error
    if found is None:
        raise StudyError(f"{str(file)!r} is a database without studies. Name another storage.")


def _open_url(url: str) -> optuna.storages.RDBStorage:
    engine: dict[str, Any] = {}
    if url.startswith("sqlite:"):
        engine = {"connect_args": {"timeout": _BUSY_TIMEOUT_S, "factory": _Connection}}
    try:
        return _open(url, engine)
    except (SQLAlchemyError, RuntimeError, ImportError) as error:  # the latter: another Optuna's schema, no driver
        raise _unusable(url.rpartition("@")[2], error.__cause__ or error) from error


def _unusable(name: str, cause: BaseException) -> StudyError:
    return StudyError(
        f"The study database {name} cannot be used: {str(cause).splitlines()[0]}. Its folder must exist and be "
        "writable. If the file is damaged, move it away (the stages' store keeps their work), or pass another "
        "storage=, for example storage='sqlite:///study.db'."
    )


def _open(url: str, engine: dict[str, Any]) -> optuna.storages.RDBStorage:
    # Optuna looks for its tables and then creates them; of two processes at once, the second fails halfway.
    for attempt in range(_OPEN_ATTEMPTS - 1):
        try:
            return optuna.storages.RDBStorage(url, engine_kwargs=dict(engine))
        except SQLAlchemyError as error:
            if not any(message in str(error) for message in _CREATED_MEANWHILE):
                raise
            time.sleep(0.1 * 2**attempt)
    return optuna.storages.RDBStorage(url, engine_kwargs=dict(engine))
