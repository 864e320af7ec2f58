"""Opening the database, and what is said where that fails."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from paretoopt.errors import StudyError
from paretoopt.objectives import minimize
from paretoopt.search.create import create_study
from paretoopt.search.storage import open_database
from paretoopt.search.study import Study
from paretoopt.space import SearchSpace

OpenStudy = Callable[..., Study]
MakeScales = Callable[..., Any]

_OPEN = """
import sys
from paretoopt.objectives import minimize
from paretoopt.search.create import create_study
from paretoopt.space import Int, SearchSpace
create_study(SearchSpace(size=Int(1, 2)), objectives=[minimize("cost")], storage=sys.argv[1], study_name=sys.argv[2])
"""


def test_sqlite_writes_ahead(tmp_path: Path) -> None:
    """A database file has a write-ahead log, so that readers do not block a running study."""
    open_database(f"sqlite:///{tmp_path / 'study.db'}")

    assert (tmp_path / "study.db").read_bytes()[18:20] == b"\x02\x02"  # the file format's mark of a write-ahead log


def test_password_is_not_shown() -> None:
    """An error that names a database does not tell its password."""
    with pytest.raises(StudyError, match="cannot be used") as caught:
        open_database("nosuchdatabase://me:secret@host/name")
    assert "secret" not in str(caught.value)


def test_optuna_storage_passes_through(space: SearchSpace, make_scales: MakeScales) -> None:
    """Any storage of Optuna's can hold a study."""
    storage = optuna.storages.InMemoryStorage()

    create_study(space, objectives=[minimize("cost")], storage=storage, study_name="here").optimize(
        make_scales(), n_trials=3, progress=False
    )

    assert len(optuna.load_study(study_name="here", storage=storage).trials) == 3


def test_file_that_is_no_database_is_named(tmp_path: Path, open_study: OpenStudy) -> None:
    """A damaged file is refused with its name and what to do."""
    (tmp_path / "study.db").write_bytes(b"no database at all" * 100)

    with pytest.raises(StudyError, match=r"study\.db cannot be used: .*not a database.*move it away"):
        open_study()


def test_database_damaged_later_is_named(tmp_path: Path, open_study: OpenStudy, make_scales: MakeScales) -> None:
    """A file whose pages were overwritten is refused with its name, not with a traceback of the driver."""
    open_study().optimize(make_scales(), n_trials=3)
    file = tmp_path / "study.db"
    sqlite3.connect(file).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * (file.stat().st_size - 4096))

    with pytest.raises(StudyError, match=r"study\.db cannot be used"):
        open_study()


def test_folder_that_does_not_exist_is_named(tmp_path: Path, open_study: OpenStudy) -> None:
    """SQLite makes no folders; the message says that one is needed."""
    with pytest.raises(StudyError, match=r"missing/study\.db cannot be used: .*folder must exist"):
        open_study(storage=f"sqlite:///{tmp_path}/missing/study.db")


def test_plain_file_name_is_refused_with_its_url(open_study: OpenStudy) -> None:
    """A file name is no URL; the message has the URL."""
    with pytest.raises(StudyError, match=r"storage='sqlite:///shop\.db'"):
        open_study(storage="shop.db")


def test_unknown_kind_of_database_is_refused(open_study: OpenStudy) -> None:
    """A URL that nothing understands is an error of ours."""
    with pytest.raises(StudyError, match="cannot be used"):
        open_study(storage="nosuchdatabase://host/name")


def test_processes_may_create_one_database_at_once(tmp_path: Path) -> None:
    """Several processes that start together all get their study."""
    url = f"sqlite:///{tmp_path / 'study.db'}"
    starts = [subprocess.Popen([sys.executable, "-c", _OPEN, url, f"study {i}"]) for i in range(3)]

    assert [start.wait() for start in starts] == [0, 0, 0]
    assert len(optuna.get_all_study_names(url)) == 3
