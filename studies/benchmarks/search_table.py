"""A table of measured configurations to replay searches on, and synthetic ones of the same form.

A column is named after what it holds: ``params.<name>``, ``metrics.<name>``, ``artifact`` (equal for configurations
that ship the same), and for each training stage ``stages.<name>.key`` and ``stages.<name>.epochs``; a configuration
that needs no such stage has an empty key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import paretoopt as po
from paretoopt.candidate import RemainingStage
from paretoopt.errors import DataError
from paretoopt.front.dominance import Costs, hypervolume, reference_point
from paretoopt.space import Value

OBJECTIVES = (po.maximize("ndcg_at_10"), po.minimize("latency_p95_ms"), po.minimize("memory_mib"))
"""What configurations are compared in where nothing else is said."""
_COST = re.compile(r"latency_.*_ms|.*_mib|.*_rps")
_DIMS = (16, 32, 64, 128, 256)
_PRUNINGS = (0.0, 0.25, 0.5, 0.75)
_BITS = (32, 8, 4)
_WORKERS = (1, 2, 4)
_LOSS_OF_BITS = {32: 0.0, 8: 0.004, 4: 0.03}


@dataclass(frozen=True)
class Table:
    """Configurations, what was measured of each, and the training that each needs.

    Attributes:
        name: Names it on the page.
        space: The configurations' space, of which all cells are in the table.
        objectives: What configurations are compared in.
        rows: The configuration's row, by its parameters' values.
        metrics: One row per configuration, one column per metric.
        artifacts: Each configuration's artifact.
        stages: The training stages that each configuration needs.
        epochs: The epochs of each stage, by key.
    """

    name: str
    space: po.SearchSpace
    objectives: tuple[po.Objective, ...]
    rows: dict[tuple[Value, ...], int]
    metrics: pd.DataFrame
    artifacts: list[str]
    stages: list[tuple[RemainingStage, ...]]
    epochs: dict[str, float]

    def row(self, params: po.Params) -> int:
        """The configuration's row."""
        return self.rows[tuple(params[name] for name in self.space.dimensions)]

    def measured(self, row: int) -> dict[str, float]:
        """What was measured of a configuration, by metric."""
        values: list[float] = self.metrics.iloc[row].astype(float).tolist()
        return dict(zip(map(str, self.metrics.columns), values, strict=True))

    def cost_metrics(self) -> tuple[str, ...]:
        """The objectives that follow from the shape, so that they can be measured before training."""
        return tuple(one.metric for one in self.objectives if is_cost(one.metric))

    def costs(self, *, is_log: bool) -> Costs:
        """Objective values, less is better; the metrics of :meth:`cost_metrics` as logarithms where ``is_log``."""
        logarithmic = self.cost_metrics() if is_log else ()
        columns = [
            np.log(self.metrics[one.metric]) if one.metric in logarithmic else self.metrics[one.metric]
            for one in self.objectives
        ]
        signs = [one.sign for one in self.objectives]
        return np.column_stack([sign * column.to_numpy() for sign, column in zip(signs, columns, strict=True)])


@dataclass(frozen=True)
class Ruler:
    """Measures how much of the hypervolume of all configurations some of them have."""

    costs: Costs
    reference: Costs
    total: float

    @staticmethod
    def of(costs: Costs) -> Ruler:
        """Measure from the worst cost of all configurations and a tenth of the span beyond it."""
        reference = reference_point(costs)
        return Ruler(costs, reference, hypervolume(costs, reference=reference))

    def share(self, rows: list[int]) -> float:
        """Share of the whole hypervolume that ``rows`` have."""
        return hypervolume(self.costs[rows], reference=self.reference) / self.total

    def shares(self) -> Callable[[int], float]:
        """A function that is given one row after the other, and tells the share of all that it was given."""
        front, share = self.costs[:0], 0.0

        def after(row: int) -> float:
            nonlocal front, share
            new = self.costs[row]
            if not (front <= new).all(axis=1).any():
                front = np.vstack([front[(front < new).any(axis=1)], new])
                share = hypervolume(front, reference=self.reference) / self.total
            return share

        return after


def is_cost(metric: str) -> bool:
    """Whether a metric follows from the shape, by its name: a latency, a size in memory, a throughput."""
    return _COST.fullmatch(metric) is not None


def read_table(path: Path, objectives: tuple[po.Objective, ...]) -> Table:
    """The table that a CSV file holds."""
    return table_of(path.stem, pd.read_csv(path), objectives)


def table_of(name: str, frame: pd.DataFrame, objectives: tuple[po.Objective, ...]) -> Table:
    """The table whose columns are those of ``frame``.

    Raises:
        DataError: It lacks the metric of an objective.
    """
    columns = [str(column) for column in frame]
    params = frame[[column for column in columns if column.startswith("params.")]]
    params.columns = params.columns.str.removeprefix("params.")
    metrics = frame[[column for column in columns if column.startswith("metrics.")]]
    metrics.columns = metrics.columns.str.removeprefix("metrics.")
    lacking = [one.metric for one in objectives if one.metric not in metrics]
    if lacking:
        raise DataError(
            f"Table {name} has no metric {', '.join(lacking)}; it has {', '.join(map(str, metrics))}. "
            "Name the objectives by --objectives."
        )
    stages = [column.split(".")[1] for column in columns if column.startswith("stages.") and column.endswith(".key")]
    keys = {stage: frame[f"stages.{stage}.key"].fillna("").astype(str).tolist() for stage in stages}
    epochs = {
        key: float(n)
        for stage in stages
        for key, n in zip(keys[stage], frame[f"stages.{stage}.epochs"], strict=True)
        if key
    }
    needed = [
        tuple(RemainingStage(stage, keys[stage][row], {}) for stage in stages if keys[stage][row])
        for row in range(len(frame))
    ]
    space = po.SearchSpace(**{str(column): _dimension(params[column]) for column in params})
    rows = {values: row for row, values in enumerate(params.itertuples(index=False, name=None))}
    return Table(name, space, objectives, rows, metrics, list(frame["artifact"].astype(str)), needed, epochs)


def synthetic_table(seed: int) -> Table:
    """A table of 540 configurations whose values come from formulas, and not from measurements.

    Seeds differ in which width is best, how much pruning and few bits cost, how long training takes, and in the noise.
    """
    return table_of(f"synthetic {seed}", synthetic_frame(seed), OBJECTIVES)


def synthetic_frame(seed: int) -> pd.DataFrame:
    """The columns of :func:`synthetic_table`."""
    rng = np.random.default_rng([seed, 540])
    gain, overfit, pruned, rounded = (rng.uniform(*ends) for ends in ((0.25, 0.5), (0, 0.08), (0.1, 0.3), (0.7, 1.5)))
    fit, tune = (round(rng.uniform(*ends)) for ends in ((12, 22), (6, 14)))
    luck = {key: rng.normal(0, 0.01) for key in product(_DIMS, _PRUNINGS)}
    records = []
    for dim, pruning, linear, embedding, workers in product(_DIMS, _PRUNINGS, _BITS, _BITS, _WORKERS):
        doublings = np.log2(dim / 16)
        width = 1 - gain * np.exp(-doublings / 1.5) - overfit * max(0, doublings - 3)
        kept = 1 - pruned * pruning**2 * (32 / dim) ** 0.3
        rounding = 1 - rounded * (_LOSS_OF_BITS[linear] + _LOSS_OF_BITS[embedding] * (32 / dim) ** 0.3)
        tables, layers = 3700 * dim * embedding / 32, 12 * (dim * (1 - pruning)) ** 2 * linear / 32
        work = (0.15 + layers * 32 / linear * {32: 1.0, 8: 0.35, 4: 0.45}[linear] / 4e5 + dim / 800) * rng.lognormal(
            0, 0.03
        )
        key = f"{dim}/{pruning}"
        records.append(
            {
                "params.embedding_dim": dim,
                "params.pruning_ratio": pruning,
                "params.linear_bits": linear,
                "params.embedding_bits": embedding,
                "params.serving_workers": workers,
                "metrics.ndcg_at_10": 0.1 * width * kept * rounding * (1 + luck[dim, pruning]) + rng.normal(0, 5e-5),
                "metrics.latency_p95_ms": work * (0.4 + 1.2 / workers + 0.1 * workers),
                "metrics.memory_mib": workers * (2 + 4 * (tables + layers) / 2**20),
                "artifact": f"{key}/{linear}/{embedding}",
                "stages.fit.key": f"fit {dim}",
                "stages.fit.epochs": fit,
                "stages.fine_tune.key": f"fine_tune {key}" if pruning else "",
                "stages.fine_tune.epochs": tune if pruning else 0,
            }
        )
    return pd.DataFrame(records)


def _dimension(column: pd.Series) -> po.Ordered | po.Categorical:
    values = column.unique().tolist()
    return po.Categorical(*values) if isinstance(values[0], str) else po.Ordered(*sorted(values))
