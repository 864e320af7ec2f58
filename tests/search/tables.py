"""A table of candidates whose costs and qualities are known, replayed as an evaluator that tells costs first."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from paretoopt.candidate import (
    Candidate,
    Evaluation,
    Measurement,
    Measurements,
    ProgressListener,
    RemainingStage,
    StageRun,
)
from paretoopt.errors import CandidateError
from paretoopt.objectives import Constraint, maximize, minimize
from paretoopt.search.definition import StudyDefinition
from paretoopt.space import Ordered, Params, SearchSpace, Value

SPACE = SearchSpace(width=Ordered(8, 16, 32, 64), ratio=Ordered(0.0, 0.25, 0.5, 0.75), bits=Ordered(4, 8, 32))
OBJECTIVES = (maximize("quality"), minimize("memory"))


class Table:
    """Quality rises with what memory pays for, bent by interactions and noise; memory is exact and known first."""

    def __init__(self, seed: int = 0, *, broken: bool = False, final: bool = True) -> None:
        """Draw a table.

        Args:
            seed: Of the effects and the noise.
            broken: Whether no shape can be made.
            final: Whether costs are known before training.
        """
        random = np.random.default_rng(seed)
        self.fingerprint = f"table {seed}"
        self.metrics: Sequence[str] = ("quality", "memory")
        self.shape_metrics: Collection[str] = ("memory",)
        self.costed: list[Params] = []
        self.trained: list[Params] = []
        self.has_models = False
        self._broken, self._final = broken, final
        self._effects = random.uniform(0.0, 1.0, 3)
        self._bend = random.normal(0, 0.3)
        self._noise = {self.artifact_key(params): random.normal(0, 0.05) for params in SPACE.grid()}

    def quality(self, params: Params) -> float:
        """What training would give."""
        width, ratio = np.log2(float(params["width"]) / 8) / 3, 1 - float(params["ratio"])
        bits = {4: 0.0, 8: 0.8, 32: 1.0}[int(params["bits"])]
        terms = self._effects @ np.array([np.sqrt(width), ratio, bits])
        return float(terms + self._bend * width * ratio + self._noise[self.artifact_key(params)])

    def memory(self, params: Params) -> float:
        """Bytes of the shape."""
        return float(params["width"]) * (1 - float(params["ratio"])) * int(params["bits"]) / 32

    def candidate(self, number: int, params: Params) -> Candidate:
        """The evaluated candidate."""
        return Candidate(number, params, self.evaluate(params, print).measurements)

    def check(self, space: SearchSpace, metrics: Sequence[str]) -> None:
        """Accept all."""

    def canonical(self, params: Params) -> Mapping[str, Value]:
        """The parameters as they are."""
        return params

    def evaluate(self, params: Params, listener: ProgressListener, /) -> Evaluation:  # noqa: ARG002
        """Train, and measure everything."""
        self.trained.append(params)
        quality, memory = self.quality(params), Measurement(self.memory(params))
        return Evaluation({"quality": Measurement(quality), "memory": memory}, (StageRun("memory", "m", True, 1.0),))

    def costs(self, params: Params, listener: ProgressListener, /) -> Evaluation:  # noqa: ARG002
        """Measure memory."""
        if self._broken:
            raise CandidateError("prune: no channel is left")
        self.costed.append(params)
        return Evaluation({"memory": Measurement(self.memory(params))}, (StageRun("memory", "m", False, 1.0),))

    def known_costs(self, params: Params, /) -> Measurements | None:
        """Everything is known."""
        return {"memory": Measurement(self.memory(params))}

    def costs_are_final(self, params: Params, /) -> bool:  # noqa: ARG002
        """As said when it was made."""
        return self._final

    def artifact_key(self, params: Params, /) -> str:
        """The candidate itself."""
        return repr(sorted(params.items()))

    def remaining(self, params: Params, /) -> tuple[RemainingStage, ...]:
        """One training for each candidate."""
        return () if self.has_models else (RemainingStage("fit", self.artifact_key(params), params),)


def definition(*constraints: Constraint) -> StudyDefinition:
    """The study of a table."""
    return StudyDefinition(SPACE, OBJECTIVES, constraints)


def shuffled(seed: int) -> list[Params]:
    """All candidates in an order by chance."""
    grid = list(itertools.chain(SPACE.grid()))
    return [grid[position] for position in np.random.default_rng(seed).permutation(len(grid))]
