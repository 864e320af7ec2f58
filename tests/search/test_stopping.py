"""A study ends when its training is spent or too much of it fails, and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from optuna.trial import TrialState, create_trial

from paretoopt.candidate import Evaluation, ProgressListener, StageRun
from paretoopt.errors import CandidateError, StudyError
from paretoopt.search.ledger import Ledger
from paretoopt.search.study import Study
from paretoopt.space import Float, Params, SearchSpace

OpenStudy = Callable[..., Study]
MakeScales = Callable[..., Any]


def training_scales(make_scales: MakeScales, **fails: Any) -> Any:  # noqa: ANN401 (what the fixture makes)
    """Scales that train one model per size for 10 s, which all candidates of the size share."""
    scales = make_scales(**fails)
    weigh = scales.evaluate
    trained: set[object] = set()

    def evaluate(params: Params, listener: ProgressListener) -> Evaluation:
        evaluation: Evaluation = weigh(params, listener)
        run = StageRun("fit", str(params["size"]), params["size"] in trained, 10.0, trains=True)
        trained.add(params["size"])
        return Evaluation(evaluation.measurements, (run, *evaluation.runs))

    scales.evaluate = evaluate
    return scales


def test_a_study_ends_when_its_training_is_spent(
    open_study: OpenStudy, make_scales: MakeScales, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two trainings of 10 s reach the limit of 15; what was reused cost nothing."""
    study = open_study()

    study.optimize(training_scales(make_scales), max_training_cost=15.0)

    made = [run for one in study.candidates() for run in one.runs if run.trains and not run.reused]
    assert len(made) == 2
    assert not study.candidates()[-1].runs[0].reused
    assert "20 s of training are spent" in capsys.readouterr().err.splitlines()[-1]


def test_what_earlier_runs_have_spent_counts(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """The same command does nothing more; a higher limit goes on."""
    scales = training_scales(make_scales)
    open_study().optimize(scales, max_training_cost=15.0)
    n_asked = len(scales.asked)

    open_study().optimize(scales, max_training_cost=15.0)
    assert len(scales.asked) == n_asked

    open_study().optimize(scales, max_training_cost=25.0)
    assert len(scales.asked) > n_asked


def test_what_failures_have_trained_counts(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """A candidate that trained for 40 s and then failed has spent them."""
    scales = make_scales()

    def fail(params: Params, listener: ProgressListener) -> Evaluation:
        scales.asked.append(params)
        raise CandidateError("export: no such operator", stage="export", training_cost=40.0)

    scales.evaluate = fail
    study = open_study()
    study.optimize(scales, max_training_cost=70.0)

    assert [(failure.stage, failure.training_cost) for failure in study.failures()] == [("export", 40.0)] * 2


def test_a_plain_function_has_no_training_cost(open_study: OpenStudy) -> None:
    """The limit would never be reached; the message names another one."""
    with pytest.raises(StudyError, match=r"does not say how much.*Give timeout="):
        open_study().optimize(lambda params: {"cost": 1.0, "error": 1.0}, max_training_cost=10.0)


def test_training_cost_ends_a_continuous_space(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """It is a limit like any other, where the space alone would never end."""
    space = SearchSpace(size=Float(1.0, 8.0), waste=Float(0.0, 1.0))
    study = open_study(space=space)

    study.optimize(training_scales(make_scales), max_training_cost=30.0)

    assert len(study.candidates()) == 3


@pytest.mark.parametrize(
    ("limit", "complaint"),
    [
        ({"max_training_cost": 0.0}, "max_training_cost=0.0 trains nothing"),
        ({"max_training_cost": float("nan")}, "max_training_cost=nan trains nothing"),
        ({"max_failure_share": 1.5}, "max_failure_share=1.5 is no share"),
        ({"n_trials": 0}, "n_trials=0 evaluates nothing"),
    ],
)
def test_a_limit_that_is_none_is_refused(
    open_study: OpenStudy, make_scales: MakeScales, limit: dict[str, Any], complaint: str
) -> None:
    """Before anything is evaluated."""
    scales = make_scales()

    with pytest.raises(StudyError, match=complaint):
        open_study().optimize(scales, **limit)
    assert scales.asked == []


def test_a_study_goes_on_until_the_stated_share_fails(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """A quarter of the sizes fails, which is allowed; nothing ends."""
    study = open_study()

    study.optimize(make_scales(fails=lambda params: params["size"] == 8), max_failure_share=0.4)

    assert (len(study.candidates()), len(study.failures())) == (12, 4)


def test_too_many_failures_end_a_study_and_are_told_by_stage(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """With 20 % of at least ten candidates allowed, the third failure is too many."""
    scales = make_scales(fails=lambda params: params["size"] > 1)
    weigh = scales.evaluate

    def typed(params: Params, listener: ProgressListener) -> Evaluation:
        try:
            evaluation: Evaluation = weigh(params, listener)
        except CandidateError as error:
            raise CandidateError(str(error), stage="weigh") from error
        return evaluation

    scales.evaluate = typed
    study = open_study()

    with pytest.raises(StudyError, match=r"3 of \d+ candidates failed \(3 in weigh\).*max_failure_share=0.2"):
        study.optimize(scales, max_failure_share=0.2)
    assert [failure.stage for failure in study.failures()] == ["weigh"] * 3


def test_no_failure_allowed_ends_at_the_first(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """A share of 0 tolerates none, however few candidates there are."""
    study = open_study()

    with pytest.raises(StudyError, match="1 of 1 candidates failed"):
        study.optimize(make_scales(fails=lambda params: True), max_failure_share=0.0)


def test_after_mending_the_same_call_goes_on(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """Failures of an earlier run do not end this one; a new failure does."""
    with pytest.raises(StudyError, match="candidates failed"):
        open_study().optimize(make_scales(fails=lambda params: True), max_failure_share=0.2)

    study = open_study()
    study.optimize(make_scales(), max_failure_share=0.2)

    assert len(study.candidates()) + len(study.failures()) == 16


def test_trials_that_others_pruned_are_none_of_the_candidates(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """A pruned trial that was added by hand is neither failed, nor pruned before training, nor evaluated."""
    study = open_study()
    study.optimize(make_scales(fails=lambda params: params["size"] == 8))
    study.optuna_study.add_trial(create_trial(state=TrialState.PRUNED))
    ledger = Ledger()

    ledger.refresh(study.optuna_study.get_trials())

    assert (ledger.n_pruned, ledger.n_failed, ledger.n_evaluated) == (0, 4, 16)


def test_measurements_without_training_cost_nothing(open_study: OpenStudy, make_scales: MakeScales) -> None:
    """Scales that only weigh spend no training, so that the space is exhausted below the limit."""
    study = open_study()

    study.optimize(make_scales(), max_training_cost=1.0)

    assert len(study.candidates()) == 16
