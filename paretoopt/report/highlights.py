"""The few candidates that a reader looks for first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from paretoopt.candidate import Candidate
from paretoopt.front.choice import Choice
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import Objective, minimize


def highlights(front: ParetoFront, *, baseline: Candidate | None, chosen: Choice | None) -> Mapping[str, Choice]:
    """The pick, the baseline, the knee, the best quality, and the smallest memory; those that there are.

    The best quality is that of the first objective that is maximised.
    """
    found: dict[str, Choice] = {}
    if chosen is not None:
        found["pick"] = chosen
    if baseline is not None:
        found["baseline"] = Choice(baseline, "The uncompressed candidate, which the others are compared with.")
    if front.members:
        # What is shown are members, and a member satisfies its constraints by its values.
        found["knee"] = front.knee(on="estimate")
        found |= {
            label: front.pick(prefer=objective, on="estimate")
            for label, objective in _extremes(front.objectives).items()
        }
    return found


def _extremes(objectives: Sequence[Objective]) -> Mapping[str, Objective]:
    found: dict[str, Objective] = {}
    for objective in objectives:
        if objective.direction == "maximize":
            found.setdefault("best quality", objective)
        if objective == minimize("memory_mib"):
            found["smallest memory"] = objective
    return found
