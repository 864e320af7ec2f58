"""A workshop whose costs are known before it works, and which never does the same work twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import pytest

from paretoopt.candidate import Evaluation, Measurement, Measurements, ProgressListener, RemainingStage, StageRun
from paretoopt.errors import CandidateError
from paretoopt.objectives import Constraint, Objective, maximize, minimize
from paretoopt.search.cost_first.sampler import CostFirstSampler
from paretoopt.search.default import sources_of
from paretoopt.space import Float, Int, Ordered, Params, SearchSpace, Value


class Workshop:
    """Quality grows with width and falls with pruning and few bits; memory falls with all of them.

    Training a width takes 20 s, pruning it 10 s more; bits and workers take none.
    """

    fingerprint = "workshop"
    metrics: Sequence[str] = ("quality", "memory")
    shape_metrics: Collection[str] = ("memory",)

    def __init__(self, fails: Callable[[Params], bool] = lambda params: False, *, knows_costs: bool = True) -> None:
        """Fail for some candidates; or know costs of those alone that were evaluated."""
        self.store: set[str] = set()
        self.asked: list[Params] = []
        self.seconds = 0.0
        self._fails = fails
        self._knows_costs = knows_costs

    def check(self, space: SearchSpace, metrics: Sequence[str]) -> None:
        """Accept every space."""

    def canonical(self, params: Params) -> Mapping[str, Value]:
        """Without pruning there is nothing to teach."""
        return {**params, "taught": params.get("taught", 0) if params["pruned"] else 0}

    def evaluate(self, params: Params, listener: ProgressListener) -> Evaluation:  # noqa: ARG002 (the protocol's)
        """Do the work that remains."""
        self.asked.append(params)
        if self._fails(params):
            raise CandidateError("the workshop burns")
        runs = []
        for stage, seconds in zip(_stages(params), (20.0, 10.0), strict=False):
            runs.append(StageRun(stage.name, stage.key, stage.key in self.store, seconds))
            self.seconds += 0.0 if stage.key in self.store else seconds
            self.store.add(stage.key)
        return Evaluation(
            {"quality": Measurement(_quality(params)), "memory": Measurement(_memory(params))}, tuple(runs)
        )

    def costs(self, params: Params, listener: ProgressListener) -> Evaluation:  # noqa: ARG002
        """Memory alone."""
        return Evaluation({"memory": Measurement(_memory(params))})

    def known_costs(self, params: Params) -> Measurements | None:
        """Memory follows from the parameters."""
        return {"memory": Measurement(_memory(params))} if self._knows_costs else None

    def costs_are_final(self, params: Params) -> bool:  # noqa: ARG002
        """Training changes no memory."""
        return True

    def artifact_key(self, params: Params) -> str:
        """All but the workers."""
        return str([params["width"], params["pruned"], params["bits"]])

    def remaining(self, params: Params) -> tuple[RemainingStage, ...]:
        """What the store lacks."""
        return tuple(stage for stage in _stages(params) if stage.key not in self.store)


def _stages(params: Params) -> tuple[RemainingStage, ...]:
    width, pruned = params["width"], params["pruned"]
    fit = RemainingStage("fit", f"fit {width}", {"width": width})
    return (fit, RemainingStage("tune", f"tune {width} {pruned}", {"width": width})) if pruned else (fit,)


def _quality(params: Params) -> float:
    width, pruned, bits = float(params["width"]), float(params["pruned"]), float(params["bits"])
    return 1 - 4 / (width + 4) - 0.2 * pruned**2 - 0.4 / bits


def _memory(params: Params) -> float:
    width, pruned, bits = float(params["width"]), float(params["pruned"]), float(params["bits"])
    return float(params["workers"]) * (2 + width * (1 - 0.7 * pruned) * bits / 8)


SPACE = SearchSpace(
    width=Ordered(8, 16, 32, 64, 128),
    pruned=Float(0.0, 0.75, step=0.25),
    bits=Ordered(32, 8, 4),
    workers=Int(1, 3),
)


@pytest.fixture
def make_workshop() -> type[Workshop]:
    """Makes an evaluator of 180 candidates that knows costs before training."""
    return Workshop


@pytest.fixture
def workshop_space() -> SearchSpace:
    """What the workshop can make."""
    return SPACE


@pytest.fixture
def objectives() -> list[Objective]:
    """Good and small."""
    return [maximize("quality"), minimize("memory")]


@pytest.fixture
def make_sampler(objectives: list[Objective]) -> Callable[..., CostFirstSampler]:
    """Makes a sampler that knows what a workshop knows."""

    def make(workshop: Workshop, constraints: Sequence[Constraint] = (), seed: int = 0) -> CostFirstSampler:
        return CostFirstSampler(SPACE, objectives, constraints, sources=sources_of(workshop), seed=seed)

    return make
