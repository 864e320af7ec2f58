"""Early stopping of the trainings of a study, with curves that are known to the end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from optuna.trial import TrialState

import paretoopt as po
from paretoopt.candidate import Evaluation, Progress, ProgressListener, RemainingStage
from paretoopt.errors import CandidateError, StudyError
from paretoopt.search.create import create_study
from paretoopt.search.ledger import Ledger
from paretoopt.search.sharing import own_stages, sharing
from paretoopt.search.stage_curves import read_curves
from paretoopt.search.study import Study
from paretoopt.search.watched import Estimate, Verdict, Watched, Wishes
from paretoopt.space import Params
from studies.benchmarks.early_stopping import Curve
from studies.benchmarks.early_stopping import read_curves as read_table
from studies.benchmarks.stage_stopping import OBJECTIVES, ReplayedTraining, Variant, members_of, replay

FOUR_REFERENCES = po.LearningCurves(risk=0.2, reference_share=0.0)
REFERENCES = ((0.5, 10.0), (0.6, 10.0), (0.7, 10.0), (0.8, 10.0))
TABLE = Path(__file__).resolve().parents[2] / "docs" / "results" / "learning_curves.csv"
HALF = (Variant(), Variant(0.5, 0.9))


def curve(final: float, cost: float) -> Curve:
    """Quality halves its distance from the final one in each of four epochs."""
    return Curve(tuple(Estimate(final * (1 - 0.5**epoch)) for epoch in (1, 2, 3, 4)), cost)


def training(*candidates: tuple[float, float], variants: Sequence[Variant] = (Variant(),)) -> ReplayedTraining:
    """Four references, then the candidates given by final quality and memory."""
    return ReplayedTraining([curve(*one) for one in (*REFERENCES, *candidates)], variants)


def studied(
    trained: ReplayedTraining, rule: po.StoppingRule = FOUR_REFERENCES, constraints: Sequence[po.Constraint] = ()
) -> Study:
    """The study of all candidates, the references' first variants first, the others by curve and variant."""
    study = create_study(
        trained.space, objectives=OBJECTIVES, constraints=constraints, storage="sqlite:///:memory:", study_name="curves"
    )
    for params in sorted(trained.space.grid(), key=lambda one: (int(one["curve"]) > 3, one["variant"], one["curve"])):
        study.enqueue(params)
    study.optimize(trained, early_stopping=rule, cost_pruning=None, progress=False)
    return study


def test_training_that_cannot_lead_to_the_front_is_ended() -> None:
    """It will come to 0.4 with 20 MiB, where trial 3 has 0.8 with 10; that is clear from its first epoch."""
    trained = training((0.4, 20.0))
    study = studied(trained)

    (stopped,) = study.pruned()

    assert (stopped.stage, stopped.epoch, stopped.dominated_by, stopped.training_cost) == ("fit", 1, 3, 1.0)
    assert stopped.reason.startswith("after epoch 1 of fit, quality can come to 0.375, memory_mib is 20; trial 3 has")
    assert trained.n_epochs == 4 * 4 + 1
    trial = study.optuna_study.trials[stopped.number]
    assert (trial.state, study.failures()) == (TrialState.PRUNED, ())
    assert max(trial.constraints.values()) <= 0


@pytest.mark.parametrize("candidate", [(0.4, 5.0), (0.9, 20.0), (0.8, 10.0)])
def test_training_that_can_lead_to_the_front_goes_on(candidate: tuple[float, float]) -> None:
    """The candidate is smaller than all others, or better, or equal to one on the front."""
    trained = training(candidate)

    assert studied(trained).pruned() == ()
    assert trained.n_epochs == 5 * 4


def test_training_spent_on_what_was_stopped_is_counted() -> None:
    """Four references of four epochs, and the one epoch; no model came of it."""
    study, ledger = studied(training((0.4, 20.0))), Ledger()
    ledger.refresh(study.optuna_study.trials)

    assert (ledger.training.spent, ledger.training.n_trained, ledger.n_pruned) == (17.0, 4, 1)


def test_shared_training_goes_on_for_one_variant_that_can_join() -> None:
    """With 9 MiB the model is dominated by a compressed one of 5, but its compressed form of 4.5 is the smallest."""
    trained = training((0.7, 9.0), variants=HALF)

    assert studied(trained).pruned() == ()
    assert trained.n_epochs == 5 * 4


def test_shared_training_ends_when_no_variant_can_join() -> None:
    """Both forms are dominated: one epoch is trained for the first, and none for the second, which remembers it."""
    trained = training((0.4, 40.0), variants=HALF)
    study = studied(trained)

    first, second = study.pruned()

    assert first.reason.endswith("; nor can 1 more that need it join the front")
    assert second.reason.startswith("fit was stopped in trial 8 after epoch 1, and quality can come to")
    assert (first.epoch, first.training_cost) == (1, 1.0)
    assert (second.epoch, second.training_cost) == (None, 0.0)
    assert trained.n_epochs == 4 * 4 + 1


def test_shared_training_goes_on_where_the_cost_of_a_variant_is_not_known() -> None:
    """It may turn out the smallest of all."""
    curves = [curve(*one) for one in (*REFERENCES, (0.4, 40.0))]
    trained = ReplayedTraining(curves, HALF, all_known=False)

    assert studied(trained).pruned() == ()
    assert trained.n_epochs == 5 * 4


@dataclass
class LeastMemory:
    """A rule of one's own: what needs more than a limit has no hope."""

    limit: float

    def is_reference(self, number: int, others: Sequence[Watched], to_learn: Collection[str]) -> bool:  # noqa: ARG002
        """None is."""
        return False

    def judge(self, candidate: Watched, others: Sequence[Watched], wishes: Wishes) -> Verdict | None:  # noqa: ARG002
        """By what is known."""
        memory = candidate.known["memory_mib"].value
        return Verdict(f"memory is {memory:g}", 1.0) if memory > self.limit else None


def test_training_that_was_stopped_begins_again_for_one_that_can_join() -> None:
    """Nothing had hope when it was stopped; later, its smaller form has."""
    rule, trained = LeastMemory(0.0), ReplayedTraining([curve(0.5, 10.0)], HALF)
    study = create_study(trained.space, objectives=OBJECTIVES, storage="sqlite:///:memory:")
    study.enqueue({"curve": 0, "variant": 0})
    study.optimize(trained, n_trials=1, early_stopping=rule, progress=False)

    rule.limit = 5.0
    study.optimize(trained, early_stopping=rule, progress=False)

    assert [one.params["variant"] for one in study.pruned()] == [0]
    assert [one.params["variant"] for one in study.candidates()] == [1]
    assert trained.n_epochs == 1 + 4


def test_candidate_that_cannot_come_to_a_constraint_is_told_as_infeasible() -> None:
    """It would be the smallest, and can come to 0.375 where 0.45 is asked for."""
    study = studied(training((0.4, 5.0)), constraints=[po.at_least("quality", 0.45)])

    (stopped,) = study.pruned()

    assert "breaks quality ≥ 0.45" in stopped.reason
    assert study.optuna_study.trials[stopped.number].constraints["stopped_early"] > 0


def test_rungs_stop_stages_too() -> None:
    """With a factor of 2, the worse of two trainings of one size ends at the first rung."""
    curves = [curve(0.5, 10.0), curve(0.4, 10.0)]

    (stopped,) = studied(ReplayedTraining(curves), po.Rungs(first=2, reduction_factor=2)).pruned()

    assert (stopped.params["curve"], stopped.epoch) == (1, 2)


class BreaksAfterTraining(ReplayedTraining):
    """What is trained cannot be measured in one candidate."""

    broken = 3

    def evaluate(self, params: Params, listener: ProgressListener, /) -> Evaluation:
        """Train, and fail."""
        evaluation = super().evaluate(params, listener)
        listener(Progress("quality", "started"))
        if params["curve"] == self.broken:
            raise CandidateError("quality: it cannot be measured")
        return evaluation


def test_training_that_ended_is_a_reference_even_if_its_candidate_failed() -> None:
    """Else only those that went well would be learnt from: the failed one is the fourth that the risk needs."""
    curves = [curve(*one) for one in (*REFERENCES, (0.4, 20.0))]

    study = studied(BreaksAfterTraining(curves))

    assert len(study.failures()) == 1
    assert [one.params["curve"] for one in study.pruned()] == [4]


def test_training_that_was_cut_short_teaches_nothing() -> None:
    """Neither that its process died, nor that it diverged, says what it would have come to."""
    trained = training()
    study = studied(trained)
    optuna_study = study.optuna_study
    cut = optuna_study.ask()
    cut.set_user_attr("early_stopping:stages", [["fit 9", "fit", True, [[1, {"quality": 0.1}]], "running"]])
    assert read_curves(optuna_study.trials)["fit 9"].state == "running"

    optuna_study.tell(cut, state=TrialState.FAIL)

    assert sorted(read_curves(optuna_study.trials)) == ["fit 0", "fit 1", "fit 2", "fit 3"]


def test_members_of_the_front_are_lost_no_more_often_than_stated() -> None:
    """Real curves of 39 trainings, each with two compressed forms, in three random orders at a risk of 0.1.

    The tolerance is that of a binomial share; and to have a risk at all, a tenth of the epochs must be saved.
    """
    curves = read_table(TABLE, "ndcg_at_10", "weights_mib")
    trainings = [ReplayedTraining(curves) for _ in range(3)]
    fronts = [replay(one, po.LearningCurves(risk=0.1), seed).pareto_front() for seed, one in enumerate(trainings)]
    members = members_of(trainings[0])

    n_lost = sum(params not in [found.params for found in front.members] for front in fronts for params in members)

    assert n_lost <= 0.1 * 3 * len(members) + 2 * (0.1 * 0.9 * 3 * len(members)) ** 0.5
    assert sum(one.n_epochs for one in trainings) <= 0.9 * 3 * sum(len(one.estimates) for one in curves)


def test_plain_function_is_refused() -> None:
    """It does not say what it trains."""
    study = create_study(po.SearchSpace(size=po.Int(1, 2)), objectives=OBJECTIVES, storage="sqlite:///:memory:")

    with pytest.raises(StudyError, match="early_stopping needs a Pipeline"):
        study.optimize(lambda params: {"quality": 1, "memory_mib": 1}, early_stopping=FOUR_REFERENCES, progress=False)


class Taught(ReplayedTraining):
    """Curve 0 is the teacher of all others."""

    def remaining(self, params: Params, /) -> tuple[RemainingStage, ...]:
        """The teacher's training, then one's own."""
        return (RemainingStage("fit", "fit 0", {"curve": 0}), *super().remaining(params))


def test_training_of_a_teacher_is_not_the_candidates_own() -> None:
    """Its quality says little of what the taught model can come to."""
    trained = Taught([curve(*one) for one in REFERENCES])

    assert list(own_stages(trained, {"curve": 2, "variant": 0})) == ["fit 2"]
    assert list(own_stages(trained, {"curve": 0, "variant": 0})) == ["fit 0"]


def test_sharing_is_known_where_what_a_stage_does_not_read_is_finite() -> None:
    """A continuous dimension that the stage depends on has one value; another one has no end."""
    trained = training(variants=HALF)
    stage = RemainingStage("fit", "fit 2", {"curve": 2})
    wide = po.SearchSpace(curve=po.Float(0.0, 9.0), variant=po.Int(0, 1))
    endless = po.SearchSpace(curve=po.Int(0, 3), variant=po.Float(0.0, 1.0))

    assert sharing(trained.space, trained, stage) == [{"variant": 0, "curve": 2}, {"variant": 1, "curve": 2}]
    assert sharing(wide, trained, stage) == [{"variant": 0, "curve": 2}, {"variant": 1, "curve": 2}]
    assert sharing(endless, trained, stage) is None


def test_measurement_that_both_share_is_a_tie() -> None:
    """Two candidates of one shape have one latency, however uncertain, so that the better one dominates the other."""
    latency = {"memory_mib": Estimate(10.0, 3.0)}
    wishes = Wishes(OBJECTIVES, ())
    rival = Watched(0, {**latency, "quality": Estimate(0.8)}, finals={"quality": 0.8, "memory_mib": 10.0})
    other = Watched(1, {"memory_mib": Estimate(10.0, 2.9), "quality": Estimate(0.8)}, finals=rival.finals)
    rule = po.LearningCurves(risk=0.05)
    poor = Watched(2, {**latency, "quality": Estimate(0.5)})

    assert rule.judge(poor, [rival], wishes) is not None
    assert rule.judge(poor, [other], wishes) is None
