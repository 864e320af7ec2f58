"""The few candidates that a reader looks for first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from paretoopt.candidate import Candidate
from paretoopt.front.choice import Choice
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import Objective, minimize

_FULL_BITS = 32


def find_baseline(candidates: Sequence[Candidate]) -> Candidate | None:
    """The uncompressed candidate: nothing pruned, 32 bits everywhere, the largest embedding.

    Ties go to the fewest workers, then to the first trial. None where no candidate is uncompressed,
    or where none of them has a parameter that could be compressed.
    """
    uncompressed = [candidate for candidate in candidates if _is_uncompressed(candidate)]
    return min(uncompressed, key=_baseline_order, default=None)


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
        found["knee"] = front.knee()
        found |= {label: front.pick(prefer=objective) for label, objective in _extremes(front.objectives).items()}
    return found


def _extremes(objectives: Sequence[Objective]) -> Mapping[str, Objective]:
    found: dict[str, Objective] = {}
    for objective in objectives:
        if objective.direction == "maximize":
            found.setdefault("best quality", objective)
        if objective == minimize("memory_mib"):
            found["smallest memory"] = objective
    return found


def _is_uncompressed(candidate: Candidate) -> bool:
    bits = [value for name, value in candidate.params.items() if name == "bits" or name.endswith("_bits")]
    ratio = candidate.params.get("pruning_ratio")
    can_be_compressed = bool(bits) or ratio is not None
    return can_be_compressed and not ratio and all(value == _FULL_BITS for value in bits)


def _baseline_order(candidate: Candidate) -> tuple[float, float, int]:
    return (-_number(candidate, "embedding_dim"), _number(candidate, "serving_workers"), candidate.number)


def _number(candidate: Candidate, name: str) -> float:
    value = candidate.params.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0
