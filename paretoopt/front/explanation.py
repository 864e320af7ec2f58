"""Why a candidate was chosen, one fact a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from paretoopt.candidate import Candidate
from paretoopt.front.comparison import compared, may_be_chance
from paretoopt.front.dominance import costs_of, dominates
from paretoopt.front.feasibility import On, is_feasible, limited_value, value_of, with_bound
from paretoopt.front.question import Question
from paretoopt.front.rules import Floats
from paretoopt.front.standing import Ranking, Standing
from paretoopt.objectives import Constraint, Objective


def explain(standing: Standing, ranking: Ranking) -> list[str]:
    """What the first of ``ranking`` was chosen for, its margins, what it beats, and the runner-up."""
    question = standing.question
    chosen, *rivals = ranking.candidates
    place = " within the limits" if question.limits else ""
    among = (
        f"of {len(ranking.candidates)} non-dominated candidates" if rivals else "as the only non-dominated candidate"
    )
    lines = [f"Trial {chosen.number} {_reason(standing, ranking)} {among}{place}."]
    lines += [_margin(chosen, limit, question.on) for limit in question.limits]
    if not rivals:
        return lines
    if question.rule == "best":
        lines.append(_lead(chosen, rivals, question.criteria[0]))
    lines.append(f"The runner-up is trial {rivals[0].number}: {compared(chosen, rivals[0], question.criteria)}.")
    preferred = question.preferred
    if preferred is not None and may_be_chance(chosen, rivals[0], preferred.metric):
        lines.append(f"Their 95 % intervals of {preferred.metric} overlap, so this difference may be chance.")
    return lines


def explain_off_front(
    chosen: Candidate, members: Sequence[Candidate], objectives: Sequence[Objective], question: Question
) -> Iterator[str]:
    """Says that ``chosen`` is no member of the front, which member dominates it, and why that was not chosen."""
    if any(chosen is member for member in members):
        return
    for member, costs in zip(members, costs_of(members, objectives), strict=True):
        if dominates(costs, costs_of([chosen], objectives)[0]):
            beaten = f"It is not on the front (trial {member.number} dominates it in the objectives)"
            yield f"{beaten}, but {_why_not(member, question)}."
            return


def _why_not(member: Candidate, question: Question) -> str:
    for limit in question.limits:
        if not is_feasible(member, (), [limit], question.on):
            if member.measurements.get(limit.metric) is None:
                return f"{limit.metric} of that one was not measured"
            return f"that one breaks {limit} with {with_bound(member, limit, question.on)}"
    return "what was asked goes beyond the objectives"


def _reason(standing: Standing, ranking: Ranking) -> str:
    question, first = standing.question, standing.question.criteria[0]
    extreme = "lowest" if first.direction == "minimize" else "highest"
    score = ranking.scores[0]
    match question.rule:
        case "best":
            return f"has the {extreme} {first.metric}"
        case "one_standard_error":
            return _not_told_apart(standing, ranking, extreme)
        case "knee":
            return "is the knee"
        case "ideal":
            return f"is nearest to the ideal ({score:.3g} away)"
        case "topsis":
            closeness = f"{-score:.3g}{_next(-ranking.scores)}"
            return f"has the highest TOPSIS closeness ({closeness}), weighing {_weighing(question)},"
        case "weighted_sum":
            return f"has the lowest weighted sum ({score:.3g}{_next(ranking.scores)}), weighing {_weighing(question)},"


def _not_told_apart(standing: Standing, ranking: Ranking, extreme: str) -> str:
    first = standing.question.criteria[0]
    best = min(ranking.candidates, key=lambda one: first.sign * value_of(one, first.metric))
    error = float(standing.question.standard_errors([best])[0])
    n_within = int(np.isfinite(ranking.scores).sum())
    size = f"of {error:.2g} " if error else "(not known, so that only ties count) "
    if n_within == 1:
        return f"has the {extreme} {first.metric}, alone within one standard error {size}of it,"
    return (
        f"is the cheapest of the {n_within} within one standard error {size}of the {extreme} {first.metric}, "
        f"{value_of(best, first.metric):.4g} of trial {best.number},"
    )


def _next(scores: Floats) -> str:
    return f", the next {scores[1]:.3g}" if len(scores) > 1 else ""


def _weighing(question: Question) -> str:
    shares = 100 * question.weights / question.weights.sum()
    return ", ".join(f"{one.metric} {share:.0f} %" for one, share in zip(question.criteria, shares, strict=True))


def _margin(chosen: Candidate, limit: Constraint, on: On) -> str:
    margin = 0.0 - limit.violation(limited_value(chosen, limit, on))  # never -0
    share = f" ({margin / abs(limit.bound):.1%} of the limit)" if limit.bound else ""
    return f"It satisfies {limit} with {with_bound(chosen, limit, on)}: a margin of {margin:.4g}{share}."


def _lead(chosen: Candidate, rivals: Sequence[Candidate], preferred: Objective) -> str:
    value = value_of(chosen, preferred.metric)
    leads = sorted(abs(value_of(rival, preferred.metric) - value) for rival in rivals)
    others = "1 other" if len(rivals) == 1 else f"{len(rivals)} others"
    span = f"{leads[0]:.4g}" if len(rivals) == 1 else f"{leads[0]:.4g} to {leads[-1]:.4g}"
    return f"Its {preferred.metric} of {value:.4g} leads the {others} by {span}."
