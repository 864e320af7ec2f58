"""Studies that are loaded by their names."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pytest

from paretoopt.errors import StudyError, StudyMismatchError
from paretoopt.objectives import at_most
from paretoopt.search.listing import list_studies
from paretoopt.search.loading import load_study
from paretoopt.search.stored_study import open_stored_study
from paretoopt.search.study import Study

OpenStudy = Callable[..., Study]
MakeScales = Callable[..., Any]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The database of ``open_study``."""
    return f"sqlite:///{tmp_path / 'study.db'}"


def test_a_loaded_study_is_the_one_that_was_created(open_study: OpenStudy, url: str) -> None:
    """Space, objectives and constraints come from the database."""
    created = open_study(constraints=[at_most("cost", 4)])

    loaded = load_study(storage=url)

    assert (loaded.study_name, loaded.space) == ("scales", created.space)
    assert (loaded.objectives, loaded.constraints) == (created.objectives, created.constraints)


def test_a_loaded_study_goes_on_as_the_created_one_would(
    open_study: OpenStudy, make_scales: MakeScales, tmp_path: Path, url: str
) -> None:
    """Four candidates, and four more after loading, are those of eight at once."""
    open_study().optimize(make_scales(), n_trials=4, progress=False)
    load_study(storage=url).optimize(make_scales(), n_trials=8, progress=False)
    whole = open_study(storage=f"sqlite:///{tmp_path / 'whole.db'}")
    whole.optimize(make_scales(), n_trials=8, progress=False)

    assert [one.params for one in load_study(storage=url).candidates()] == [one.params for one in whole.candidates()]


def test_a_stored_study_shows_what_a_running_one_adds(open_study: OpenStudy, make_scales: MakeScales, url: str) -> None:
    """Every reading is of the database as it is now."""
    study = open_study()
    stored = open_stored_study(storage=url)
    assert stored.candidates() == ()

    study.optimize(make_scales(), n_trials=3, progress=False)

    assert stored.candidates() == study.candidates()
    assert [record.number for record in stored.trial_records()] == [trial.number for trial in stored.trials()]


def test_trials_are_told_apart(open_study: OpenStudy, make_scales: MakeScales, url: str) -> None:
    """A failure, a waiting candidate and a running one have their states; the failure has its reason."""
    study = open_study()
    study.enqueue({"size": 8, "waste": 0.0})
    study.optimize(make_scales(fails=lambda params: params["size"] == 8), n_trials=1, progress=False)
    study.enqueue({"size": 1, "waste": 0.0})
    study.enqueue({"size": 2, "waste": 0.25})
    study.optuna_study.ask()

    failed, running, waiting = open_stored_study(storage=url).trial_records()

    assert (failed.state, failed.reason) == ("pruned", "weigh: the scales are stuck")
    assert (running.state, running.params) == ("running", {"size": 1, "waste": 0.0})
    assert (waiting.state, waiting.params, waiting.seconds) == ("waiting", {"size": 2, "waste": 0.25}, None)


def test_which_of_several_studies_must_be_said(open_study: OpenStudy, url: str) -> None:
    """The names that there are stand in the message."""
    open_study()
    open_study(study_name="other")

    with pytest.raises(StudyError, match=r"has 2 studies\. Give the study's name, one of 'other', 'scales'"):
        load_study(storage=url)
    assert load_study(study_name="other", storage=url).study_name == "other"


def test_a_study_of_plain_optuna_is_listed_and_not_loaded(url: str) -> None:
    """What its trials mean is not known."""
    optuna.create_study(study_name="plain", storage=url, directions=["minimize", "maximize"])

    (summary,) = list_studies(url)

    assert (summary.definition, summary.directions) == (None, ("minimize", "maximize"))
    with pytest.raises(StudyMismatchError, match="'plain' was not made by paretoopt"):
        load_study(storage=url)


def test_a_database_of_something_else_is_left_as_it_is(tmp_path: Path, url: str) -> None:
    """Optuna would make its tables in it."""
    with closing(sqlite3.connect(tmp_path / "study.db")) as connection:
        connection.execute("CREATE TABLE mine (x)")

    with pytest.raises(StudyError, match="is a database without studies"):
        load_study(storage=url)

    with closing(sqlite3.connect(tmp_path / "study.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]


def test_a_file_that_is_no_database_is_named(tmp_path: Path, url: str) -> None:
    """A damaged file is refused with its name and what to do."""
    (tmp_path / "study.db").write_bytes(b"no database at all" * 100)

    with pytest.raises(StudyError, match=r"study\.db cannot be used: file is not a database"):
        load_study(storage=url)
