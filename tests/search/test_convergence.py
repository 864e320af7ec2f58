"""A study ends when little is expected still to gain, and little is then left."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import optuna
import pytest

from paretoopt.errors import StudyError
from paretoopt.front.dominance import hypervolume, reference_point
from paretoopt.search.convergence import Converged, GainWatch
from paretoopt.search.cost_first.sampler import CostFirstSampler
from paretoopt.search.create import create_study
from paretoopt.search.default import sources_of
from paretoopt.search.study import Study
from paretoopt.space import Float, Params, SearchSpace
from tests.search.tables import OBJECTIVES, SPACE, Table

SOON = Converged(0.03)


def study_of(storage: str = "sqlite:///:memory:", **changes: object) -> Study:
    """A study of a table of 48 candidates, each with a training of its own."""
    settings: dict[str, object] = {"study_name": "table", "load_if_exists": True, "space": SPACE, **changes}
    return create_study(objectives=OBJECTIVES, storage=storage, **settings)  # type: ignore[arg-type]  # settings are mixed


def share_left(table: Table) -> float:
    """The share of the whole table's hypervolume that what was trained does not have."""

    def costs(candidates: list[Params]) -> np.ndarray:
        return np.array([[-table.quality(params), np.log(table.memory(params))] for params in candidates])

    everything = costs(list(SPACE.grid()))
    reference = reference_point(everything)
    return 1 - hypervolume(costs(table.trained), reference=reference) / hypervolume(everything, reference=reference)


def test_a_converged_study_has_left_little() -> None:
    """Over tables, no more than was stated is left on average, and most candidates were never trained."""
    tables = [Table(seed) for seed in range(4)]
    for table in tables:
        study_of().optimize(table, until=SOON, progress=False)

    assert np.mean([share_left(table) for table in tables]) <= SOON.share
    assert max(len(table.trained) for table in tables) <= 24


def test_a_study_says_that_it_converged_and_how_much_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    """In its last line, in the lines before it, and as an attribute."""
    study = study_of()
    study.optimize(Table(), until=SOON)

    *before, last = capsys.readouterr().err.splitlines()

    assert last.startswith("Converged: at most ")
    assert last.endswith(
        f"% of hypervolume is expected still to gain, with {len(study.candidates())} candidates evaluated."
    )
    assert "% of hypervolume still to gain" in before[-1]
    assert (study.expected_gain or 1.0) <= SOON.share
    assert study_of(study_name="new").expected_gain is None


def test_the_same_command_does_nothing_more(tmp_path: object) -> None:
    """A converged study stops at once; one that is to get closer goes on."""
    table, storage = Table(), f"sqlite:///{tmp_path}/study.db"
    study_of(storage).optimize(table, until=SOON, progress=False)
    n_trained = len(table.trained)

    study_of(storage).optimize(table, until=SOON, progress=False)
    assert len(table.trained) == n_trained

    study_of(storage).optimize(table, until=Converged(0.003), progress=False)
    assert len(table.trained) > n_trained


def test_a_study_that_was_stopped_converges_as_if_it_had_not_been(tmp_path: object) -> None:
    """What was expected at earlier choices is kept with the study."""
    whole, parts, storage = Table(), Table(), f"sqlite:///{tmp_path}/study.db"
    study_of().optimize(whole, until=SOON, progress=False)

    for n_trials in (len(whole.trained) - 1, None):
        study_of(storage).optimize(parts, n_trials, until=SOON, progress=False)

    assert parts.trained == whole.trained


def test_other_limits_end_a_study_that_has_not_converged() -> None:
    """Whichever comes first."""
    table = Table()
    study_of().optimize(table, n_trials=5, until=SOON, progress=False)

    assert len(table.trained) == 5


def test_an_enqueued_candidate_is_evaluated_first() -> None:
    """Who asks for it wants to know, whatever is expected of it."""
    table, study = Table(), study_of()
    study.optimize(table, until=SOON, progress=False)
    worst = max((params for params in SPACE.grid() if params not in table.trained), key=table.memory)

    study.enqueue(worst)
    study.optimize(table, until=SOON, cost_pruning=None, progress=False)

    assert worst in table.trained


@pytest.mark.parametrize("make", [lambda: None, lambda: optuna.samplers.RandomSampler(seed=0)])
def test_any_sampler_can_be_watched(make: Callable[[], optuna.samplers.BaseSampler | None]) -> None:
    """A plain function, whose costs are modelled too, with Optuna's samplers."""
    table = Table()

    def measured(params: Params) -> Mapping[str, float]:
        table.trained.append(params)
        return {"quality": table.quality(params), "memory": table.memory(params)}

    study_of(sampler=make()).optimize(measured, until=Converged(0.05), progress=False)

    assert len(table.trained) < len(list(SPACE.grid()))
    assert share_left(table) < 0.1


def test_a_space_that_cannot_be_listed_has_no_end_of_this_kind() -> None:
    """The message says what to do instead."""
    study = study_of(space=SearchSpace(width=Float(8.0, 64.0)))

    with pytest.raises(StudyError, match=r"until= cannot be used: .*give it a step.*and give n_trials, timeout"):
        study.optimize(lambda params: {"quality": 1.0, "memory": 1.0}, n_trials=3, until="converged", progress=False)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Converged(0.0), "share=0.0 is no share"),
        (lambda: Converged(float("nan")), "share=nan is no share"),
        (lambda: Converged(in_a_row=0), "in_a_row=0 is no number of choices"),
        (lambda: study_of().optimize(Table(), until="done"), "until='done' is unknown. Use until=\"converged\""),  # type: ignore[arg-type]  # that is the point
    ],
)
def test_an_end_that_is_none_is_refused(make: Callable[[], object], complaint: str) -> None:
    """With what can be said."""
    with pytest.raises(StudyError, match=complaint):
        make()


def test_a_single_lucky_fit_ends_nothing() -> None:
    """As many choices as asked for have to agree, and the worst of them is told."""
    until = Converged(0.01, in_a_row=3)

    assert until.reached([0.001, 0.001]) is None
    assert until.reached([0.001, 0.2, 0.001]) is None
    assert until.reached([0.2, 0.001, 0.008, 0.002]) == 0.008


def test_the_same_state_is_looked_at_once() -> None:
    """Looking twice, as processes do, is no second choice that agrees."""
    study = study_of()
    study.optimize(Table(), n_trials=12, progress=False)
    sampler = CostFirstSampler(SPACE, OBJECTIVES, sources=sources_of(Table()))
    watch = GainWatch(study.optuna_study, sampler)

    gains = watch.gains(12)

    assert gains[-1] == study.expected_gain
    assert watch.gains(12) == gains
