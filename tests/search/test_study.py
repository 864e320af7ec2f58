"""A study: creating, resuming, reading."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from paretoopt.candidate import StageRun
from paretoopt.errors import EnvironmentWarning, ObjectiveError, SpaceError, StudyError, StudyMismatchError
from paretoopt.objectives import Constraint, Objective, at_least, at_most, maximize, minimize
from paretoopt.search.create import create_study
from paretoopt.search.records import read_candidates
from paretoopt.search.study import Study
from paretoopt.space import Float, Ordered, SearchSpace

OpenStudy = Callable[..., Study]
MakeScales = Callable[..., Any]


def test_front_of_an_exhausted_space_is_the_known_one(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """When every candidate is evaluated, the front is exactly the one of the closed form."""
    study = open_study()

    study.optimize(make_scales())

    assert sorted((m.params["size"], m.params["waste"]) for m in study.pareto_front().members) == [
        (1, 0.0),
        (2, 0.0),
        (4, 0.0),
        (8, 0.0),
    ]


def test_n_trials_counts_what_earlier_runs_evaluated(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """The same call again evaluates nothing; a larger number only the difference."""
    scales = make_scales()
    open_study().optimize(scales, n_trials=6)
    open_study().optimize(scales, n_trials=6)
    assert len(scales.asked) == 6

    open_study().optimize(scales, n_trials=9)

    assert len(scales.asked) == len(open_study().candidates()) == 9


def test_measurements_are_read_back_as_they_were_made(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """Canonical parameters, values, intervals and stages survive the database."""
    scales = make_scales()
    open_study().optimize(scales, n_trials=1)

    candidate = open_study().candidates()[0]

    assert candidate.params == scales.asked[0]
    again = scales.evaluate(candidate.params, lambda progress: None)
    assert (candidate.measurements, candidate.runs) == (again.measurements, again.runs)


def test_environment_travels_with_the_candidate(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """Half a study measured on one machine and half on another is read with both, and its front warns."""
    for n_trials, machine in ((4, "EPYC"), (8, "Xeon")):
        scales = make_scales()
        scales.environment = machine
        open_study().optimize(scales, n_trials=n_trials)

    assert {candidate.runs[0].environment for candidate in open_study().candidates()} == {"EPYC", "Xeon"}
    with pytest.warns(EnvironmentWarning, match=r"EPYC(.|\n)*Xeon"):
        open_study().pareto_front()


def test_records_without_an_environment_are_still_read() -> None:
    """Studies of earlier versions kept four fields of each stage."""
    attributes = {"params": {}, "measurements": {"cost": [1.0]}, "runs": [["weigh", "abc", False, 0.25]]}
    trial = optuna.trial.create_trial(value=1.0, user_attrs=attributes)

    assert read_candidates([trial])[0].runs == (StageRun("weigh", "abc", False, 0.25, None),)


def test_resumed_study_gives_the_candidates_of_an_uninterrupted_one(
    open_study: OpenStudy, make_scales: MakeScales, tmp_path: Path
) -> None:
    """With the default sampler, stopping and going on changes nothing in what is evaluated."""
    whole, first, second = make_scales(), make_scales(), make_scales()
    open_study(storage=f"sqlite:///{tmp_path / 'other.db'}", seed=3).optimize(whole, n_trials=14)

    open_study(seed=3).optimize(first, n_trials=12)
    open_study(seed=3).optimize(second, n_trials=14)

    assert [*first.asked, *second.asked] == whole.asked


def test_enqueued_candidates_come_first_and_once(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """A script that enqueues and is run twice evaluates what it enqueued once, first of all."""
    scales = make_scales()
    for _ in range(2):
        study = open_study()
        study.enqueue({"size": 8, "waste": 0.5})
        study.optimize(scales, n_trials=3)

    assert scales.asked[0] == {"unit": "kg", "size": 8, "waste": 0.5}
    assert len(study.optuna_study.get_trials(states=[optuna.trial.TrialState.WAITING])) == 0
    assert len(study.optuna_study.trials) == 3


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"size": 8}, "lacks waste"),
        ({"size": 8, "waste": 0.5, "mass": 1}, "has mass besides"),
        ({"size": 3, "waste": 0.5}, "size=3 is not in the space"),
        ({"size": 8, "waste": 0.3}, r"waste=0\.3 is not in the space"),
        ({"size": True, "waste": 0.5}, "size=True is not in the space"),
    ],
)
def test_enqueued_candidate_must_be_in_the_space(
    open_study: OpenStudy, params: dict[str, object], message: str
) -> None:
    """A candidate that the space does not hold is refused with the reason."""
    with pytest.raises(SpaceError, match=message):
        open_study().enqueue(params)  # type: ignore[arg-type]  # on purpose


def test_frame_has_every_candidate(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """The table has a row for each evaluated candidate, with parameters, metrics and intervals."""
    study = open_study()
    study.optimize(make_scales(), n_trials=5)

    frame = study.to_frame()

    assert len(frame) == 5
    assert {"number", "size", "waste", "cost", "error", "error_low", "error_high"} <= set(frame.columns)


def test_existing_study_is_not_continued_by_accident(open_study: OpenStudy) -> None:
    """Without load_if_exists, a name that is taken is refused."""
    open_study()

    with pytest.raises(StudyError, match="load_if_exists=True"):
        open_study(load_if_exists=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": SearchSpace(size=Ordered(1, 2), waste=Float(0.0, 0.75, step=0.25))}, r"\(1, 2, 4, 8\).*\(1, 2\)"),
        ({"objectives": [minimize("cost"), maximize("error")]}, "objectives .cost ↓, error ↓.*cost ↓, error ↑"),
        ({"constraints": [at_most("cost", 4)]}, "constraints .none.*cost ≤ 4"),
    ],
)
def test_study_is_not_resumed_with_another_definition(
    open_study: OpenStudy, changes: dict[str, object], message: str
) -> None:
    """A resumed study with another space, objectives or constraints is refused, showing both sides."""
    open_study()

    with pytest.raises(StudyMismatchError, match=message) as caught:
        open_study(**changes)
    assert "Use another study_name" in str(caught.value)


def test_study_is_not_resumed_with_another_pipeline(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """A pipeline with another fingerprint is refused before it evaluates anything."""
    other = make_scales(version="2")
    open_study().optimize(make_scales(), n_trials=2)

    with pytest.raises(StudyMismatchError, match="fingerprint was scales 1, and is now scales 2"):
        open_study().optimize(other, n_trials=4)
    assert other.asked == []


def test_study_made_by_optuna_alone_is_refused(open_study: OpenStudy, tmp_path: Path) -> None:
    """The trials of a study that paretoopt did not make have an unknown meaning."""
    plain = optuna.create_study(
        storage=f"sqlite:///{tmp_path / 'study.db'}", study_name="scales", directions=["minimize", "minimize"]
    )
    plain.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 0.0), n_trials=1)

    with pytest.raises(StudyMismatchError, match="not made by paretoopt"):
        open_study()


def test_unmeasured_metric_is_refused_before_any_evaluation(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """The pipeline's own check runs before the first candidate."""
    scales = make_scales()

    with pytest.raises(ObjectiveError, match="'mass' is not measured"):
        open_study(objectives=[minimize("mass")]).optimize(scales, n_trials=1)
    assert scales.asked == []


@pytest.mark.parametrize(
    ("objectives", "constraints", "message"),
    [
        ([], [], "at least one objective"),
        ([minimize("a"), minimize("a")], [], "given twice"),
        ([minimize("a"), maximize("a")], [], "minimized and maximized at once"),
        (["a"], [], r"'a' is no objective. Use minimize\('a'\)"),
        ([minimize("a")], [at_least("b", 2), at_most("b", 1)], "at least 2 and at most 1"),
        ([minimize("a")], [at_most("b", 2), at_most("b", 1)], "two limits of one sense"),
        ([minimize("a")], [at_most("b", float("inf"))], "Give a finite bound"),
    ],
)
def test_contradictory_wishes_are_refused(
    space: SearchSpace, objectives: list[Objective], constraints: list[Constraint], message: str
) -> None:
    """Objectives and constraints that no study could follow are refused at creation."""
    with pytest.raises(ObjectiveError, match=message):
        create_study(space, objectives=objectives, constraints=constraints, storage="sqlite:///:memory:")


def test_endless_study_is_refused(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """In a continuous space something has to end the study."""
    study = open_study(space=SearchSpace(size=Float(1.0, 8.0), waste=Float(0.0, 1.0)))

    with pytest.raises(StudyError, match="never end"):
        study.optimize(make_scales())


def test_default_database_is_a_file_in_the_current_folder(
    space: SearchSpace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without storage=, the study is in paretoopt.db."""
    monkeypatch.chdir(tmp_path)

    create_study(space, objectives=[minimize("cost")])

    assert (tmp_path / "paretoopt.db").exists()


def test_optuna_itself_is_at_hand(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """The Optuna study has the metrics' names and sees ordered dimensions as integers."""
    study = open_study()
    study.optimize(make_scales(), n_trials=2)

    trial = study.optuna_study.trials[0]

    assert study.optuna_study.metric_names == ["cost", "error"]
    assert isinstance(trial.distributions["size.index"], optuna.distributions.IntDistribution)
    assert trial.user_attrs["params"]["size"] == (1, 2, 4, 8)[trial.params["size.index"]]


def test_optuna_neither_reports_nor_warns(
    open_study: OpenStudy, make_scales: MakeScales, caplog: pytest.LogCaptureFixture
) -> None:
    """Optuna's own reports are silenced while a study runs, and back afterwards."""
    optuna.logging.enable_propagation()
    before = optuna.logging.get_verbosity()

    with warnings.catch_warnings(), caplog.at_level(logging.INFO):
        warnings.simplefilter("error")
        open_study().optimize(make_scales(), n_trials=12)

    optuna.logging.disable_propagation()
    assert [record for record in caplog.records if record.name.startswith("optuna")] == []
    assert optuna.logging.get_verbosity() == before
