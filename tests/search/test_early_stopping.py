"""Early stopping in real Optuna studies with two objectives, in SQLite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from paretoopt.errors import ObjectiveError, StudyError
from paretoopt.objectives import at_least, at_most, maximize, minimize
from paretoopt.search.early_stopping import EarlyStopping
from paretoopt.search.learning_curves import LearningCurves
from paretoopt.search.rungs import Rungs
from paretoopt.search.watched_trials import STOPPED

OBJECTIVES = [maximize("accuracy"), minimize("memory_mib")]
FOUR_REFERENCES = LearningCurves(risk=0.2, reference_share=0.0)
N_EPOCHS = 4


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    """An empty study in a file."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(storage=f"sqlite:///{tmp_path / 'study.db'}", directions=["maximize", "minimize"])


def run(
    study: optuna.Study,
    stopping: EarlyStopping,
    final: float,
    memory: float,
    *,
    error: float = 0.0,
    known: Mapping[str, float] | None = None,
) -> FrozenTrial:
    """Train a candidate whose accuracy halves its distance from ``final`` in every epoch."""

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        watch = stopping.watch(trial, {"memory_mib": memory} if known is None else known)
        for epoch in range(N_EPOCHS):
            if watch.should_stop():
                raise optuna.TrialPruned(watch.reason)
            accuracy = final * (1 - 0.5 ** (epoch + 1))
            watch.report(epoch, {"accuracy": accuracy}, standard_errors={"accuracy": error})
        return final, memory

    study.optimize(objective, n_trials=1)
    return study.trials[-1]


def run_references(study: optuna.Study, stopping: EarlyStopping, *, error: float = 0.0) -> None:
    """Four trials that finish, the last of them the best; all of 10 MiB."""
    for final in (0.5, 0.6, 0.7, 0.8):
        run(study, stopping, final, 10.0, error=error)


def test_trial_that_cannot_join_the_front_is_stopped(study: optuna.Study) -> None:
    """It will come to 0.4 with 20 MiB, where another trial has 0.8 with 10 MiB; that is clear from its first epoch."""
    stopping = EarlyStopping(OBJECTIVES, rule=FOUR_REFERENCES)
    run_references(study, stopping)

    trial = run(study, stopping, 0.4, 20.0)

    assert trial.state == TrialState.PRUNED
    assert trial.user_attrs[STOPPED]["dominated_by"] == 3
    assert trial.user_attrs[STOPPED]["epoch"] == 0
    assert "accuracy can come to 0.4, memory_mib is 20; trial 3 has 0.8, 10" in trial.user_attrs[STOPPED]["reason"]


@pytest.mark.parametrize(("final", "memory"), [(0.4, 5.0), (0.9, 20.0), (0.8, 10.0)])
def test_trial_that_can_join_the_front_goes_on(study: optuna.Study, final: float, memory: float) -> None:
    """It is smaller than all others, or better than all others, or equal to one on the front."""
    stopping = EarlyStopping(OBJECTIVES, rule=FOUR_REFERENCES)
    run_references(study, stopping)

    assert run(study, stopping, final, memory).state == TrialState.COMPLETE


def test_stopped_trial_keeps_its_curve(study: optuna.Study) -> None:
    """Any process can read what was reported, with its error, and that samplers were told of."""
    stopping = EarlyStopping(OBJECTIVES, rule=FOUR_REFERENCES)
    run_references(study, stopping)

    trial = run(study, stopping, 0.4, 20.0, error=0.001)

    assert trial.user_attrs["early_stopping:curve"] == [[0, {"accuracy": [0.2, 0.001]}]]
    assert trial.user_attrs["early_stopping:known"] == {"memory_mib": [20.0, 0.0]}
    # Twice as large, and half as good: in the accuracy it takes least to escape.
    assert trial.constraints["stopped_early"] == pytest.approx(0.5, abs=0.01)


def test_nobody_is_stopped_before_there_are_enough_references(study: optuna.Study) -> None:
    """At a risk of 0.2 it takes four; the fourth trial is as hopeless as can be and still finishes."""
    stopping = EarlyStopping(OBJECTIVES, rule=FOUR_REFERENCES)

    trials = [run(study, stopping, final, memory) for final, memory in ((0.8, 1), (0.7, 2), (0.6, 3), (0.1, 9))]

    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert run(study, stopping, 0.1, 9.0).state == TrialState.PRUNED


def test_drawn_references_go_on(study: optuna.Study) -> None:
    """With all trials drawn as references, none is stopped by its curve."""
    stopping = EarlyStopping(OBJECTIVES, rule=LearningCurves(risk=0.2, reference_share=1.0))
    run_references(study, stopping)

    assert run(study, stopping, 0.1, 20.0).state == TrialState.COMPLETE


def test_what_is_better_by_luck_stops_nobody(study: optuna.Study) -> None:
    """0.4 against 0.8 is clear with standard errors of 0.1, and not with 0.4."""
    for error, state in ((0.1, TrialState.PRUNED), (0.4, TrialState.COMPLETE)):
        fresh = optuna.create_study(storage=study._storage, directions=["maximize", "minimize"])
        stopping = EarlyStopping(OBJECTIVES, rule=FOUR_REFERENCES)
        run_references(fresh, stopping, error=error)

        assert run(fresh, stopping, 0.4, 20.0, error=error).state == state


def test_objective_that_nothing_is_known_of_leaves_hope(study: optuna.Study) -> None:
    """A trial whose memory is measured at the end only may turn out the smallest."""
    stopping = EarlyStopping(OBJECTIVES, rule=LearningCurves(risk=0.4, reference_share=0.0))
    run_references(study, stopping)

    assert run(study, stopping, 0.1, 20.0, known={}).state == TrialState.COMPLETE


@pytest.mark.parametrize("rule", [LearningCurves(), Rungs()])
def test_trial_that_breaks_a_constraint_is_stopped_before_training(
    study: optuna.Study, rule: LearningCurves | Rungs
) -> None:
    """Memory is known, and twice the limit: no epoch is trained, and samplers are told by how much."""
    stopping = EarlyStopping(OBJECTIVES, [at_most("memory_mib", 10.0)], rule=rule)

    trial = run(study, stopping, 0.9, 20.0)

    assert trial.user_attrs[STOPPED]["reason"] == "memory_mib is 20, which breaks memory_mib ≤ 10"
    assert trial.user_attrs[STOPPED]["epoch"] is None
    assert trial.constraints["stopped_early"] == pytest.approx(1.0)


def test_trial_that_cannot_come_to_a_constraint_is_stopped(study: optuna.Study) -> None:
    """It would be the smallest, and can come to 0.4 where 0.45 is asked for."""
    stopping = EarlyStopping(OBJECTIVES, [at_least("accuracy", 0.45)], rule=FOUR_REFERENCES)
    run_references(study, stopping)

    trial = run(study, stopping, 0.4, 5.0)

    assert trial.user_attrs[STOPPED]["reason"] == "accuracy can come to 0.4, which breaks accuracy ≥ 0.45"


def test_infeasible_trials_dominate_nobody(study: optuna.Study) -> None:
    """The references break the constraint, so that the trial would be alone on the front."""
    stopping = EarlyStopping(OBJECTIVES, rule=FOUR_REFERENCES)
    run_references(study, stopping)
    limited = EarlyStopping(OBJECTIVES, [at_most("memory_mib", 9.0)], rule=FOUR_REFERENCES)

    assert run(study, limited, 0.4, 9.0).state == TrialState.COMPLETE
    assert run(study, limited, 0.3, 9.0).user_attrs[STOPPED]["dominated_by"] == 4


def test_minimized_metrics_have_lower_bounds(tmp_path: Path) -> None:
    """A loss that can come to 0.4 at best is dominated by a loss of 0.3, and not by one of 0.5."""
    study = optuna.create_study(storage=f"sqlite:///{tmp_path / 'study.db'}", directions=["minimize", "minimize"])
    stopping = EarlyStopping([minimize("loss"), minimize("memory_mib")], rule=FOUR_REFERENCES)

    def losses(final: float, memory: float) -> Callable[[optuna.Trial], tuple[float, float]]:
        def objective(trial: optuna.Trial) -> tuple[float, float]:
            watch = stopping.watch(trial, {"memory_mib": memory})
            for epoch in range(N_EPOCHS):
                watch.report(epoch, {"loss": final + 0.5**epoch})
                if watch.should_stop():
                    raise optuna.TrialPruned(watch.reason)
            return final, memory

        return objective

    for final, memory in ((0.8, 10), (0.7, 10), (0.5, 10), (0.3, 30), (0.4, 20), (0.4, 40)):
        study.optimize(losses(final, memory), n_trials=1)

    assert [trial.state.name for trial in study.trials[4:]] == ["COMPLETE", "PRUNED"]
    assert study.trials[5].user_attrs[STOPPED]["dominated_by"] == 3


def test_at_a_rung_the_better_share_goes_on(study: optuna.Study) -> None:
    """With a factor of 2, the worse of two stops at the first rung, and the better one of three goes on."""
    stopping = EarlyStopping(OBJECTIVES, rule=Rungs(first=2, reduction_factor=2))
    states = [run(study, stopping, final, 10.0).state.name for final in (0.5, 0.4, 0.6, 0.45)]

    assert states == ["COMPLETE", "PRUNED", "COMPLETE", "PRUNED"]
    assert study.trials[1].user_attrs[STOPPED] == {
        "reason": "at the rung of epoch 2 it is number 2 of 2, of which 1 go on",
        "epoch": 2,
        "dominated_by": 0,
    }
    assert study.trials[1].constraints["stopped_early"] > 0


@pytest.mark.parametrize(("n_epochs", "is_stopped"), [(None, True), (2, False)])
def test_no_rung_is_at_the_end_of_training(study: optuna.Study, n_epochs: int | None, is_stopped: bool) -> None:
    """The trial passes the rung of epoch 1 and is the worse at epoch 2, which is too late where that is the last."""
    stopping = EarlyStopping(OBJECTIVES, rule=Rungs(first=1, reduction_factor=2, n_epochs=n_epochs))
    steady, falling = (stopping.watch(study.ask(), {"memory_mib": 10.0}) for _ in range(2))
    for epoch, accuracies in ((1, (0.5, 0.6)), (2, (0.5, 0.4))):
        for watch, accuracy in zip((steady, falling), accuracies, strict=True):
            watch.report(epoch, {"accuracy": accuracy})

    assert falling.should_stop() == is_stopped


def test_stopped_trials_teach_the_sampler(tmp_path: Path) -> None:
    """Where one of two kinds is always stopped, a Parzen estimator comes to propose the other kind more often."""
    study = optuna.create_study(
        storage=f"sqlite:///{tmp_path / 'study.db'}",
        directions=["maximize", "minimize"],
        sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=10),
    )
    stopping = EarlyStopping(OBJECTIVES, [at_most("memory_mib", 10.0)])

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        memory = 20.0 if trial.suggest_categorical("kind", ["small", "large"]) == "large" else 5.0
        accuracy = trial.suggest_float("accuracy", 0, 1)
        watch = stopping.watch(trial, {"memory_mib": memory})
        if watch.should_stop():
            raise optuna.TrialPruned(watch.reason)
        return accuracy, memory

    study.optimize(objective, n_trials=30)

    assert sum(trial.params["kind"] == "large" for trial in study.trials[10:]) <= 7
    assert all(trial.state == TrialState.COMPLETE for trial in study.best_trials)


def test_study_with_other_objectives_is_refused(study: optuna.Study) -> None:
    """Values are told apart by their order, so that directions must be those of the study."""
    stopping = EarlyStopping([minimize("memory_mib"), maximize("accuracy")])

    with pytest.raises(StudyError, match=r"in the order in which trials return their values"):
        stopping.watch(study.ask())


def test_reports_that_decide_nothing_are_refused(study: optuna.Study) -> None:
    """A misspelt metric, a value that is no number, one that was known, and an epoch that was reported."""
    watch = EarlyStopping(OBJECTIVES).watch(study.ask(), {"memory_mib": 1.0})

    with pytest.raises(ObjectiveError, match=r"No objective or constraint is on 'acuracy'"):
        watch.report(0, {"acuracy": 0.5})
    with pytest.raises(ObjectiveError, match="accuracy is nan"):
        watch.report(0, {"accuracy": float("nan")})
    with pytest.raises(ObjectiveError, match="'memory_mib' was known before training"):
        watch.report(0, {"memory_mib": 1.0})
    with pytest.raises(ObjectiveError, match="has a standard error and no value"):
        watch.report(0, {}, standard_errors={"accuracy": 0.1})
    watch.report(3, {"accuracy": 0.5})
    with pytest.raises(StudyError, match="epoch 3 is reported after epoch 3"):
        watch.report(3, {"accuracy": 0.6})


def test_rules_out_of_range_are_refused() -> None:
    """Probabilities are from 0 to 1, and rungs rise."""
    with pytest.raises(StudyError, match=r"risk is 1\.5"):
        LearningCurves(risk=1.5)
    with pytest.raises(StudyError, match="reference_share is 2"):
        LearningCurves(reference_share=2)
    with pytest.raises(StudyError, match="first is 0"):
        Rungs(first=0)
    with pytest.raises(StudyError, match="n_epochs is 3, and the first rung at 3"):
        Rungs(first=3, n_epochs=3)
    with pytest.raises(StudyError, match="reduction_factor is 1"):
        Rungs(reduction_factor=1)
