"""From what is known and told to the cell to evaluate next."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from paretoopt.front.dominance import reference_point
from paretoopt.objectives import Constraint, Objective
from paretoopt.search.cost_first.choice import Outlook, choose, first_best
from paretoopt.search.cost_first.forecast import Forecast, Forecaster, Told
from paretoopt.search.cost_first.grid import Grid, Numbers
from paretoopt.search.cost_first.improvement import expected_improvement, nondominated_boxes
from paretoopt.search.cost_first.knowledge import Knowledge, Sources
from paretoopt.search.cost_first.stage_cost import StageCosts
from paretoopt.search.cost_first.still_to_gain import FEWEST_ARTIFACTS, Foreseen, share_to_gain
from paretoopt.space import SearchSpace

Floats = NDArray[np.float64]

N_START = 3
"""Candidates that are spread over the space before the model is asked."""
_MEASURING_SHARE = 0.02
"""Cost of measuring in shares of a typical training stage, while no measurement was timed."""
_KNOWN_OF_A_BUNDLE = 4
"""Candidates of one training whose costs are enough to tell whether it pays; in replays, more changed little."""
_LIKELY = 0.5
_HOPELESS = 0.01
"""Probability of being feasible below which a cell does not count for the reference point."""


@dataclass(frozen=True)
class Proposer:
    """Proposes cells; what it proposes depends on the sources' answers and on what is told, and on nothing else."""

    grid: Grid
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    knowledge: Knowledge
    forecaster: Forecaster
    errors: dict[str, float] = field(default_factory=dict)

    @staticmethod
    def over(
        space: SearchSpace, objectives: Sequence[Objective], constraints: Sequence[Constraint], sources: Sources
    ) -> Proposer:
        """Ask ``sources`` for all of a finite space."""
        grid = Grid(space)
        knowledge = Knowledge(grid, sources)
        return Proposer(grid, tuple(objectives), tuple(constraints), knowledge, Forecaster(grid, knowledge))

    def propose(self, told: Sequence[Told], pending: Collection[int], seed: int) -> int | None:
        """The cell to evaluate next; None where all are told or pending.

        Args:
            told: The trials that ended, in the order in which they did.
            pending: Cells that are evaluated now, or wait for it.
            seed: Decides where the search starts.
        """
        cells = self._untaken(told, pending)
        if len(cells) == 0:
            return None
        bundles = [frozenset(stage.key for stage in self.knowledge.remaining(cell)) for cell in cells.tolist()]
        forecasts = self._forecasts(told, pending)
        promise = self._promise(forecasts, told)
        seconds, measuring = self._seconds(cells)
        nothing = np.zeros((len(cells), 0))
        outlook = Outlook(cells, nothing, nothing, promise[cells], bundles, seconds, measuring)
        foreseen = self._foreseen(forecasts, promise, told, pending)
        taken = [*(one.cell for one in told), *pending]
        if len(taken) < N_START or foreseen is None:
            return self._spread(outlook, taken, seed)
        outlook = replace(outlook, mean=foreseen.costs[cells], deviation=foreseen.deviations[cells])
        return choose(outlook, foreseen.front, foreseen.reference)

    def to_measure_first(self, told: Sequence[Told], pending: Collection[int], seed: int) -> int | None:
        """A cell whose costs decide whether what would be proposed is worth its training; None where they are known.

        The proposed cell itself, or else the one that is expected to gain most of those that need the same training,
        until the costs of four of them are known.
        """
        chosen = self.propose(told, pending, seed)
        if chosen is None or self._lacks_costs(chosen):
            return chosen
        inside = self._trained_with(chosen, self._untaken(told, pending))
        unknown = np.array([cell for cell in inside if self._lacks_costs(cell)], dtype=np.intp)
        if len(unknown) == 0 or len(inside) - len(unknown) >= _KNOWN_OF_A_BUNDLE:
            return None
        forecasts = self._forecasts(told, pending)
        foreseen = self._foreseen(forecasts, self._promise(forecasts, told), told, pending)
        if foreseen is None:
            return None
        boxes = nondominated_boxes(foreseen.front, foreseen.reference)
        gains = expected_improvement(foreseen.costs[unknown], foreseen.deviations[unknown], boxes)
        gains = gains * foreseen.promise[unknown]
        return int(unknown[first_best(gains)]) if gains.max() > 0 else None

    def _trained_with(self, chosen: int, cells: Numbers) -> list[int]:
        """Those of ``cells`` that need training, but none that ``chosen`` does not need."""
        bundle = {stage.key for stage in self.knowledge.remaining(chosen)}
        needs = {cell: {stage.key for stage in self.knowledge.remaining(cell)} for cell in cells.tolist()}
        return [cell for cell, keys in needs.items() if keys and keys <= bundle]

    def _lacks_costs(self, cell: int) -> bool:
        """Whether a cell needs training, and metrics are only predicted that could be measured before."""
        wanted = {one.metric for one in self.objectives} | {one.metric for one in self.constraints}
        asked = wanted & self.knowledge.cost_metrics
        is_predicted = any(cell not in self.knowledge.costs.get(metric, {}) for metric in asked)
        return is_predicted and bool(self.knowledge.is_final[cell]) and bool(self.knowledge.remaining(cell))

    def expected_gain(self, told: Sequence[Told], pending: Collection[int]) -> float | None:
        """The share of hypervolume that all cells not told or pending are expected to add together.

        Args:
            told: The trials that ended, in the order in which they did.
            pending: Cells that are evaluated now; they count as if they had come out as expected.

        Returns:
            A number from 0 to 1; None while too few artifacts are measured to say.
        """
        if not self._is_told_enough(told):
            return None
        forecasts = self._forecasts(told, pending)
        foreseen = self._foreseen(forecasts, self._promise(forecasts, told), told, pending)
        return None if foreseen is None else share_to_gain(foreseen, self._untaken(told, pending))

    def _untaken(self, told: Sequence[Told], pending: Collection[int]) -> Numbers:
        """The cells of candidates that no trial has."""
        taken = [*(one.cell for one in told), *pending]
        return np.flatnonzero(~np.isin(self.knowledge.candidates, self.knowledge.candidates[taken]))

    def _is_told_enough(self, told: Sequence[Told]) -> bool:
        artifacts = self.knowledge.artifacts
        measured = {int(artifacts[one.cell]) for one in told if self._is_measured(one)}
        return len(measured) >= min(FEWEST_ARTIFACTS, int(artifacts.max()) + 1)

    def _foreseen(
        self,
        forecasts: Mapping[str, Forecast | None],
        promise: Floats,
        told: Sequence[Told],
        pending: Collection[int],
    ) -> Foreseen | None:
        """What is expected of all cells; None where some objective cannot be forecast yet."""
        usable = [one for one in (forecasts[objective.metric] for objective in self.objectives) if one is not None]
        if len(usable) < len(self.objectives):
            return None
        costs = np.column_stack(
            [one.cost(objective.sign) for one, objective in zip(usable, self.objectives, strict=True)]
        )
        deviations = np.column_stack([one.deviation for one in usable])
        reached = [one.cell for one in told if self._is_measured(one) and promise[one.cell] > 0]
        awaited = [cell for cell in pending if promise[cell] > _LIKELY]
        front = costs[[*reached, *awaited]]
        reference = reference_point(costs[(promise > _HOPELESS) | (promise >= promise.max())])
        return Foreseen(costs, deviations, promise, front, reference)

    def _is_measured(self, one: Told) -> bool:
        return not one.failed and all(objective.metric in one.measurements for objective in self.objectives)

    def _forecasts(self, told: Sequence[Told], pending: Collection[int]) -> dict[str, Forecast | None]:
        metrics = {one.metric for one in self.objectives} | {one.metric for one in self.constraints}
        forecasts = {
            metric: self.forecaster.cost(metric)
            if metric in self.knowledge.cost_metrics
            else self.forecaster.trained(metric, told, pending)
            for metric in sorted(metrics)
        }
        self.errors.clear()
        self.errors.update({name: one.error for name, one in forecasts.items() if one is not None and one.error})
        return forecasts

    def _promise(self, forecasts: dict[str, Forecast | None], told: Sequence[Told]) -> Floats:
        promise = self.forecaster.success(told)
        for constraint in self.constraints:
            forecast = forecasts[constraint.metric]
            if forecast is not None:
                promise = promise * forecast.probability(constraint)
        return promise

    def _seconds(self, cells: Numbers) -> tuple[dict[str, float], float]:
        """Expected cost of every stage that remains for some cell, and of measuring."""
        paid = self.knowledge.paid()
        costs = StageCosts(paid)
        remaining = {stage.key: stage for cell in cells.tolist() for stage in self.knowledge.remaining(cell)}
        seconds = {key: costs.seconds(stage) for key, stage in remaining.items()}
        typical = statistics.median(stage.seconds for stage in paid) if paid else 1.0
        return seconds, max(_MEASURING_SHARE * typical, 1e-6)

    def _spread(self, outlook: Outlook, taken: Sequence[int], seed: int) -> int:
        """The start: first the middle of the space, then what is far from all before, weighed against its cost."""
        features = self.grid.features
        if not taken:
            distance = -np.abs(features[outlook.cells] - features.mean(axis=0)).sum(axis=1)
            distance = distance - distance.min() + 1.0
        else:
            gaps = np.abs(features[outlook.cells, np.newaxis] - features[list(taken)]).sum(axis=2)
            distance = gaps.min(axis=1)
        jitter = np.random.default_rng([seed, len(taken)]).uniform(1.0, 1.1, size=len(distance))
        # By the full cost, not its root: variants of the first model before any other model.
        weights = 1.0 / np.array([outlook.cost(bundle) for bundle in outlook.bundles])
        return int(outlook.cells[first_best(distance * jitter * (outlook.promise + 1e-9) * weights)])
