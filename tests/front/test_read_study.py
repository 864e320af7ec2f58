"""A front of a plain Optuna study."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.candidate import Measurement
from paretoopt.errors import ObjectiveError, TableError
from paretoopt.front.front_of import front_of
from paretoopt.objectives import at_most, maximize, minimize
from paretoopt.search.create import create_study
from paretoopt.space import Int, SearchSpace

Values = Sequence[tuple[float, float]]


def run_study(
    values: Values, limit: float | None = None, names: Sequence[str] | None = ("quality", "cost")
) -> optuna.Study:
    """A study with one complete trial for each pair of values, whose cost may be limited."""
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=optuna.samplers.RandomSampler())
    if names is not None:
        with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
            study.set_metric_names(list(names))
    for quality, cost in values:
        trial = study.ask()
        trial.suggest_int("width", 1, 9)
        if limit is not None:
            trial.set_constraint("cost", cost - limit)
        study.tell(trial, (quality, cost))
    return study


_values = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=10)


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Optuna tells each trial otherwise."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@given(_values, st.none() | st.integers(0, 5))
def test_the_members_are_optunas_best_trials(values: Values, limit: int | None) -> None:
    """With and without a constraint, as ``study.best_trials`` has them."""
    study = run_study(values, limit)

    members = front_of(study).members

    assert [(one.number, dict(one.params)) for one in members] == [
        (one.number, one.params) for one in study.best_trials
    ]


def test_objectives_constraints_and_attributes_are_read() -> None:
    """Names and directions are the study's; numbers among user attributes are metrics, with their intervals."""
    study = run_study([(0.9, 5.0)], limit=4)
    trial = study.ask()
    attributes: dict[str, object] = {"mib": 3, "quality_low": 0.7, "note": "x", "is_odd": True}
    for name, value in attributes.items():
        trial.set_user_attr(name, value)
    study.tell(trial, (0.8, 2.0))

    front = front_of(study)

    assert front.objectives == (maximize("quality"), minimize("cost"))
    assert front.constraints == (at_most("cost_violation", 0.0),)
    assert front.candidates[0].measurements["cost_violation"] == Measurement(1.0)
    assert front.candidates[1].measurements == {
        "quality": Measurement(0.8, 0.7),
        "cost": Measurement(2.0),
        "mib": Measurement(3.0),
    }


def test_only_complete_trials_count() -> None:
    """Those that failed, were pruned, or still run were not measured."""
    study = run_study([(0.9, 5.0)])
    study.tell(study.ask(), state=optuna.trial.TrialState.PRUNED)
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    study.ask()

    assert [one.number for one in front_of(study).candidates] == [0]
    with pytest.raises(TableError, match="no complete trial yet"):
        front_of(run_study([]))


def test_values_without_names_are_named_by_the_objectives() -> None:
    """In their order, and only where the directions are the study's."""
    study = run_study([(0.9, 5.0)], names=None)

    assert front_of(study, [maximize("auc"), minimize("ms")]).members[0].measurements["ms"] == Measurement(5.0)
    for objectives in (None, [minimize("ms"), maximize("auc")]):
        with pytest.raises(ObjectiveError, match=r"objectives=\[maximize\(\.\.\.\), minimize\(\.\.\.\)\]"):
            front_of(study, objectives)


def test_a_study_of_paretoopt_is_read_as_such() -> None:
    """It holds more than Optuna reads, so that its Optuna study alone is refused."""
    study = create_study(SearchSpace(size=Int(1, 3)), objectives=[minimize("cost")], storage="sqlite:///:memory:")
    study.optimize(lambda params: {"cost": float(params["size"]), "extra": 1.0}, progress=False)

    assert front_of(study) == study.pareto_front()
    assert len(front_of(study, [minimize("extra")])) == 3
    with pytest.raises(TableError, match=r"made by paretoopt.*po\.create_study\(\.\.\., load_if_exists=True\)"):
        front_of(study.optuna_study)
