"""Choosing one candidate: of those within the limits that nothing beats, the first by a rule."""

from __future__ import annotations

from collections.abc import Sequence

from paretoopt.candidate import Candidate
from paretoopt.front.changes import changes
from paretoopt.front.choice import Choice
from paretoopt.front.explanation import explain, explain_off_front
from paretoopt.front.feasibility import require_feasible
from paretoopt.front.question import Question
from paretoopt.front.standing import Standing
from paretoopt.objectives import Objective


def pick(
    candidates: Sequence[Candidate],
    members: Sequence[Candidate],
    objectives: Sequence[Objective],
    question: Question,
) -> Choice:
    """The candidate that answers ``question``, with the reason.

    Args:
        candidates: Those to choose from. Where a limit or a criterion is on a metric that is no objective, a candidate
            that the front leaves out can be the right one.
        members: Those on the front.
        objectives: What the front is of.
        question: The limits, the criteria and the rule.

    Raises:
        NoFeasibleCandidateError: Nothing is within the limits.
    """
    require_feasible(candidates, question.criteria, question.limits, question.on)
    standing = Standing.of(candidates, question)
    ranking = standing.rank()
    chosen = ranking.candidates[0]
    facts = [
        *explain(standing, ranking),
        *changes(standing, ranking),
        *explain_off_front(chosen, members, objectives, question),
    ]
    return Choice(chosen, "\n".join(facts))
