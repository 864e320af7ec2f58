"""The finals of a study: interleaved rounds, values with intervals, and who is left on the front."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from paretoopt.candidate import (
    Evaluation,
    Measurement,
    Progress,
    ProgressListener,
    Remeasurement,
    StageRun,
    UserStatistic,
)
from paretoopt.errors import (
    CandidateError,
    EnvironmentWarning,
    NoFeasibleCandidateError,
    StudyError,
    StudyMismatchError,
)
from paretoopt.objectives import at_most, maximize, minimize
from paretoopt.search.create import create_study
from paretoopt.search.study import Study
from paretoopt.space import Int, Params, SearchSpace, Value

TRUE_MS = {0: 10.0, 1: 8.0, 2: 6.0, 3: 6.3, 4: 20.0}
"""What each size takes; 3 is dominated by 2 in truth, and 4 by all."""
FIRST_MS = {**TRUE_MS, 3: 5.9}
"""What the search's single measurement says: 3 was lucky, and is on the front."""
QUALITY = {0: 0.9, 1: 0.8, 2: 0.7, 3: 0.65, 4: 0.6}


class Machine:
    """A pipeline of five sizes whose every repetition is slower than the one before."""

    metrics = ("quality", "latency_ms")
    timed_metrics = ("latency_ms",)
    fingerprint = "machine"

    def __init__(self) -> None:
        """Count what is measured."""
        self.measured: list[int] = []
        self.fails_at = -1
        self.failure: BaseException = CandidateError("latency: the cable is loose")
        self.where = "here"
        self.wobble = 0.0

    def check(self, space: SearchSpace, metrics: object) -> None:
        """Accept everything."""

    def canonical(self, params: Params) -> Mapping[str, Value]:
        """The parameters."""
        return params

    def evaluate(self, params: Params, listener: ProgressListener) -> Evaluation:  # noqa: ARG002
        """The search's measurement."""
        size = int(params["size"])
        measurements = {"quality": Measurement(QUALITY[size]), "latency_ms": Measurement(FIRST_MS[size])}
        runs = (StageRun("quality", "a", False, 1.0), StageRun("latency", "b", False, 1.0, self.where))
        return Evaluation(measurements, runs)

    def device(self) -> str:
        """Some machine."""
        return self.where

    def remeasure(self, params: Params, listener: ProgressListener) -> Remeasurement:
        """The true value on a machine that becomes 1 % slower with each measurement; 3 wobbles from round to round."""
        if len(self.measured) == self.fails_at:
            raise self.failure
        size = int(params["size"])
        self.measured.append(size)
        listener(Progress("latency", "timing"))
        wobbled = 1 + (self.wobble if size == 3 else 0.0) * (-1) ** self.measured.count(3)
        return Remeasurement(
            {"latency_ms": Measurement(TRUE_MS[size] * wobbled * 1.01 ** len(self.measured))},
            devices={"latency": self.where},
            environments={"latency": {"share_of_others": len(self.measured) / 100}},
        )

    def per_user(self, params: Params, listener: ProgressListener) -> dict[str, NDArray[np.float64]]:  # noqa: ARG002
        """Quality is the mean over four users."""
        return {"quality": QUALITY[int(params["size"])] + np.array([-0.1, 0.0, 0.0, 0.1])}

    def user_statistics(self, params: Params, listener: ProgressListener) -> dict[str, UserStatistic]:  # noqa: ARG002
        """The users' values are means, and nothing else."""
        return {}


@pytest.fixture
def machine() -> Machine:
    """The pipeline."""
    return Machine()


@pytest.fixture
def searched(tmp_path: Path, machine: Machine) -> Callable[..., Study]:
    """Opens the study, with all five sizes evaluated in order."""

    def build(**changes: object) -> Study:
        settings: dict[str, object] = {
            "objectives": [maximize("quality"), minimize("latency_ms")],
            "study_name": "sizes",
            "storage": f"sqlite:///{tmp_path / 'study.db'}",
            "load_if_exists": True,
        }
        study = create_study(SearchSpace(size=Int(0, 4)), **(settings | changes))  # type: ignore[arg-type]  # mixed
        for size in range(5):
            study.enqueue({"size": size})
        study.optimize(machine, n_trials=5, progress=False)
        return study

    return build


def sizes(study: Study) -> list[Value]:
    """The members of the front."""
    return [member.params["size"] for member in study.pareto_front().members]


def test_members_are_measured_in_every_round_in_changing_order(
    searched: Callable[..., Study], machine: Machine
) -> None:
    """Each round measures all four members, and none that was off the front; the anchor, being a member, twice."""
    searched().finals(machine, rounds=6, progress=False)

    rounds = [machine.measured[start : start + 5] for start in range(0, 30, 5)]
    assert len(machine.measured) == 30
    assert all(sorted(one) == [0, 0, 1, 2, 3] for one in rounds)
    assert any(one != other for one, other in pairwise(rounds))


def test_a_member_that_was_lucky_is_dropped_and_kept_as_a_candidate(
    searched: Callable[..., Study], machine: Machine
) -> None:
    """Measured again, size 3 is slower and worse than size 2. Size 4, which was off the front, does not come back."""
    study = searched()
    assert sizes(study) == [0, 1, 2, 3]

    front = study.finals(machine, rounds=8, progress=False)

    assert [member.params["size"] for member in front.members] == sizes(study) == [0, 1, 2]
    assert len(front.candidates) == 5


def test_the_front_shows_values_intervals_and_probabilities(searched: Callable[..., Study], machine: Machine) -> None:
    """Every member has an interval about its value of the finals, and is on the front for sure or not."""
    frame = searched().finals(machine, rounds=8, progress=False).to_frame()

    assert (frame["latency_ms_low"] < frame["latency_ms"]).all()
    assert (frame["latency_ms"] < frame["latency_ms_high"]).all()
    assert frame["probability_nondominated"].tolist() == [1.0, 1.0, 1.0]


def test_the_dropped_member_has_its_probability_too(searched: Callable[..., Study], machine: Machine) -> None:
    """Size 3 is dominated in nearly every draw; size 4 was not in the finals, so nothing is known."""
    study = searched()
    study.finals(machine, rounds=8, progress=False)

    probabilities = {one.params["size"]: one.probability_nondominated for one in study.candidates()}

    assert probabilities[3] is not None
    assert probabilities[3] < 0.05
    assert probabilities[4] is None


def test_the_drift_of_the_machine_is_taken_out(searched: Callable[..., Study], machine: Machine) -> None:
    """Over eight rounds the machine became 38 % slower, and still the ratios of the values are the true ones."""
    study = searched()
    study.finals(machine, rounds=8, progress=False)
    values = {int(one.params["size"]): one.measurements["latency_ms"] for one in study.candidates()}

    for size in (1, 2, 3):
        assert values[size].value / values[0].value == pytest.approx(TRUE_MS[size] / TRUE_MS[0], rel=0.03)
        interval = values[size]
        assert interval.low is not None
        assert interval.high is not None
        assert interval.high / interval.low < 1.1


def test_a_study_opened_again_has_its_finals(searched: Callable[..., Study], machine: Machine) -> None:
    """Values, intervals, probabilities and members are in the database."""
    front = searched().finals(machine, rounds=6, progress=False)

    assert searched().pareto_front() == front


def test_finals_asked_for_again_measure_only_what_is_missing(searched: Callable[..., Study], machine: Machine) -> None:
    """The same call measures nothing; more rounds come on top of those that are there."""
    study = searched()
    study.finals(machine, rounds=6, progress=False)

    study.finals(machine, rounds=6, progress=False)
    assert len(machine.measured) == 30
    study.finals(machine, rounds=8, confidence=None, progress=False)
    assert len(machine.measured) == 40


def test_finals_end_once_it_is_decided_who_is_on_the_front(searched: Callable[..., Study], machine: Machine) -> None:
    """After 6 of 20 rounds no probability is left within 5 % and 95 %, as all members differ enough."""
    front = searched().finals(machine, rounds=20, progress=False)

    probabilities = [one.probability_nondominated for one in front.candidates]
    assert len(machine.measured) == 6 * 5
    assert all(one is None or not 0.05 < one < 0.95 for one in probabilities)


def test_finals_go_on_while_it_is_open_who_is_on_the_front(
    searched: Callable[..., Study], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Size 3 is now a little faster than size 2 and now a little slower, so rounds decide nothing: all are measured."""
    monkeypatch.setitem(TRUE_MS, 3, TRUE_MS[2])
    machine.wobble = 0.1

    front = searched().finals(machine, rounds=9, progress=False)

    assert len(machine.measured) == 9 * 5
    probability = front.candidates[3].probability_nondominated
    assert probability is not None
    assert 0.05 < probability < 0.95


def test_confidence_none_measures_all_rounds(searched: Callable[..., Study], machine: Machine) -> None:
    """Though it is decided after six of them; more rounds make the intervals narrower."""
    searched().finals(machine, rounds=9, confidence=None, progress=False)

    assert len(machine.measured) == 9 * 5


def test_finals_on_another_machine_warn_and_say_where(searched: Callable[..., Study], machine: Machine) -> None:
    """Finalists have the environment of the finals, the others that of the search; the front warns, now and later."""
    study = searched()
    machine.where = "elsewhere"

    with pytest.warns(EnvironmentWarning, match=r"latency was measured in 2 environments(.|\n)*elsewhere"):
        study.finals(machine, rounds=6, progress=False)

    assert [one.runs[1].environment for one in study.candidates()] == 4 * ["elsewhere"] + ["here"]
    assert {one.runs[0].environment for one in study.candidates()} == {None}
    with pytest.warns(EnvironmentWarning, match="elsewhere"):
        searched().pareto_front()


def test_environments_of_the_finals_can_be_asked_for(searched: Callable[..., Study], machine: Machine) -> None:
    """Of every measurement, in the order in which they were taken, also when the study is opened again."""
    assert searched().finals_environments().empty

    searched().finals(machine, rounds=6, progress=False)
    found = searched().finals_environments()

    assert found["round"].tolist() == list(np.repeat(range(6), 5))
    assert found["number"].tolist() == machine.measured
    assert found["share_of_others"].tolist() == [index / 100 for index in range(1, 31)]
    assert found["is_repeat"].sum() == 6
    assert set(found["device"]) == {"here"}


def test_rounds_of_another_device_do_not_count(searched: Callable[..., Study], machine: Machine) -> None:
    """What was measured elsewhere cannot be compared, so everything is measured anew."""
    study = searched()
    study.finals(machine, rounds=6, progress=False)

    machine.where = "elsewhere"
    with pytest.warns(EnvironmentWarning):
        study.finals(machine, rounds=6, progress=False)

    assert len(machine.measured) == 60


def test_a_spent_budget_ends_the_finals_once_there_are_intervals(
    searched: Callable[..., Study], machine: Machine
) -> None:
    """Six rounds are measured in any case, because fewer give no interval."""
    searched().finals(machine, rounds=20, confidence=None, budget_seconds=0.0, progress=False)

    assert len(machine.measured) == 6 * 5


def test_top_measures_the_members_nearest_to_the_ideal(searched: Callable[..., Study], machine: Machine) -> None:
    """The other members stay on the front with their single measurements, and without probability."""
    study = searched()

    front = study.finals(machine, top=2, rounds=6, anchor=0, progress=False)

    assert len(set(machine.measured)) == 3
    assert 0 in machine.measured
    assert sum(one.probability_nondominated is None for one in front.candidates) == 2
    assert sizes(study) == [0, 1, 2, 3]


def test_a_stated_anchor_is_measured_though_it_is_off_the_front(
    searched: Callable[..., Study], machine: Machine
) -> None:
    """Size 4 shows the drift; measured as often as the members, it is dominated for sure."""
    front = searched().finals(machine, rounds=6, anchor=4, progress=False)

    anchor = front.candidates[4]
    assert machine.measured.count(4) == 6
    assert anchor.probability_nondominated == 0.0
    assert anchor not in front.members


def test_later_candidates_join_by_what_the_search_measures(tmp_path: Path, machine: Machine) -> None:
    """What the search finds after the finals is on the front until it is beaten; the next finals include it."""
    study = create_study(
        SearchSpace(size=Int(0, 4)),
        objectives=[maximize("quality"), minimize("latency_ms")],
        storage=f"sqlite:///{tmp_path / 'later.db'}",
    )
    for size in (0, 1):
        study.enqueue({"size": size})
    study.optimize(machine, n_trials=2, progress=False)
    study.finals(machine, rounds=6, progress=False)

    study.enqueue({"size": 2})
    study.optimize(machine, n_trials=3, progress=False)

    assert sizes(study) == [0, 1, 2]
    assert study.candidates()[2].probability_nondominated is None
    study.finals(machine, rounds=6, progress=False)
    assert study.candidates()[2].probability_nondominated == 1.0


def test_a_limit_that_the_finals_show_to_be_broken_drops_the_member(
    searched: Callable[..., Study], machine: Machine
) -> None:
    """Size 3 kept the limit by luck; by its values of the finals it does not."""
    study = searched(constraints=[at_most("latency_ms", 8.5)], study_name="limited")
    machine.timed_metrics = ()  # type: ignore[assignment]  # a machine on which nothing is corrected becomes too slow

    study.finals(machine, rounds=6, progress=False)

    assert sizes(study) == [2]


def test_a_failure_names_the_trial_and_keeps_the_rounds(searched: Callable[..., Study], machine: Machine) -> None:
    """After the failure is mended, the same call goes on with the round in which it happened."""
    study = searched()
    machine.fails_at = 4 * 5 + 2
    with pytest.raises(StudyError, match=r"trial \d could not be measured again in round 5.*the cable is loose"):
        study.finals(machine, rounds=6, progress=False)

    machine.fails_at = -1
    before = len(machine.measured)
    study.finals(machine, rounds=6, progress=False)

    assert len(machine.measured) - before == 2 * 5


def test_ctrl_c_keeps_the_rounds_and_leaves_the_front_as_it_is(
    searched: Callable[..., Study], machine: Machine
) -> None:
    """Too few rounds change nothing; the same call goes on. With enough of them, the finals end with those."""
    study = searched()
    machine.failure, machine.fails_at = KeyboardInterrupt(), 3 * 5 + 1
    study.finals(machine, rounds=20, confidence=None, progress=False)
    assert sizes(study) == [0, 1, 2, 3]

    machine.fails_at = 16 + 5 * 5 + 1
    study.finals(machine, rounds=20, confidence=None, progress=False)

    assert sizes(study) == [0, 1, 2]
    assert len(machine.measured) == 42


def test_the_listener_hears_what_is_measured(searched: Callable[..., Study], machine: Machine) -> None:
    """Waiting for a core, for example, is shown."""
    heard: list[Progress] = []

    searched().finals(machine, rounds=6, listener=heard.append, progress=False)

    assert heard == 30 * [Progress("latency", "timing")]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rounds": 5}, "rounds=5 give no 95 % interval.*6 or more"),
        ({"top": 0}, "top=0 measures nothing"),
        ({"confidence": 1.0}, "confidence=1.0 decides nothing, or never"),
        ({"anchor": 17}, "anchor=17 is no evaluated candidate"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    searched: Callable[..., Study], machine: Machine, settings: dict[str, float], message: str
) -> None:
    """Before anything is measured."""
    with pytest.raises(StudyError, match=message):
        searched().finals(machine, progress=False, **settings)  # type: ignore[arg-type]  # settings are mixed

    assert machine.measured == []


def test_an_empty_front_has_no_finals(machine: Machine) -> None:
    """Nothing was evaluated."""
    study = create_study(SearchSpace(size=Int(0, 4)), objectives=[minimize("latency_ms")], storage="sqlite:///:memory:")

    with pytest.raises(NoFeasibleCandidateError, match="no candidate yet"):
        study.finals(machine, progress=False)


def test_a_plain_function_has_no_finals() -> None:
    """It does not tell latency from quality, so that measuring again would mean training again."""
    study = create_study(SearchSpace(size=Int(0, 4)), objectives=[minimize("cost")], storage="sqlite:///:memory:")

    def cost(params: Params) -> dict[str, float]:
        return {"cost": float(params["size"])}

    study.optimize(cost, n_trials=2, progress=False)

    with pytest.raises(StudyError, match=r"does not say which of its metrics.*Bring a Pipeline"):
        study.finals(cost, progress=False)  # type: ignore[arg-type]  # what is refused


def test_another_pipeline_is_refused(searched: Callable[..., Study], machine: Machine) -> None:
    """Values of another pipeline would be put beside those of the search."""
    study = searched()
    machine.fingerprint = "another machine"

    with pytest.raises(StudyMismatchError, match="another pipeline"):
        study.finals(machine, progress=False)
