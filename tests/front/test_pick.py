"""Which candidate is chosen, and the reason that is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.candidate import Candidate, Measurement
from paretoopt.errors import NoFeasibleCandidateError, ObjectiveError
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import at_least, at_most, maximize, minimize

MakeCandidate = Callable[..., Candidate]
OBJECTIVES = (maximize("quality"), minimize("cost"))


@pytest.fixture
def three(make: MakeCandidate) -> list[Candidate]:
    """Three members of a front with a knee in the middle, and the size of their files."""
    return [
        make(0, quality=0.90, cost=10, file=8),
        make(1, quality=0.85, cost=3, file=9),
        make(2, quality=0.50, cost=1, file=5),
    ]


def test_the_best_within_the_limits_is_picked(three: Sequence[Candidate]) -> None:
    """Of those that satisfy every limit, the best in the preferred metric."""
    chosen = ParetoFront(three, OBJECTIVES).pick(within=[at_most("cost", 5)], prefer="quality")

    assert chosen.number == 1
    assert chosen.params == three[1].params
    assert chosen.measurements == three[1].measurements


def test_ties_are_broken_by_the_other_objectives_in_order(make: MakeCandidate) -> None:
    """Equal in the preferred metric: the next objective decides."""
    front = ParetoFront([make(0, quality=0.9, cost=5), make(1, quality=0.9, cost=4)], OBJECTIVES)

    assert front.pick(prefer="quality").number == 1


def test_without_a_preference_the_knee_within_the_limits_is_picked(three: Sequence[Candidate]) -> None:
    """No preference weighs every objective."""
    front = ParetoFront(three, OBJECTIVES)

    assert front.pick().candidate == front.knee().candidate == three[1]
    assert front.pick(within=[at_least("quality", 0.88)]).number == 0


def test_the_studys_constraints_hold_for_every_pick(three: Sequence[Candidate]) -> None:
    """A limit of the study need not be repeated."""
    front = ParetoFront(three, OBJECTIVES, [at_most("cost", 5)])

    assert front.pick(prefer="quality").number == 1
    assert front.knee().number in {1, 2}
    assert front.nearest_to_ideal().number in {1, 2}


def test_a_limit_on_another_metric_can_pick_a_candidate_off_the_front(make: MakeCandidate) -> None:
    """The dominating candidate breaks the limit, so the dominated one is right, and the reason says so."""
    big, small = make(0, quality=0.9, cost=5, file=100), make(1, quality=0.8, cost=6, file=10)

    chosen = ParetoFront([big, small], OBJECTIVES).pick(within=[at_most("file", 50)], prefer="quality")

    assert chosen.number == 1
    assert "It is not on the front (trial 0 dominates it in the objectives)" in chosen.why


def test_a_preference_for_another_metric_searches_every_candidate(make: MakeCandidate) -> None:
    """The smallest file may belong to a dominated candidate."""
    big, small = make(0, quality=0.9, cost=5, file=100), make(1, quality=0.8, cost=6, file=10)

    assert ParetoFront([big, small], OBJECTIVES).pick(prefer=minimize("file")).number == 1


def test_a_preferred_metric_that_is_no_objective_needs_a_direction(three: Sequence[Candidate]) -> None:
    """Whether a small file is good is for the user to say."""
    with pytest.raises(ObjectiveError, match=r"'file' is no objective.*Write minimize\('file'\)"):
        ParetoFront(three, OBJECTIVES).pick(prefer="file")


def test_a_metric_that_is_not_measured_is_refused(three: Sequence[Candidate]) -> None:
    """The message lists the metrics there are, for a limit as for a preference."""
    front = ParetoFront(three, OBJECTIVES)

    with pytest.raises(ObjectiveError, match=r"'speed' is not measured\. Use one of: quality, cost, file"):
        front.pick(within=[at_most("speed", 1)])
    with pytest.raises(ObjectiveError, match="'speed' is not measured"):
        front.pick(prefer="speed")
    with pytest.raises(ObjectiveError, match="'speed' is not measured"):
        front.pick(prefer=maximize("speed"))


def test_when_nothing_is_feasible_the_nearest_miss_per_limit_is_named(three: Sequence[Candidate]) -> None:
    """How far each limit is from the candidate that came nearest to it."""
    limits = [at_most("cost", 0.5), at_least("quality", 0.95)]

    with pytest.raises(NoFeasibleCandidateError) as caught:
        ParetoFront(three, OBJECTIVES).pick(within=limits)

    message = str(caught.value)
    assert "None of 3 candidates satisfies every limit." in message
    assert "cost ≤ 0.5: nearest is trial 2 with 1, which misses it by 0.5." in message
    assert "quality ≥ 0.95: nearest is trial 0 with 0.9, which misses it by 0.05." in message


def test_limits_that_only_exclude_each_other_are_named_as_such(three: Sequence[Candidate]) -> None:
    """Each limit has candidates of its own, but none has all."""
    with pytest.raises(NoFeasibleCandidateError, match="cost ≤ 1: 1 of 3 satisfies it, but break"):
        ParetoFront(three, OBJECTIVES).pick(within=[at_most("cost", 1), at_least("quality", 0.9)])


def test_an_empty_front_is_a_clear_error(make: MakeCandidate) -> None:
    """No candidate, or none with every objective measured."""
    nothing = ParetoFront([], OBJECTIVES)
    for choose in (nothing.knee, nothing.nearest_to_ideal, nothing.pick):
        with pytest.raises(NoFeasibleCandidateError, match="There is no candidate yet"):
            choose()
    with pytest.raises(NoFeasibleCandidateError, match="cost: not measured in 1 of 1 candidates"):
        ParetoFront([make(0, quality=0.9, cost=math.nan)], OBJECTIVES).knee()


def test_the_reason_tells_margins_leads_and_the_runner_up(three: Sequence[Candidate]) -> None:
    """Short lines that a person can check."""
    chosen = ParetoFront(three, OBJECTIVES).pick(within=[at_most("cost", 12)], prefer="quality")

    assert chosen.why.splitlines() == [
        "Trial 0 has the highest quality of 3 non-dominated candidates within the limits.",
        "It satisfies cost ≤ 12 with 10: a margin of 2 (16.7% of the limit).",
        "Its quality of 0.9 leads the 2 others by 0.05 to 0.4.",
        "The runner-up is trial 1: quality 0.85 (worse by 0.05), cost 3 (better by 7).",
    ]


def test_the_reason_admits_that_a_lead_may_be_chance(make: MakeCandidate) -> None:
    """Where the intervals overlap, the best may be so by luck."""
    first = make(0, quality=Measurement(0.90, 0.87, 0.93), cost=5)
    second = make(1, quality=Measurement(0.89, 0.86, 0.92), cost=4)

    chosen = ParetoFront([first, second], OBJECTIVES).pick(prefer="quality")

    assert "95 % intervals of quality overlap" in chosen.why


def test_the_reason_names_only_the_tightest_of_two_limits_on_a_metric(three: Sequence[Candidate]) -> None:
    """A limit of the study that the question tightens is not told twice."""
    chosen = ParetoFront(three, OBJECTIVES, [at_most("cost", 12)]).pick(within=[at_most("cost", 5)], prefer="quality")

    assert "cost ≤ 5 with 3" in chosen.why
    assert "cost ≤ 12" not in chosen.why


def test_the_only_candidate_is_picked_as_such(make: MakeCandidate) -> None:
    """One member leads nobody and has no runner-up."""
    chosen = ParetoFront([make(4, quality=0.9, cost=5)], OBJECTIVES).pick(prefer="cost")

    assert chosen.why == "Trial 4 has the lowest cost as the only non-dominated candidate."


_values = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12)


@given(_values, st.integers(0, 5))
def test_a_pick_by_an_objective_is_on_the_front_and_unbeaten(values: list[tuple[int, int]], bound: int) -> None:
    """With limits on objectives alone, what is picked is a member, and no candidate within is better."""
    candidates = [
        Candidate(number, {}, {"quality": Measurement(quality), "cost": Measurement(cost)})
        for number, (quality, cost) in enumerate(values)
    ]
    front = ParetoFront(candidates, OBJECTIVES)
    within = [quality for quality, cost in values if cost <= bound]

    if not within:
        with pytest.raises(NoFeasibleCandidateError):
            front.pick(within=[at_most("cost", bound)], prefer="quality")
        return
    chosen = front.pick(within=[at_most("cost", bound)], prefer="quality")

    assert chosen.candidate in front.members
    assert chosen.measurements["quality"].value == max(within)
