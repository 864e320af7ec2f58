"""A Pareto front as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from paretoopt.candidate import Candidate
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import Objective


def front_table(front: ParetoFront, *, marked: Mapping[str, int] | None = None) -> Table:
    """The members of ``front`` as a rich table, best in the first objective first.

    Parameters that all measured configurations have in common stand below it. Where some were trained from several
    seeds, the last column has their number.

    Args:
        front: What to show.
        marked: Trial numbers to mark, by what they are called, for example ``{"knee": 7}``.
    """
    names = {number: name for name, number in (marked or {}).items()}
    members = sorted(front.members, key=lambda member: _cost(member, front.objectives[0]))
    parameters, common = _parameters(front.candidates)
    title = f"Pareto front: {len(members)} of {len(front.candidates)} measured configurations"
    table = Table(title=title, box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim", caption=common)
    for heading in ("trial", *parameters):
        table.add_column(_narrow(heading), justify="right", overflow="fold")
    for objective in front.objectives:
        table.add_column(_narrow(str(objective)), justify="right", style="bold", overflow="fold")
    has_seeds = any(member.n_seeds > 1 for member in members)
    if has_seeds:
        table.add_column("seeds", justify="right")
    for member in members:
        name = names.get(member.number)
        cells = [f"{name} {member.number}" if name else str(member.number)]
        cells += [str(member.params.get(parameter, "")) for parameter in parameters]
        cells += [_number(member.measurements[objective.metric].value) for objective in front.objectives]
        cells += [str(member.n_seeds)] if has_seeds else []
        table.add_row(*cells, style="reverse" if name else None)
    return table


def _parameters(candidates: Sequence[Candidate]) -> tuple[list[str], str | None]:
    """The parameters in which candidates differ, and what they have in common in words; all where nothing differs."""
    names = list(dict.fromkeys(name for candidate in candidates for name in candidate.params))
    values = {name: [candidate.params.get(name) for candidate in candidates] for name in names}
    differing = [name for name in names if any(value != values[name][0] for value in values[name])]
    if not differing:
        return names, None
    common = ", ".join(f"{name}={values[name][0]}" for name in names if name not in differing)
    return differing, f"All have {common}." if common else None


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _narrow(name: str) -> str:
    """A heading of several short lines, so that all columns fit into a terminal."""
    return name.replace("_", "\n")


def _cost(member: Candidate, objective: Objective) -> float:
    return objective.sign * member.measurements[objective.metric].value
