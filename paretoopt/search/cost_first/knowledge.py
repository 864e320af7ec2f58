"""What is known of every cell without training it: its costs, its artifact, and the stages that remain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import RemainingStage, StageRun
from paretoopt.search.cost_first.grid import Grid, Numbers
from paretoopt.search.cost_first.stage_cost import PaidStage
from paretoopt.space import Params

Floats = NDArray[np.float64]

KnownCosts = Callable[[Params], Mapping[str, float] | None]
"""From a candidate to the metrics that are known of it without training; None where they are not known yet."""
ArtifactKey = Callable[[Params], str]
"""From a candidate to the name of what ships; candidates of equal name share their quality."""
Remaining = Callable[[Params], tuple[RemainingStage, ...]]
"""From a candidate to the training stages that it still needs."""


@dataclass(frozen=True)
class Sources:
    """Where knowledge comes from; each may be left out.

    Attributes:
        costs: Metrics that are known without training.
        artifact_key: Names what ships; without it, every candidate ships something of its own.
        remaining: Training stages to come; without it, all candidates cost the same.
        identity: Names what is evaluated, so that cells of equal name are one candidate; without it, every cell is one.
        cost_metrics: Metrics that are costs; those that ``costs`` gives are, too.
        are_final: Whether training leaves the known costs as they are; without it, it does.
    """

    costs: KnownCosts | None = None
    artifact_key: ArtifactKey | None = None
    remaining: Remaining | None = None
    identity: Callable[[Params], str] | None = None
    cost_metrics: frozenset[str] = frozenset()
    are_final: Callable[[Params], bool] | None = None


class Knowledge:
    """The sources' answers for every cell, kept up to date with what trials have made.

    The sources are asked for all cells once. After that they are asked again for the cell of each trial that ended
    and, where its costs are not known, for each cell that differs from it in one dimension: a shape is often shared.

    Attributes:
        candidates: Array of shape ``(n_cells,)``: the number of each cell's candidate.
        artifacts: Array of shape ``(n_cells,)``: the number of each cell's artifact.
        is_final: Array of shape ``(n_cells,)``: whether known costs are those that the candidate will have.
        costs: What is known, by metric: the values by cell.
        told: The cells whose costs were measured by a trial, or to choose one, in that order.
    """

    def __init__(self, grid: Grid, sources: Sources) -> None:
        """Ask ``sources`` for every cell."""
        self._grid = grid
        self._sources = sources
        self.candidates: Numbers = np.zeros(len(grid), dtype=np.intp)
        self.artifacts: Numbers = np.zeros(len(grid), dtype=np.intp)
        self.is_final = np.ones(len(grid), dtype=np.bool_)
        self.costs: dict[str, dict[int, float]] = {}
        self.told: list[int] = []
        self._runs: dict[str, tuple[StageRun, int]] = {}
        self._stages: dict[str, RemainingStage] = {}
        self._remaining: list[tuple[str, ...]] = [()] * len(grid)
        self._done: set[str] = set()
        candidates: dict[object, int] = {}
        artifacts: dict[object, int] = {}
        # All about one cell before the next, so that a source that keeps its last answers need not begin anew.
        for cell in range(len(grid)):
            params = grid.params(cell)
            self.candidates[cell] = _numbered(
                cell if sources.identity is None else sources.identity(params), candidates
            )
            artifact = cell if sources.artifact_key is None else sources.artifact_key(params)
            self.artifacts[cell] = _numbered(artifact, artifacts)
            self.is_final[cell] = sources.are_final is None or sources.are_final(params)
            self._ask_costs(cell)
            self._ask_remaining(cell)

    @property
    def cost_metrics(self) -> frozenset[str]:
        """The metrics that are known, or can be, without training."""
        return self._sources.cost_metrics | self.costs.keys()

    def remaining(self, cell: int) -> tuple[RemainingStage, ...]:
        """The training stages that a cell still needs."""
        return tuple(self._stages[key] for key in self._remaining[cell] if key not in self._done)

    def paid(self) -> list[PaidStage]:
        """The training stages that were run, of those kinds that some cell still needs.

        A stage is known by the parameters that others of its kind depend on, with the values of the first trial that
        lists it: a store does not tell the parameters of what is no longer missing.
        """
        names = {stage.name: stage.params.keys() for stage in self._stages.values()}
        paid = []
        for run, cell in self._runs.values():
            if run.name in names:
                params = {name: value for name, value in self._grid.params(cell).items() if name in names[run.name]}
                paid.append(PaidStage(run.name, params, run.seconds))
        return paid

    def learn(self, cell: int, costs: Mapping[str, float], runs: Iterable[StageRun]) -> None:
        """Take in what a trial that ended has measured and made.

        Args:
            cell: The trial's cell.
            costs: Its measured costs.
            runs: Its stages.
        """
        for metric, value in costs.items():
            self.costs.setdefault(metric, {})[cell] = value
        if costs and cell not in self.told:
            self.told.append(cell)
        self.is_final[cell] |= bool(costs)
        for run in runs:
            self._runs.setdefault(run.key, (run, cell))
            self._done.add(run.key)
        before = self._remaining[cell]
        self._ask_remaining(cell)
        self._done.update(set(before) - set(self._remaining[cell]))
        for neighbour in self._grid.neighbours(cell):
            self._ask_costs(int(neighbour))

    def learn_costs(self, cell: int, costs: Mapping[str, float]) -> None:
        """Take in costs that were measured before any training."""
        for metric, value in costs.items():
            self.costs.setdefault(metric, {}).setdefault(cell, value)
        if costs and cell not in self.told:
            self.told.append(cell)

    def _ask_costs(self, cell: int) -> None:
        if self._sources.costs is None or any(cell in known for known in self.costs.values()):
            return
        for metric, value in (self._sources.costs(self._grid.params(cell)) or {}).items():
            self.costs.setdefault(metric, {})[cell] = value

    def _ask_remaining(self, cell: int) -> None:
        if self._sources.remaining is not None:
            stages = self._sources.remaining(self._grid.params(cell))
            self._stages |= {stage.key: stage for stage in stages}
            self._remaining[cell] = tuple(stage.key for stage in stages)


def _numbered(name: object, numbers: dict[object, int]) -> int:
    """The number of ``name`` in the order of first appearance, which ``numbers`` keep."""
    return numbers.setdefault(name, len(numbers))
