"""The cost of one machine and all its workers, in training or in serving."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from paretoopt.candidate import Measurement, Measurements
from paretoopt.errors import CostError
from paretoopt.objectives import Constraint, at_most
from paretoopt.space import Params

TRAINING_SECONDS = "training_seconds"
"""Seconds that a candidate's training takes, nothing reused."""


@dataclass(frozen=True)
class TotalCost:
    """The metric ``total_training_cost`` or ``total_serving_cost``: one machine, and the sum over its workers.

    Training costs ``training_seconds × (machine + training_workers × per_worker)``; with ``machine=0`` and
    ``per_worker=1`` these are worker-seconds. ``training_seconds`` is what all the candidate's training took when it
    was run, whether or not this study had to; a table, or a function ``params -> measurements``, gives it as a metric.
    Serving costs ``replicas × (machine + serving_workers × per_worker)``, with one replica unless :class:`ServingCost`,
    given before it, says how many. Workers that are no parameter are 1.

    Attributes:
        of: ``"training"`` or ``"serving"``.
        machine: What the machine costs: per second of training, or per replica that serves, in any one unit.
        per_worker: What each of its workers costs, in the same unit.

    Raises:
        CostError: A cost is none, or both are 0.

    >>> budget = TotalCost("training", machine=0.5, per_worker=1.0).at_most(600)
    >>> str(budget)
    'total_training_cost ≤ 600'
    """

    of: Literal["training", "serving"]
    machine: float = 0.0
    per_worker: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no cost."""
        if self.of not in ("training", "serving"):
            raise CostError(f"of={self.of!r} is nothing that workers do. Use 'training' or 'serving'.")
        for name in ("machine", "per_worker"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise CostError(f"{name}={value!r} cannot be reckoned with. Give 0 or a positive number.")
        if self.machine == self.per_worker == 0:
            raise CostError("machine and per_worker are both 0, so that everything costs the same. Give one above 0.")

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metric that it gives."""
        return (f"total_{self.of}_cost",)

    def at_most(self, budget: float) -> Constraint:
        """The constraint that one machine and the sum over its workers cost ``budget`` or less."""
        return at_most(self.metrics[0], budget)

    def inputs(self, available: Collection[str]) -> tuple[str, ...]:
        """The metrics that it is reckoned from."""
        if self.of == "training":
            return (TRAINING_SECONDS,)
        return ("replicas",) if "replicas" in available else ()

    def derive(self, params: Params, measurements: Measurements) -> dict[str, Measurement]:
        """The metric of one candidate; none where its training's seconds are not known."""
        times = [measurements.get(name) for name in self.inputs(measurements)]
        rate = self.machine + float(params.get(f"{self.of}_workers", 1)) * self.per_worker
        if not times:
            return {self.metrics[0]: Measurement(rate)}
        time = times[0]
        if time is None:
            return {}
        low, high = (None if end is None else end * rate for end in (time.low, time.high))
        return {self.metrics[0]: Measurement(time.value * rate, low, high)}
