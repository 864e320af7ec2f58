"""The candidate that the others are compared with."""

from __future__ import annotations

from collections.abc import Sequence

from paretoopt.candidate import Candidate

_FULL_BITS = 32


def find_baseline(candidates: Sequence[Candidate]) -> Candidate | None:
    """The uncompressed candidate: nothing pruned, 32 bits everywhere, the largest embedding.

    Ties go to the fewest workers, then to the first trial. None where no candidate is uncompressed,
    or where none of them has a parameter that could be compressed.
    """
    uncompressed = [candidate for candidate in candidates if _is_uncompressed(candidate)]
    return min(uncompressed, key=_baseline_order, default=None)


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
