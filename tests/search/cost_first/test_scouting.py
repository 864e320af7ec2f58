"""Costs are measured of what would be trained next, before it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paretoopt.candidate import Evaluation, ProgressListener
from paretoopt.errors import CandidateError
from paretoopt.objectives import Objective
from paretoopt.search.create import create_study
from paretoopt.search.records import SCOUTED
from paretoopt.search.study import Study
from paretoopt.space import Params, SearchSpace

MakeWorkshop = Callable[..., Any]


@pytest.fixture
def open_study(tmp_path: Path, workshop_space: SearchSpace, objectives: list[Objective]) -> Callable[[str], Study]:
    """Opens or reopens the study of this name."""
    return lambda name: create_study(
        workshop_space,
        objectives=objectives,
        study_name=name,
        storage=f"sqlite:///{tmp_path}/{name}.db",
        load_if_exists=True,
    )


def test_nothing_is_trained_whose_costs_were_not_measured_before(
    make_workshop: MakeWorkshop, open_study: Callable[[str], Study]
) -> None:
    """A candidate that trains a stage is among those that were scouted until then."""
    study = open_study("one")

    study.optimize(make_workshop(knows_costs=False), n_trials=25, cost_pruning=None, progress=False)

    scouted: list[Params] = []
    for trial, candidate in zip(study.optuna_study.trials, study.candidates(), strict=True):
        scouted += [params for params, costs in trial.user_attrs.get(SCOUTED, ())]
        if any(not run.reused for run in candidate.runs):
            wanted = {name: candidate.params[name] for name in study.space.dimensions}
            assert wanted in scouted


def test_a_study_that_goes_on_remembers_what_was_scouted(
    make_workshop: MakeWorkshop, open_study: Callable[[str], Study]
) -> None:
    """Where nothing but the trials tells costs, stopping and going on changes nothing in what is evaluated."""
    whole, parts = (make_workshop(knows_costs=False) for _ in range(2))
    open_study("whole").optimize(whole, n_trials=20, progress=False)

    for n_trials in (5, 9, 20):
        open_study("parts").optimize(parts, n_trials=n_trials, progress=False)

    assert parts.asked == whole.asked


def test_a_candidate_whose_costs_cannot_be_measured_fails_with_the_reason(
    make_workshop: MakeWorkshop, open_study: Callable[[str], Study]
) -> None:
    """Scouting passes it over, its own trial tells why, and the study goes on."""
    workshop, study = make_workshop(knows_costs=False), open_study("one")
    measure = workshop.costs

    def costs(params: Params, listener: ProgressListener) -> Evaluation:
        if params["width"] == 128:
            raise CandidateError("does not fit")
        measured: Evaluation = measure(params, listener)
        return measured

    workshop.costs = costs
    study.optimize(workshop, n_trials=30, progress=False)

    assert len(study.candidates()) + len(study.failures()) + len(study.pruned()) == 30
    assert {failure.reason for failure in study.failures()} <= {"does not fit"}
    assert all(candidate.params["width"] != 128 for candidate in study.candidates())
