"""Which candidates need no training, and that hardly any of them would have been on the front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from paretoopt.candidate import Candidate, Measurement
from paretoopt.errors import StudyError
from paretoopt.front.dominance import is_nondominated
from paretoopt.objectives import Constraint, at_least, at_most
from paretoopt.search.cost_pruning import CostPruning, Verdict, broken_limit, judge, surely_dominating
from paretoopt.search.create import create_study
from paretoopt.search.evaluator import CostFirst, Evaluator
from paretoopt.search.study import Study
from paretoopt.space import Params
from tests.search.tables import OBJECTIVES, SPACE, Table, definition, shuffled

STRONG = Candidate(7, {}, {"quality": Measurement(0.8, 0.7, 0.9), "memory": Measurement(2.0, 1.9, 2.1)})
ALL_BOUNDED = CostPruning(quality_bound=lambda params: {"quality": 0.5})


def study_of(*constraints: Constraint, storage: str = "sqlite:///:memory:", **changes: object) -> Study:
    """A study of a table."""
    settings: dict[str, object] = {"study_name": "table", "load_if_exists": True, **changes}
    return create_study(SPACE, objectives=OBJECTIVES, constraints=constraints, storage=storage, **settings)  # type: ignore[arg-type]  # settings are mixed


def replay(seed: int, risk: float) -> tuple[set[str], set[str], int]:
    """The front's members by name, the pruned candidates, and how many candidates were examined, in random order."""
    table, grid = Table(seed), shuffled(seed)
    observed: list[Candidate] = []
    pruned: set[str] = set()
    for number, params in enumerate(grid):
        costs = {"memory": Measurement(table.memory(params))}
        if judge(params, costs, lambda: observed, table, definition(), CostPruning(risk)) is not None:
            pruned.add(table.artifact_key(params))
        else:
            observed.append(table.candidate(number, params))
    values = np.array([[-table.quality(params), table.memory(params)] for params in grid])
    members = {table.artifact_key(grid[position]) for position in np.flatnonzero(is_nondominated(values))}
    return members, pruned, len(grid)


@pytest.mark.parametrize("risk", [0.05, 0.1])
def test_candidates_that_were_pruned_are_never_of_the_front_beyond_the_stated_risk(risk: float) -> None:
    """Over replays of forty random tables, of candidates examined and of the front's members alike."""
    replays = [replay(seed, risk) for seed in range(40)]

    lost = sum(len(members & pruned) for members, pruned, _ in replays)

    assert sum(len(pruned) for _, pruned, _ in replays) > 100
    assert lost <= risk * sum(n for _, _, n in replays)
    assert lost <= risk * sum(len(members) for members, _, _ in replays)


def test_without_risk_only_limits_prune() -> None:
    """Nothing is pruned for being dominated."""
    assert replay(0, 0.0)[1] == set()


@pytest.mark.parametrize("risk", [-0.1, 0.5, float("nan")])
def test_a_risk_that_nobody_means_is_refused(risk: float) -> None:
    """It is a share of candidates."""
    with pytest.raises(StudyError, match="Use 0, or one below"):
        CostPruning(risk)


@pytest.mark.parametrize(
    ("cost", "limit", "is_broken"),
    [
        (Measurement(11.0), at_most("memory", 10), True),
        (Measurement(11.0, 9.5, 12.0), at_most("memory", 10), False),
        (Measurement(11.0, 10.5, 12.0), at_most("memory", 10), True),
        (Measurement(9.0, 8.5, 10.5), at_least("memory", 10), False),
        (Measurement(9.0, 8.5, 9.5), at_least("memory", 10), True),
        (Measurement(99.0), at_most("quality", 10), False),
    ],
)
def test_a_limit_is_broken_if_the_whole_interval_breaks_it(
    cost: Measurement, limit: Constraint, is_broken: bool
) -> None:
    """And only if it is one on what was measured."""
    assert (broken_limit({"memory": cost}, [limit]) is not None) is is_broken


@pytest.mark.parametrize(
    ("quality", "memory", "is_dominated"),
    [
        (Measurement(0.6), Measurement(3.0, 2.8, 3.2), True),
        (Measurement(0.75), Measurement(3.0, 2.8, 3.2), False),
        (Measurement(0.6), Measurement(2.2, 2.0, 2.4), False),
        (Measurement(0.6), STRONG.measurements["memory"], True),
        (STRONG.measurements["quality"], STRONG.measurements["memory"], False),
    ],
    ids=["surely", "its quality may be better", "its memory may be better", "of the same shape", "the same"],
)
def test_one_dominates_surely_if_it_does_whatever_the_true_values(
    quality: Measurement, memory: Measurement, is_dominated: bool
) -> None:
    """The ends of the intervals that favour the dominated one are compared; a shared measurement is a tie."""
    best = {"quality": quality, "memory": memory}

    assert (surely_dominating(best, [STRONG], definition()) is STRONG) is is_dominated


def test_one_that_may_break_a_limit_dominates_nobody() -> None:
    """The front could lose it."""
    best = {"quality": Measurement(0.1), "memory": Measurement(9.0)}

    assert surely_dominating(best, [STRONG], definition(at_most("memory", 2.0))) is None
    assert surely_dominating(best, [STRONG], definition(at_most("memory", 2.05))) is None
    assert surely_dominating(best, [STRONG], definition(at_most("memory", 2.2))) is STRONG


def verdict(table: Table, observed: Sequence[Candidate], pruning: CostPruning = ALL_BOUNDED) -> Verdict | None:
    """What is said of the widest candidate."""
    params: Params = {"width": 64, "ratio": 0.0, "bits": 32}
    return judge(params, {"memory": Measurement(64.0)}, lambda: observed, table, definition(), pruning)


def test_the_reason_names_the_rival_and_the_figures() -> None:
    """As a person wants to read it."""
    found = verdict(Table(), [STRONG])

    assert found is not None
    assert found.dominated_by == 7
    assert found.reason == (
        "trial 7 would dominate it, with quality 0.8 (0.7 to 0.9) against 0.5 at best, memory 2 (1.9 to 2.1) against 64"
    )


def test_a_candidate_whose_models_are_there_is_not_pruned_by_a_bound() -> None:
    """Its true quality costs no training."""
    table = Table()
    table.has_models = True

    assert verdict(table, [STRONG]) is None


@pytest.mark.parametrize("bound", [{}, {"quality": 0.9}], ids=["not known", "as good"])
def test_without_a_bound_that_rules_it_out_nothing_is_pruned(bound: Mapping[str, float]) -> None:
    """Neither where the bound is missing, nor where it is high."""
    assert verdict(Table(), [STRONG], CostPruning(quality_bound=lambda params: bound)) is None


def test_the_table_tells_costs_first() -> None:
    """So that a study asks for them."""
    assert isinstance(Table(), CostFirst)
    assert isinstance(Table(), Evaluator)


def test_a_candidate_that_breaks_a_limit_on_cost_is_not_trained() -> None:
    """It counts as evaluated, is told with its violation, and is there with its reason."""
    table, study = Table(), study_of(at_most("memory", 8.0))
    study.optimize(table, progress=False)

    pruned = [one for one in study.pruned() if one.dominated_by is None]

    assert pruned
    assert {table.memory(params) > 8 for params in table.trained} == {False}
    assert len(study.pruned()) + len(study.candidates()) == SPACE.n_candidates
    assert "where memory ≤ 8 is asked for" in pruned[0].reason
    assert pruned[0].measurements == {"memory": Measurement(table.memory(pruned[0].params))}
    trial = study.optuna_study.trials[pruned[0].number]
    assert trial.state == TrialState.PRUNED
    assert trial.constraints["memory_at_most"] == table.memory(pruned[0].params) / 8 - 1


def test_a_dominated_candidate_is_told_as_feasible_and_names_its_rival() -> None:
    """A sampler ranks it below every completed trial, and above what breaks a limit."""
    study = study_of()
    study.optimize(Table(), cost_pruning=CostPruning(quality_bound=lambda params: {"quality": -9.0}), progress=False)

    dominated = study.pruned()

    assert dominated
    for one in dominated:
        assert one.dominated_by in {candidate.number for candidate in study.candidates()}
        assert max(study.optuna_study.trials[one.number].constraints.values()) <= 0


def test_a_resumed_study_prunes_nothing_twice(tmp_path: object) -> None:
    """Pruned candidates are known, however many runs there are."""
    table, storage = Table(), f"sqlite:///{tmp_path}/study.db"
    study_of(at_most("memory", 8.0), storage=storage).optimize(table, n_trials=20, progress=False)
    study = study_of(at_most("memory", 8.0), storage=storage)
    study.optimize(table, n_trials=30, progress=False)

    assert len(table.costed) == 30
    assert len({repr(params) for params in table.costed}) == 30
    assert len(study.pruned()) + len(study.candidates()) == 30


@pytest.mark.parametrize(("table", "pruning"), [(Table(final=False), CostPruning()), (Table(), None)])
def test_costs_are_not_asked_for_where_they_decide_nothing(table: Table, pruning: CostPruning | None) -> None:
    """Neither where training decides the shape, nor where it was switched off."""
    study = study_of(at_most("memory", 8.0))
    study.optimize(table, n_trials=12, cost_pruning=pruning, progress=False)

    assert (len(table.costed), len(table.trained), study.pruned()) == (0, 12, ())


def test_a_shape_that_cannot_be_made_fails_before_training() -> None:
    """With the stage's reason."""
    table, study = Table(broken=True), study_of()
    with pytest.raises(StudyError, match="no channel is left"):
        study.optimize(table, progress=False)

    assert table.trained == []
    assert study.failures()[0].reason == "prune: no channel is left"


def test_work_done_for_costs_counts_as_this_candidates() -> None:
    """The evaluation finds it done, but nothing was saved."""
    study = study_of(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(Table(), n_trials=1, progress=False)

    assert [run.reused for run in study.candidates()[0].runs] == [False]
