"""The rules that choose one candidate, and what would change their choice."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from paretoopt.candidate import Candidate, Measurement
from paretoopt.errors import NoFeasibleCandidateError, ObjectiveError
from paretoopt.front.dominance import costs_of, dominates
from paretoopt.front.feasibility import is_feasible
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.front.rules import Rule, topsis_closeness
from paretoopt.objectives import at_most, maximize, minimize

MakeCandidate = Callable[..., Candidate]
OBJECTIVES = (maximize("quality"), minimize("latency"), minimize("memory"))
RULES: Sequence[Rule] = get_args(Rule)


@pytest.fixture
def four(make: MakeCandidate) -> list[Candidate]:
    """A front from dear and good to cheap and bad, with a standard error of 0.01 / 1.96 of the best."""
    return [
        make(0, quality=Measurement(0.9, 0.89, 0.91), latency=9, memory=90),
        make(1, quality=Measurement(0.896, 0.88, 0.91), latency=5, memory=80),
        make(2, quality=Measurement(0.895, 0.88, 0.91), latency=6, memory=30),
        make(3, quality=Measurement(0.5, 0.49, 0.51), latency=1, memory=10),
    ]


def test_topsis_agrees_with_its_definition_on_a_worked_example() -> None:
    """Three points, two costs, weights 1 and 3: norms, distances and shares by hand."""
    costs = np.array([[3.0, 2.0], [0.0, 6.0], [4.0, 3.0]])
    scaled = np.array([[0.6, 2 / 7], [0.0, 6 / 7], [0.8, 3 / 7]]) * [0.25, 0.75]
    best, worst = np.array([0.0, 1.5 / 7]), np.array([0.2, 4.5 / 7])
    to_best = np.sqrt(((scaled - best) ** 2).sum(axis=1))
    to_worst = np.sqrt(((scaled - worst) ** 2).sum(axis=1))

    assert topsis_closeness(costs, np.array([1.0, 3.0])) == pytest.approx(to_worst / (to_best + to_worst))


def test_the_one_standard_error_rule_takes_the_cheapest_of_those_not_told_apart(four: Sequence[Candidate]) -> None:
    """Trials 1 and 2 are within 0.0051 of the best; cheaper is the mean of the other costs, scaled, or as weighed."""
    front = ParetoFront(four, OBJECTIVES)
    chosen = front.pick(prefer="quality", rule="one_standard_error")

    assert chosen.number == 2
    assert "cheapest of the 3 within one standard error of 0.0051 of the highest quality, 0.9 of trial 0" in chosen.why
    assert "By rule='best', trial 0 would be picked" in chosen.why
    assert front.pick(prefer="quality", rule="one_standard_error", weights={"latency": 1}).number == 1


def test_the_best_names_what_the_one_standard_error_rule_would_pick(four: Sequence[Candidate]) -> None:
    """Whoever asks for the best learns what it costs to insist."""
    why = ParetoFront(four, OBJECTIVES).pick(prefer="quality").why

    assert "By rule='one_standard_error', trial 2 would be picked: quality 0.895 (worse by 0.005)" in why


def test_without_intervals_the_one_standard_error_rule_takes_the_best(make: MakeCandidate) -> None:
    """And says that nothing is known of the error."""
    front = ParetoFront([make(0, quality=0.9, latency=9), make(1, quality=0.8, latency=1)], OBJECTIVES[:2])
    chosen = front.pick(prefer="quality", rule="one_standard_error")

    assert chosen.number == 0
    assert "has the highest quality, alone within one standard error (not known, so that only ties count)" in chosen.why


def test_weights_decide_what_a_weighted_sum_picks(four: Sequence[Candidate]) -> None:
    """All on one objective picks its best; weights alone mean the weighted sum."""
    front = ParetoFront(four, OBJECTIVES)

    assert front.pick(weights={"quality": 1}).number == 0
    assert front.pick(weights={"memory": 2.5}).number == 3
    assert front.pick(weights={"quality": 6, "latency": 1, "memory": 1}, rule="topsis").number == 2
    assert front.pick(rule="weighted_sum").number == front.knee().number


def test_a_weight_may_be_on_a_metric_that_is_no_objective(make: MakeCandidate) -> None:
    """With its direction; what the front left out can win by it."""
    front = ParetoFront([make(0, quality=0.9, file=9), make(1, quality=0.8, file=1)], [maximize("quality")])

    assert front.pick(weights={"quality": 1, minimize("file"): 2}).number == 1
    with pytest.raises(ObjectiveError, match=r"Write minimize\('file'\) or maximize\('file'\)"):
        front.pick(weights={"file": 2})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"prefer": "quality", "weights": {"memory": 1}},
            "prefer= takes the best in one metric, weights= weigh several",
        ),
        ({"rule": "best"}, "rule='best' needs prefer="),
        ({"rule": "knee", "prefer": "quality"}, "rule='knee' weighs all objectives and prefers none"),
        ({"rule": "ideal", "weights": {"memory": 1}}, "rule='ideal' takes no weights="),
        ({"rule": "electre"}, "rule='electre' is not known. Use one of: best, one_standard_error"),
        ({"weights": {"memory": -1}}, "the weight of 'memory' is -1. Give a number that is 0 or more"),
        ({"weights": {"memory": 0, "quality": 0}}, "weights= are all 0"),
        ({"weights": {"memory": 1, minimize("memory"): 2}}, "weights= name a metric twice"),
    ],
)
def test_questions_that_do_not_fit_together_are_refused(
    four: Sequence[Candidate], asked: Mapping[str, object], message: str
) -> None:
    """With what is wrong and what to do."""
    with pytest.raises(ObjectiveError, match=message):
        ParetoFront(four, OBJECTIVES).pick(**asked)  # type: ignore[arg-type]  # what is refused


_measured = st.tuples(st.integers(-3, 5), st.integers(0, 2)).map(
    lambda one: Measurement(one[0], one[0] - one[1], sum(one))
)
_rows = st.lists(st.tuples(_measured, _measured, _measured), min_size=1, max_size=12)
_weights = st.fixed_dictionaries({}, optional={one.metric: st.integers(1, 9) for one in OBJECTIVES})


def make_front(rows: Sequence[tuple[Measurement, ...]], scale: float = 1.0) -> ParetoFront:
    """Candidates with three measurements each, in units that are ``scale`` times smaller."""
    names = [objective.metric for objective in OBJECTIVES]
    measured = [
        [Measurement(*(scale * end for end in (one.value, one.low or 0.0, one.high or 0.0))) for one in row]
        for row in rows
    ]
    return ParetoFront(
        [Candidate(number, {}, dict(zip(names, row, strict=True))) for number, row in enumerate(measured)], OBJECTIVES
    )


def asked(rule: Rule, weights: Mapping[str, int]) -> dict[str, object]:
    """What the rule takes."""
    by_preference = {"prefer": "quality"} if rule in ("best", "one_standard_error") else {}
    takes_weights = weights and rule in ("one_standard_error", "topsis", "weighted_sum")
    return {"rule": rule, **by_preference, **({"weights": weights} if takes_weights else {})}


@given(_rows, st.sampled_from(RULES), _weights, st.integers(-3, 5), st.integers(-3, 5))
def test_a_pick_is_feasible_and_no_feasible_candidate_dominates_it(
    rows: Sequence[tuple[Measurement, ...]], rule: Rule, weights: Mapping[str, int], latency: int, memory: int
) -> None:
    """Whatever the rule and the weights; and when nothing is feasible, nothing is picked."""
    front, within = make_front(rows), [at_most("latency", latency), at_most("memory", memory)]
    feasible = [one for one in front.candidates if is_feasible(one, OBJECTIVES, within, "bound")]
    if not feasible:
        with pytest.raises(NoFeasibleCandidateError):
            front.pick(within=within, **asked(rule, weights))  # type: ignore[arg-type]  # mixed keywords
        return
    chosen = front.pick(within=within, **asked(rule, weights)).candidate  # type: ignore[arg-type]  # mixed keywords

    assert any(chosen is one for one in feasible)
    costs = costs_of([chosen, *feasible], OBJECTIVES)
    assert not any(dominates(other, costs[0]) for other in costs)


@given(_rows, st.sampled_from(RULES), _weights, st.integers(-20, 20))
def test_units_do_not_change_a_pick(
    rows: Sequence[tuple[Measurement, ...]], rule: Rule, weights: Mapping[str, int], power: int
) -> None:
    """Powers of two, so that rounding is the same as well."""
    keywords = asked(rule, weights)

    first = make_front(rows).pick(**keywords)  # type: ignore[arg-type]  # mixed keywords
    assert make_front(rows, 2.0**power).pick(**keywords).number == first.number  # type: ignore[arg-type]  # as above


_LIMIT = re.compile(r"Were (\w+) allowed up to ([-\d.e+]+), trial (\d+) would")
_SHARE = re.compile(r"Were (\w+) (\d+) % of the weight instead of \d+ %, trial (\d+) would")
_RULE = re.compile(r"By rule='(\w+)', trial (\d+) would")


@given(_rows, st.sampled_from(RULES), st.integers(-3, 5), st.integers(-3, 5))
def test_what_is_said_to_change_the_choice_does(
    rows: Sequence[tuple[Measurement, ...]], rule: Rule, latency: int, memory: int
) -> None:
    """Each sentence is followed, and gives the trial that it names, which is another one."""
    front, limits = make_front(rows), {"latency": latency, "memory": memory}
    assume(
        any(
            is_feasible(one, OBJECTIVES, [at_most(*limit) for limit in limits.items()], "bound")
            for one in front.candidates
        )
    )
    within = [at_most(*limit) for limit in limits.items()]
    chosen = front.pick(within=within, **asked(rule, {}))  # type: ignore[arg-type]  # mixed keywords

    followed: list[tuple[int, int]] = []
    for metric, bound, number in _LIMIT.findall(chosen.why):
        relaxed = [at_most(*limit) for limit in {**limits, metric: float(bound)}.items()]
        followed.append((front.pick(within=relaxed, **asked(rule, {})).number, int(number)))  # type: ignore[arg-type]
    for metric, percent, number in _SHARE.findall(chosen.why):
        rest = (100 - int(percent)) / 2
        shares = {one.metric: rest for one in OBJECTIVES} | {metric: float(percent)}
        followed.append((front.pick(within=within, weights=shares, rule=rule).number, int(number)))
    for other, number in _RULE.findall(chosen.why):
        followed.append((front.pick(within=within, **asked(other, {})).number, int(number)))  # type: ignore[arg-type]

    assert all(picked == named != chosen.number for picked, named in followed)


def test_a_weight_that_would_change_the_choice_is_named(four: Sequence[Candidate]) -> None:
    """The least change of one share, in whole percent."""
    why = ParetoFront(four, OBJECTIVES).pick(weights={"quality": 1, "latency": 1, "memory": 1}).why

    assert _SHARE.search(why)
