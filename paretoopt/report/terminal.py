"""A Pareto front as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from paretoopt.candidate import Candidate
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import Objective


def front_table(front: ParetoFront, *, marked: Mapping[str, int] | None = None) -> Table:
    """The members of ``front`` as a rich table, best in the first objective first.

    Args:
        front: What to show.
        marked: Trial numbers to mark, by what they are called, for example ``{"knee": 7}``.
    """
    names = {number: name for name, number in (marked or {}).items()}
    members = sorted(front.members, key=lambda member: _cost(member, front.objectives[0]))
    table = Table(title=f"Pareto front: {len(members)} of {len(front.candidates)} measured configurations")
    table.add_column("trial", justify="right")
    for parameter in _parameters(members):
        table.add_column(parameter, justify="right")
    for objective in front.objectives:
        table.add_column(str(objective), justify="right", style="bold")
    if names:
        table.add_column("")
    for member in members:
        cells = [str(member.number), *(str(member.params.get(name, "")) for name in _parameters(members))]
        cells += [f"{member.measurements[objective.metric].value:.4g}" for objective in front.objectives]
        table.add_row(*cells, *([names.get(member.number, "")] if names else []))
    return table


def _cost(member: Candidate, objective: Objective) -> float:
    return objective.sign * member.measurements[objective.metric].value


def _parameters(members: Sequence[Candidate]) -> list[str]:
    return list(dict.fromkeys(name for member in members for name in member.params))
