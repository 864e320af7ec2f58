"""A front as HTML, for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence

from paretoopt.candidate import Candidate
from paretoopt.front.table import to_frame
from paretoopt.objectives import Constraint, Objective


def front_html(
    members: Sequence[Candidate],
    n_candidates: int,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
) -> str:
    """What the front is of, and its members as a table, best in the first objective first; all text is escaped."""
    first = objectives[0]
    ordered = sorted(members, key=lambda one: first.sign * one.measurements[first.metric].value)
    table = to_frame(ordered, objectives)
    ends = [f"{name}_{end}" for name in table.columns for end in ("low", "high")]
    table = table.drop(columns=ends, errors="ignore").rename(columns={one.metric: str(one) for one in objectives})
    wanted = ", ".join(map(str, objectives))
    limits = f", within {', '.join(map(str, constraints))}" if constraints else ""
    caption = f"Pareto front of {wanted}{limits}: {len(members)} of {n_candidates} candidates"
    rows = table.to_html(index=False, na_rep="", float_format="{:.4g}".format)
    return f"<p><strong>{html.escape(caption)}</strong></p>{rows}"
