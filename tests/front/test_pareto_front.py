"""What is on a front, and what it looks like as a table."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest

from paretoopt.candidate import Candidate, Measurement
from paretoopt.errors import ObjectiveError
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import at_least, at_most, maximize, minimize

MakeCandidate = Callable[..., Candidate]
OBJECTIVES = (maximize("quality"), minimize("cost"))


def test_members_are_the_candidates_that_nothing_beats(make: MakeCandidate) -> None:
    """A candidate that is worse in both objectives stays in candidates but is no member."""
    good, cheap, worse = make(0, quality=0.9, cost=5), make(1, quality=0.5, cost=1), make(2, quality=0.4, cost=2)

    front = ParetoFront([good, cheap, worse], OBJECTIVES)

    assert front.members == (good, cheap)
    assert front.candidates == (good, cheap, worse)
    assert len(front) == 2
    assert list(front) == [good, cheap]


def test_a_candidate_beyond_a_constraint_is_no_member(make: MakeCandidate) -> None:
    """An infeasible candidate neither joins the front nor pushes others off it."""
    broken, honest = make(0, quality=0.9, cost=1, memory=99), make(1, quality=0.5, cost=2, memory=10)

    assert ParetoFront([broken, honest], OBJECTIVES, [at_most("memory", 50)]).members == (honest,)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_candidate_without_a_finite_value_is_no_member(make: MakeCandidate, value: float) -> None:
    """NaN and infinity are no measurements."""
    broken, honest = make(0, quality=0.9, cost=value), make(1, quality=0.5, cost=2)

    assert ParetoFront([broken, honest], OBJECTIVES).members == (honest,)


def test_a_candidate_whose_constrained_metric_is_unknown_is_no_member(make: MakeCandidate) -> None:
    """What was not measured satisfies no limit."""
    unknown, honest = make(0, quality=0.9, cost=1), make(1, quality=0.5, cost=2, memory=10)

    assert ParetoFront([unknown, honest], OBJECTIVES, [at_most("memory", 50)]).members == (honest,)


def test_equal_candidates_are_all_members(make: MakeCandidate) -> None:
    """Two configurations that measure alike are both offered."""
    front = ParetoFront([make(0, quality=0.9, cost=5), make(1, quality=0.9, cost=5)], OBJECTIVES)

    assert [member.number for member in front] == [0, 1]


def test_a_front_cannot_be_changed(make: MakeCandidate) -> None:
    """A front is a value."""
    front = ParetoFront([make(0, quality=0.9, cost=5)], OBJECTIVES)

    with pytest.raises(dataclasses.FrozenInstanceError):
        front.members = ()  # type: ignore[misc]  # the change that is refused


def test_a_front_needs_distinct_objectives(make: MakeCandidate) -> None:
    """No objective, or one twice, is refused at once."""
    with pytest.raises(ObjectiveError, match="at least one objective"):
        ParetoFront([], [])
    with pytest.raises(ObjectiveError, match="'cost' is given as an objective twice"):
        ParetoFront([], [minimize("cost"), maximize("cost")])


def test_the_table_has_parameters_objectives_other_metrics_and_known_intervals(make: MakeCandidate) -> None:
    """The columns stand in that order; unknown intervals have no column."""
    candidate = make(7, artifact=2.0, cost=5.0, quality=Measurement(0.9, 0.8, 1.0))

    table = ParetoFront([candidate], OBJECTIVES).to_frame()

    assert list(table.columns) == ["number", "size", "quality", "cost", "artifact", "quality_low", "quality_high"]
    assert table.iloc[0].tolist() == [7, 7, 0.9, 5.0, 2.0, 0.8, 1.0]


def test_an_empty_front_has_an_empty_table() -> None:
    """No member gives no row, and still the objectives' columns."""
    table = ParetoFront([], OBJECTIVES).to_frame()

    assert list(table.columns) == ["number", "quality", "cost"]
    assert len(table) == 0


def test_a_candidate_that_was_set_aside_is_no_member_and_no_knee(make: MakeCandidate) -> None:
    """It stays a candidate, but a member that came out worse does not bring it back."""
    objectives = [maximize("quality"), minimize("cost")]
    candidates = [make(0, quality=0.9, cost=9), make(1, quality=0.5, cost=1), make(2, quality=0.89, cost=1.1)]

    front = ParetoFront(candidates, objectives, set_aside={2})

    assert [member.number for member in front] == [0, 1]
    assert len(front.candidates) == 3
    assert 2 not in {front.knee().number, front.nearest_to_ideal().number, front.pick(prefer="quality").number}
    assert front.pick(within=[at_least("quality", 0.8)], prefer="cost").number == 0


def test_a_limit_beside_the_objectives_may_still_choose_what_was_set_aside(make: MakeCandidate) -> None:
    """What is worse in the objectives can be the only one that fits on the disk."""
    candidates = [make(0, quality=0.9, artifact_mib=50), make(1, quality=0.5, artifact_mib=1)]

    front = ParetoFront(candidates, [maximize("quality")], set_aside={1})

    assert front.pick(within=[at_most("artifact_mib", 10)], prefer="quality").number == 1


def test_the_table_shows_how_sure_each_member_is(make: MakeCandidate) -> None:
    """The column is there once some member was measured again."""
    first, second = make(0, cost=1), dataclasses.replace(make(1, cost=1), probability_nondominated=0.7)

    assert "probability_nondominated" not in ParetoFront([first], [minimize("cost")]).to_frame()
    frame = ParetoFront([first, second], [minimize("cost")]).to_frame()
    assert frame["probability_nondominated"].isna().tolist() == [True, False]


def test_the_table_shows_from_how_many_seeds_values_are(make: MakeCandidate) -> None:
    """The column is there once some candidate was trained again."""
    first, second = make(0, cost=1), dataclasses.replace(make(1, cost=1), n_seeds=3)

    assert "n_seeds" not in ParetoFront([first], [minimize("cost")]).to_frame()
    assert ParetoFront([first, second], [minimize("cost")]).to_frame()["n_seeds"].tolist() == [1, 3]
