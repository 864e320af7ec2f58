"""Limits hold for the end of an interval, not for the value alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from paretoopt.candidate import Candidate, Measurement
from paretoopt.errors import NoFeasibleCandidateError, ObjectiveError
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import at_least, at_most, maximize, minimize

MakeCandidate = Callable[..., Candidate]
OBJECTIVES = (maximize("quality"), minimize("latency"))


@pytest.fixture
def two(make: MakeCandidate) -> list[Candidate]:
    """The better one may take up to 3.4, though its estimate is 2.8; the other surely stays below 3."""
    return [
        make(0, quality=0.9, latency=Measurement(2.8, 2.5, 3.4)),
        make(1, quality=Measurement(0.8, 0.75, 0.85), latency=Measurement(2.9, 2.85, 2.95)),
    ]


def test_a_pick_satisfies_a_limit_with_its_whole_interval(two: Sequence[Candidate]) -> None:
    """What may break the limit is passed over, unless the estimate is asked for."""
    front, within = ParetoFront(two, OBJECTIVES), [at_most("latency", 3)]

    assert front.pick(within=within, prefer="quality").number == 1
    assert front.pick(within=within, prefer="quality", on="estimate").number == 0


def test_a_lower_limit_holds_for_the_lower_end(two: Sequence[Candidate]) -> None:
    """And for the value where no interval is known."""
    front = ParetoFront(two, OBJECTIVES)

    assert front.pick(within=[at_least("quality", 0.76)], prefer="latency").number == 0
    with pytest.raises(NoFeasibleCandidateError):
        ParetoFront(two[1:], OBJECTIVES).pick(within=[at_least("quality", 0.76)])


def test_the_constraints_of_the_front_hold_for_bounds_too(two: Sequence[Candidate]) -> None:
    """Members satisfy them by their values; what is recommended does so with its interval."""
    front = ParetoFront(two, OBJECTIVES, [at_most("latency", 3)])

    assert [member.number for member in front] == [0]
    assert front.knee().number == front.nearest_to_ideal().number == 1
    assert front.knee(on="estimate").number == front.nearest_to_ideal(on="estimate").number == 0


def test_the_reason_tells_the_end_of_the_interval_and_why_a_better_one_is_not_chosen(two: Sequence[Candidate]) -> None:
    """Margin, the one that the limit shuts out, and what would let it in, each with its figures."""
    why = ParetoFront(two, OBJECTIVES).pick(within=[at_most("latency", 3)]).why

    assert (
        "latency ≤ 3 with 2.9, 2.95 at the upper end of its 95 % interval: a margin of 0.05 (1.7% of the limit)" in why
    )
    assert "Were latency allowed up to 3.4, trial 0 would be picked: quality 0.9 (better by 0.1)" in why
    assert "trial 0 dominates it in the objectives), but that one breaks latency ≤ 3 with 2.8, 3.4 at the upper" in why


def test_the_nearest_miss_is_by_the_bound(two: Sequence[Candidate]) -> None:
    """The message tells whose values alone would do, and how to ask for them."""
    front = ParetoFront(two, OBJECTIVES)

    with pytest.raises(NoFeasibleCandidateError) as caught:
        front.pick(within=[at_most("latency", 2.9)])

    message = str(caught.value)
    assert "None of 2 candidates certainly satisfies every limit." in message
    assert (
        "nearest is trial 1 with 2.9, 2.95 at the upper end of its 95 % interval, which misses it by 0.05." in message
    )
    assert "take the 2 whose values alone satisfy them: on='estimate'" in message
    with pytest.raises(NoFeasibleCandidateError, match=r"misses it by 0\.8\.\nRelax a limit, or evaluate more"):
        front.pick(within=[at_most("latency", 2)], on="estimate")


def test_what_limits_hold_for_is_checked(two: Sequence[Candidate]) -> None:
    """A word that means nothing is refused."""
    with pytest.raises(ObjectiveError, match=r"on='mean' is nothing that a limit can hold for"):
        ParetoFront(two, OBJECTIVES).pick(on="mean")  # type: ignore[arg-type]  # what is refused


def test_a_limit_that_is_just_met_has_a_margin_of_0(make: MakeCandidate) -> None:
    """And not of minus 0."""
    why = ParetoFront([make(0, quality=0.9, latency=3)], OBJECTIVES).pick(within=[at_most("latency", 3)]).why

    assert "a margin of 0 (0.0% of the limit)" in why
