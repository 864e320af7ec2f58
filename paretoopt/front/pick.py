"""Choosing one candidate: the best within limits, the knee, or the nearest to the ideal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.choice import Choice, explain, explain_off_front
from paretoopt.front.dominance import costs_of, is_nondominated
from paretoopt.front.feasibility import check_measured, metrics_of, require_any, require_feasible
from paretoopt.front.knee import ideal_distances, knee_distances
from paretoopt.objectives import Constraint, Objective


def pick(
    candidates: Sequence[Candidate],
    members: Sequence[Candidate],
    objectives: Sequence[Objective],
    limits: Sequence[Constraint],
    prefer: str | Objective | None,
) -> Choice:
    """The candidate within ``limits`` that is best in ``prefer``; ties go by the objectives in order.

    Every candidate is considered, not the front alone: where a limit or the preference is on a
    metric that is no objective, a candidate that the front leaves out can be the right one.

    Args:
        candidates: Every evaluated candidate.
        members: Those on the front.
        objectives: What the study wants.
        limits: What the choice must satisfy.
        prefer: An objective, or the metric of one; None gives the knee of those within the limits.

    Raises:
        ObjectiveError: A metric is not measured, or ``prefer`` has no direction.
        NoFeasibleCandidateError: Nothing is within the limits.
    """
    require_any(candidates)
    check_measured(candidates, [limit.metric for limit in limits])
    if prefer is None:
        choice = pick_knee(candidates, objectives, limits)
    else:
        choice = _pick_preferred(candidates, objectives, limits, _preferred(prefer, objectives, candidates))
    return replace(choice, why=choice.why + explain_off_front(choice.candidate, members, objectives))


def pick_knee(candidates: Sequence[Candidate], objectives: Sequence[Objective], limits: Sequence[Constraint]) -> Choice:
    """The knee of the front of those within ``limits``; see `knee_distances`.

    Raises:
        NoFeasibleCandidateError: Nothing is within the limits.
    """
    pool = _nondominated(require_feasible(candidates, objectives, limits), objectives)
    distances = knee_distances(costs_of(pool, objectives))
    order = np.argsort(-distances, kind="stable")
    ranking = [pool[index] for index in order]
    return Choice(ranking[0], explain(ranking, objectives, limits, reason="is the knee"))


def pick_nearest_to_ideal(
    candidates: Sequence[Candidate], objectives: Sequence[Objective], limits: Sequence[Constraint]
) -> Choice:
    """The one within ``limits`` that is nearest to the ideal; see `ideal_distances`.

    Raises:
        NoFeasibleCandidateError: Nothing is within the limits.
    """
    pool = _nondominated(require_feasible(candidates, objectives, limits), objectives)
    distances = ideal_distances(costs_of(pool, objectives))
    order = np.argsort(distances, kind="stable")
    reason = f"is nearest to the ideal ({distances[order[0]]:.3g} away)"
    ranking = [pool[index] for index in order]
    return Choice(ranking[0], explain(ranking, objectives, limits, reason=reason))


def _pick_preferred(
    candidates: Sequence[Candidate],
    objectives: Sequence[Objective],
    limits: Sequence[Constraint],
    preferred: Objective,
) -> Choice:
    check_measured(candidates, [preferred.metric])
    criteria = [preferred, *(objective for objective in objectives if objective.metric != preferred.metric)]
    pool = _nondominated(require_feasible(candidates, criteria, limits), criteria)
    # np.lexsort sorts by its last key first.
    ranking = [pool[index] for index in np.lexsort(costs_of(pool, criteria).T[::-1])]
    extreme = "lowest" if preferred.direction == "minimize" else "highest"
    reason = f"has the {extreme} {preferred.metric}"
    return Choice(ranking[0], explain(ranking, criteria, limits, reason=reason, preferred=preferred))


def _preferred(prefer: str | Objective, objectives: Sequence[Objective], candidates: Sequence[Candidate]) -> Objective:
    if isinstance(prefer, Objective):
        return prefer
    for objective in objectives:
        if objective.metric == prefer:
            return objective
    known = metrics_of(candidates)
    if prefer in known:
        raise ObjectiveError(
            f"{prefer!r} is no objective, so its direction is not known. "
            f"Use prefer=minimize({prefer!r}) or prefer=maximize({prefer!r})."
        )
    raise ObjectiveError(f"{prefer!r} is not measured. Use one of: {', '.join(known)}.")


def _nondominated(candidates: Sequence[Candidate], objectives: Sequence[Objective]) -> list[Candidate]:
    keep = is_nondominated(costs_of(candidates, objectives))
    return [candidate for candidate, kept in zip(candidates, keep, strict=True) if kept]
