"""What would change a choice: a limit relaxed, another weight, another rule."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from paretoopt.candidate import Candidate
from paretoopt.front.comparison import compared
from paretoopt.front.question import Question
from paretoopt.front.rules import Rule, ranked, scores
from paretoopt.front.standing import Ranking, Standing
from paretoopt.objectives import Constraint

# Beyond the nearest misses, a limit is no longer the one that was asked for.
_NEAREST_MISSES = 25
_DIGITS = 4
_OTHER_RULE: dict[Rule, Rule] = {
    "best": "one_standard_error",
    "one_standard_error": "best",
    "knee": "ideal",
    "ideal": "knee",
}


def changes(standing: Standing, ranking: Ranking) -> list[str]:
    """Sentences, each of which was tried: asked so, the choice is the one that the sentence names."""
    question, chosen = standing.question, ranking.candidates[0]
    lines = [line for index in range(len(question.limits)) for line in _relaxed(standing, chosen, index)]
    if question.rule in ("topsis", "weighted_sum"):
        lines += _weighed_otherwise(standing, ranking)
    elif len(question.criteria) > 1:
        other = _OTHER_RULE[question.rule]
        picked = standing.rank(replace(question, rule=other)).candidates[0]
        if picked is not chosen:
            lines.append(f"By rule={other!r}, {_would_be(chosen, picked, question)}")
    return lines


def _relaxed(standing: Standing, chosen: Candidate, index: int) -> Iterator[str]:
    """The least relaxation of one limit, among those that let in the nearest misses, that changes the choice."""
    limits = list(standing.question.limits)
    limit = limits[index]
    without = [*limits[:index], _unlimited(limit), *limits[index + 1 :]]
    missing = standing.limited[standing.allowed(without) & ~standing.allowed(), index]
    for value in sorted(set(missing.tolist()), key=limit.violation)[:_NEAREST_MISSES]:
        bound = _rounded_out(value, limit)
        picked = standing.rank(limits=[*limits[:index], replace(limit, bound=bound), *limits[index + 1 :]]).candidates[
            0
        ]
        if picked is not chosen:
            way = "up to" if limit.sense == "at_most" else "down to"
            text = _would_be(chosen, picked, standing.question)
            yield f"Were {limit.metric} allowed {way} {bound:.{_DIGITS}g}, {text}"
            return


def _unlimited(limit: Constraint) -> Constraint:
    return replace(limit, bound=math.inf if limit.sense == "at_most" else -math.inf)


def _rounded_out(value: float, limit: Constraint) -> float:
    """``value`` with few digits, rounded so that it is still within."""
    if not math.isfinite(value) or value == 0:
        return value
    step = 10.0 ** (math.floor(math.log10(abs(value))) - _DIGITS + 1)
    away = math.ceil if limit.sense == "at_most" else math.floor
    rounded = float(f"{away(value / step) * step:.{_DIGITS}g}")
    return rounded if limit.violation(rounded) >= limit.violation(value) else value


def _weighed_otherwise(standing: Standing, ranking: Ranking) -> Iterator[str]:
    """The least change of one criterion's share of the weight, in whole percent, that changes the choice."""
    question, costs = standing.question, standing.costs[ranking.places]
    shares = 100 * question.weights / question.weights.sum()
    found = []
    for index, share in enumerate(shares):
        rest = np.delete(shares, index).sum()
        if rest == 0:
            continue
        for percent in sorted(range(100), key=lambda percent: abs(percent - share)):
            weights = shares * (100 - percent) / rest
            weights[index] = percent
            first = int(ranked(scores(question.rule, costs, weights, np.zeros(len(costs))), costs)[0])
            if ranking.candidates[first] is not ranking.candidates[0]:
                found.append((abs(percent - share), index, percent, ranking.candidates[first]))
                break
    if found:
        _, index, percent, picked = min(found, key=lambda one: one[:2])
        share = f"{percent} % of the weight instead of {shares[index]:.0f} %"
        text = _would_be(ranking.candidates[0], picked, question)
        yield f"Were {question.criteria[index].metric} {share}, {text}"


def _would_be(chosen: Candidate, picked: Candidate, question: Question) -> str:
    return f"trial {picked.number} would be picked: {compared(chosen, picked, question.criteria)}."
