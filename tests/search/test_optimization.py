"""The loop: no candidate twice, failures that teach, and an end in good order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from paretoopt.candidate import Measurement, Progress
from paretoopt.errors import CandidateError, StoreError, StudyError
from paretoopt.objectives import at_most, minimize
from paretoopt.search.create import create_study
from paretoopt.search.study import Study
from paretoopt.space import Categorical, Dimension, Float, Int, Ordered, Params, SearchSpace

OpenStudy = Callable[..., Study]
MakeScales = Callable[..., Any]
Sampler = optuna.samplers.BaseSampler

_DIMENSIONS: st.SearchStrategy[Dimension] = st.sampled_from(
    [Ordered(8, 4, 2), Ordered(True, False), Categorical("a", "b"), Int(1, 3), Float(0.0, 0.3, step=0.1), Int(5, 5)]
)


def _small_spaces() -> st.SearchStrategy[SearchSpace]:
    dimensions = st.lists(_DIMENSIONS, min_size=1, max_size=2)
    return dimensions.map(lambda chosen: SearchSpace(**dict(zip("ab", chosen, strict=False))))


@settings(max_examples=10, deadline=None)
@given(space=_small_spaces(), seed=st.integers(0, 1000), n_first=st.integers(1, 12))
def test_every_candidate_is_evaluated_exactly_once(space: SearchSpace, seed: int, n_first: int) -> None:
    """Whatever the space and seed, two runs together evaluate each candidate of the grid once."""
    asked: list[Params] = []
    study = create_study(space, objectives=[minimize("order")], storage="sqlite:///:memory:", seed=seed)

    def evaluate(params: Params) -> dict[str, float]:
        asked.append(params)
        return {"order": len(asked)}

    study.optimize(evaluate, n_trials=n_first, progress=False)
    study.optimize(evaluate, progress=False)

    assert sorted(map(repr, asked)) == sorted(map(repr, space.grid()))


@pytest.mark.parametrize(
    "sampler",
    [
        optuna.samplers.RandomSampler(seed=0),
        optuna.samplers.NSGAIISampler(population_size=4, seed=0),
        optuna.samplers.TPESampler(seed=0, constant_liar=False),
    ],
    ids=lambda sampler: type(sampler).__name__,
)
def test_any_sampler_reaches_the_number_of_candidates(
    open_study: OpenStudy, make_scales: MakeScales, sampler: Sampler
) -> None:
    """Samplers that repeat themselves are asked again, until the study holds what was asked for."""
    scales = make_scales()

    open_study(sampler=sampler).optimize(scales, n_trials=14)

    assert len({tuple(params.items()) for params in scales.asked}) == len(scales.asked) == 14


def test_sampler_that_ends_studies_is_refused(open_study: OpenStudy) -> None:
    """A grid sampler would stop the study itself; the message says how to exhaust a space instead."""
    with pytest.raises(StudyError, match="leave n_trials out"):
        open_study(sampler=optuna.samplers.GridSampler({"size.index": [0, 1]}))


def test_candidates_with_one_canonical_form_are_one(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """What the pipeline names alike is evaluated once, and the space is exhausted earlier."""
    scales = make_scales()
    scales.canonical = lambda params: {"size": params["size"], "waste": 0.0}
    study = open_study()

    study.optimize(scales)

    assert sorted(params["size"] for params in scales.asked) == [1, 2, 4, 8]


def test_duplicate_is_told_as_failed_and_names_its_original(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """A proposed duplicate leaves a trial that was not evaluated and says of which it is one."""
    study = open_study()
    study.optimize(make_scales())

    duplicates = [trial for trial in study.optuna_study.trials if "duplicate_of" in trial.user_attrs]

    assert duplicates
    for trial in duplicates:
        assert trial.state == TrialState.FAIL
        assert study.optuna_study.trials[trial.user_attrs["duplicate_of"]].params == trial.params


def test_failing_candidate_does_not_end_the_study(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """A failure is recorded with its reason, and told to the sampler as infeasible."""
    study = open_study()
    study.optimize(make_scales(fails=lambda params: params["size"] == 8))

    failures = study.failures()

    assert [failure.params["size"] for failure in failures] == [8] * 4
    assert len(study.candidates()) == 12
    assert failures[0].reason == "weigh: the scales are stuck"
    told = study.optuna_study.trials[failures[0].number]
    assert told.state == TrialState.PRUNED
    assert told.constraints["evaluation_failed"] > 0
    assert all(study.optuna_study.trials[c.number].constraints["evaluation_failed"] < 0 for c in study.candidates())


def test_failed_candidates_are_not_tried_again(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """A resumed study counts failures as evaluated."""
    scales = make_scales(fails=lambda params: params["waste"] == 0.5)
    for _ in range(2):
        study = open_study(space=SearchSpace(size=Ordered(1, 8), waste=Ordered(0.0, 0.5)))
        study.optimize(scales)

    assert (len(scales.asked), len(study.candidates()), len(study.failures())) == (4, 2, 2)


def test_study_that_only_fails_ends_with_the_cause(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """Where the first five candidates all fail, something is wrong with all."""
    scales = make_scales(fails=lambda params: True)

    with pytest.raises(StudyError, match=r"first 5 candidates all failed.*scales are stuck") as caught:
        open_study().optimize(scales)
    assert isinstance(caught.value.__cause__, CandidateError)
    assert len(scales.asked) == 5


def test_full_disk_ends_the_study_and_the_candidate_is_kept(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """An error that is not the candidate's is raised, and the candidate is the next one tried."""
    broken, scales = make_scales(), make_scales()

    def no_space(params: Params, listener: object) -> None:
        broken.asked.append(params)
        raise StoreError("no space left")

    broken.evaluate = no_space
    with pytest.raises(StoreError, match="no space left"):
        open_study().optimize(broken)

    open_study().optimize(scales, n_trials=1)
    assert scales.asked == broken.asked
    assert open_study().failures() == ()


def test_ctrl_c_ends_in_good_order(
    open_study: OpenStudy, make_scales: MakeScales, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C returns from optimize; the same call then goes on with the candidate that was cut short."""
    scales, study = make_scales(), open_study()

    def press_ctrl_c_at_third(progress: Progress) -> None:
        if len(scales.asked) == 3:
            raise KeyboardInterrupt

    study.optimize(scales, n_trials=6, listener=press_ctrl_c_at_third)
    assert len(study.candidates()) == 2
    assert "The same command goes on" in capsys.readouterr().err

    resumed = make_scales()
    open_study().optimize(resumed, n_trials=6)

    assert resumed.asked[0] == scales.asked[2]
    assert len(study.candidates()) == 6
    assert study.optuna_study.get_trials(states=[TrialState.RUNNING]) == []


def test_timeout_starts_no_further_evaluation(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """With no time at all nothing is evaluated, and nothing is lost."""
    scales = make_scales()

    open_study().optimize(scales, timeout=0.0)

    assert scales.asked == []


def test_constraints_are_told_as_shares_of_their_bounds(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """The sampler sees violations of every unit on one scale; what violates a constraint stays off the front."""
    study = open_study(constraints=[at_most("cost", 4.0)])
    study.enqueue({"size": 8, "waste": 0.0})
    study.enqueue({"size": 1, "waste": 0.0})
    study.optimize(make_scales(), n_trials=2)

    assert [trial.constraints["cost_at_most"] for trial in study.optuna_study.trials] == [1.0, -0.75]
    assert [member.params["size"] for member in study.pareto_front().members] == [1]
    assert len(study.candidates()) == 2


def test_sampler_moves_away_from_where_candidates_fail(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """With half of a large space failing, most of the proposals after the start avoid that half."""
    scales = make_scales(fails=lambda params: params["size"] > 32)
    study = open_study(space=SearchSpace(size=Int(1, 64), waste=Float(0.0, 1.0)))

    study.optimize(scales, n_trials=32)

    late = scales.asked[16:]
    assert sum(params["size"] > 32 for params in late) < len(late) / 4


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"cost": 1.0}, "metric 'error' was not measured; measured: cost"),
        ({"cost": 1.0, "error": float("nan")}, "error came out as nan"),
        ({"cost": float("inf"), "error": 1.0}, "cost came out as inf"),
        ({"cost": "much", "error": 1.0}, "cost came out as 'much'"),
        (1.0, "the function gave 1.0"),
    ],
)
def test_nonsense_from_a_function_is_a_failure_that_names_it(
    open_study: OpenStudy, result: object, reason: str
) -> None:
    """What a plain function gives is checked before it is told."""
    study = open_study()
    study.enqueue({"size": 8, "waste": 0.0})

    study.optimize(lambda params: result, n_trials=1)  # type: ignore[arg-type, return-value]  # on purpose

    assert reason in study.failures()[0].reason


def test_exception_of_a_function_is_a_failure_that_names_its_type(open_study: OpenStudy) -> None:
    """An unexpected exception fails the candidate, not the study."""
    study = open_study()

    def divide(params: Params) -> dict[str, float | Measurement]:
        return {"cost": 1 / (float(params["size"]) - 8), "error": Measurement(1.0, 0.5, 1.5)}

    study.enqueue({"size": 8, "waste": 0.0})
    study.enqueue({"size": 4, "waste": 0.0})
    study.optimize(divide, n_trials=2)

    assert [failure.reason for failure in study.failures()] == ["ZeroDivisionError: float division by zero"]
    assert study.candidates()[0].measurements["error"] == Measurement(1.0, 0.5, 1.5)


def test_something_that_cannot_evaluate_is_refused(open_study: OpenStudy) -> None:
    """Only evaluators and functions can be optimized."""
    with pytest.raises(StudyError, match="but got 'pipeline'"):
        open_study().optimize("pipeline")  # type: ignore[arg-type]  # on purpose
