"""Limits and preferences as people type them."""

from __future__ import annotations

import re

from paretoopt.cli.mistakes import UserError
from paretoopt.objectives import Constraint, Objective, at_least, at_most, maximize, minimize

_LIMIT = re.compile(r"\s*(?P<metric>\w+)\s*(?P<sign><=|>=|≤|≥)\s*(?P<bound>\S+)\s*")
_PREFERENCE = re.compile(r"\s*(?:(?P<direction>minimize|maximize)[:(])?\s*['\"]?(?P<metric>\w+)['\"]?\)?\s*")


def parse_limit(text: str) -> Constraint:
    """The limit that ``text`` states.

    Raises:
        UserError: It is no limit.

    >>> str(parse_limit("latency_p95_ms<=5")), str(parse_limit("ndcg_at_10 >= 0.2"))
    ('latency_p95_ms ≤ 5', 'ndcg_at_10 ≥ 0.2')
    """
    match = _LIMIT.fullmatch(text)
    try:
        bound = float(match["bound"]) if match else None
    except ValueError:
        bound = None
    if match is None or bound is None:
        raise UserError(f"{text!r} is no limit.", "Write METRIC<=NUMBER or METRIC>=NUMBER, in quotes.")
    return (at_most if match["sign"] in ("<=", "≤") else at_least)(match["metric"], bound)


def parse_preference(text: str) -> str | Objective:
    """The metric of an objective, or a metric with its direction.

    Raises:
        UserError: It is neither.

    >>> parse_preference("ndcg_at_10"), str(parse_preference("minimize:artifact_mib"))
    ('ndcg_at_10', 'artifact_mib ↓')
    """
    match = _PREFERENCE.fullmatch(text)
    if match is None:
        raise UserError(f"{text!r} is no preference.", "Write METRIC, minimize:METRIC or maximize:METRIC.")
    metric = match["metric"]
    match match["direction"]:
        case "minimize":
            return minimize(metric)
        case "maximize":
            return maximize(metric)
    return metric


def parse_weight(text: str) -> tuple[str, float]:
    """The metric, and how much it counts.

    Raises:
        UserError: It is no weight.

    >>> parse_weight("ndcg_at_10=2")
    ('ndcg_at_10', 2.0)
    """
    metric, _, number = text.partition("=")
    try:
        return metric.strip(), float(number)
    except ValueError:
        raise UserError(f"{text!r} is no weight.", "Write METRIC=NUMBER.") from None
