"""Which sampler a study uses by itself, and that it works there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from paretoopt.objectives import Objective
from paretoopt.search.create import create_study
from paretoopt.search.study import Study
from paretoopt.space import Float, Int, Ordered, SearchSpace

MakeWorkshop = Callable[..., Any]


def study_in(file: Path, space: SearchSpace, objectives: list[Objective]) -> Study:
    """Opens or reopens the study in a file."""
    return create_study(
        space, objectives=objectives, study_name="workshop", storage=f"sqlite:///{file}", load_if_exists=True
    )


def test_study_of_what_knows_its_costs_is_searched_cost_first(
    tmp_path: Path,
    make_workshop: MakeWorkshop,
    workshop_space: SearchSpace,
    objectives: list[Objective],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without a sampler of the user's, the study takes ours, says so, and trains few models for many candidates."""
    workshop, study = make_workshop(), study_in(tmp_path / "study.db", workshop_space, objectives)

    with caplog.at_level(logging.INFO, logger="paretoopt"):
        study.optimize(workshop, n_trials=20, progress=False)

    assert study.sampler_note == "Candidates are proposed cost first."
    assert study.sampler_note in caplog.messages
    assert len(study.candidates()) == 20
    assert workshop.seconds < 0.6 * (5 * 20 + 15 * 10)


def test_resumed_study_goes_on_as_if_it_had_not_stopped(
    tmp_path: Path, make_workshop: MakeWorkshop, workshop_space: SearchSpace, objectives: list[Objective]
) -> None:
    """Stopping and going on changes nothing in what is evaluated; the store stays what it was."""
    whole, parts = make_workshop(), make_workshop()
    study_in(tmp_path / "whole.db", workshop_space, objectives).optimize(whole, n_trials=18, progress=False)

    for n_trials in (7, 18):
        study_in(tmp_path / "parts.db", workshop_space, objectives).optimize(parts, n_trials=n_trials, progress=False)

    assert parts.asked == whole.asked


def test_two_spellings_of_a_candidate_are_proposed_once(
    tmp_path: Path, make_workshop: MakeWorkshop, objectives: list[Objective]
) -> None:
    """Where a dimension does nothing, the sampler does not ask again for what is known."""
    space = SearchSpace(
        width=Ordered(8, 64), pruned=Ordered(0.0, 0.5), taught=Int(0, 3), bits=Ordered(8), workers=Int(1, 1)
    )
    study = study_in(tmp_path / "study.db", space, objectives)

    study.optimize(make_workshop(), progress=False)

    assert len(study.candidates()) == 2 * (1 + 4)
    states = [trial.state for trial in study.optuna_study.trials[:10]]
    assert states == [optuna.trial.TrialState.COMPLETE] * 10


def test_tpe_is_the_default_elsewhere_and_the_study_says_why(
    tmp_path: Path,
    make_workshop: MakeWorkshop,
    workshop_space: SearchSpace,
    objectives: list[Objective],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A plain function knows no costs, and a continuous space cannot be listed, which is said while it runs."""
    continuous = SearchSpace(width=Float(8.0, 128.0), pruned=Float(0.0, 0.5), bits=Ordered(32, 8), workers=Int(1, 2))
    plain = study_in(tmp_path / "plain.db", workshop_space, objectives)
    wide = study_in(tmp_path / "wide.db", continuous, objectives)

    plain.optimize(lambda params: {"quality": 1.0, "memory": float(params["width"])}, n_trials=2, progress=False)
    wide.optimize(make_workshop(), n_trials=2)

    assert "TPE: the space has a continuous dimension" in " ".join(capsys.readouterr().err.split())
    assert "TPE: what evaluates the candidates does not" in str(plain.sampler_note)
    assert "TPE: the space has a continuous dimension" in str(wide.sampler_note)
    assert isinstance(wide.optuna_study.sampler, optuna.samplers.TPESampler)
