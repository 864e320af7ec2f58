"""How few epochs would do for somebody who knows beforehand what every configuration gives?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, product

from studies.benchmarks.search_table import Ruler, Table

Stages = frozenset[str]
_MOST_CHOICES = 200_000


def least_epochs(table: Table, share: float, *, is_log: bool) -> float | None:
    """The fewest epochs with the store after which configurations have ``share`` of the hypervolume.

    All sets of trainings are looked at, the cheapest first, each with all the configurations that it serves.

    Returns:
        None where there are more than 200,000 sets.
    """
    served: dict[Stages, list[int]] = {}
    for row, stages in enumerate(table.stages):
        served.setdefault(frozenset(stage.key for stage in stages), []).append(row)
    families = _families(list(served))
    if math.prod(1 + 2 ** (len(one) - 1) for one in families) > _MOST_CHOICES:
        return None
    ruler = Ruler.of(table.costs(is_log=is_log))
    choices = (frozenset[str]().union(*parts) for parts in product(*map(_choices, families)))
    for choice in sorted(choices, key=lambda stages: (sum(table.epochs[key] for key in stages), sorted(stages))):
        rows = [row for stages, found in served.items() if stages <= choice for row in found]
        if rows and ruler.share(rows) >= share:
            return sum(table.epochs[key] for key in choice)
    return None


def _families(needs: list[Stages]) -> list[list[Stages]]:
    """What configurations need, the least first, by the training that all of a family begin with."""
    bases = [one for one in needs if not any(other < one for other in needs)]
    return [[base, *(one for one in needs if base < one)] for base in bases]


def _choices(family: list[Stages]) -> Iterator[Stages]:
    """Nothing, or the first with any of the others."""
    yield frozenset()
    first, *others = family
    for n in range(len(others) + 1):
        for some in combinations(others, n):
            yield first.union(*some)
