"""A problem whose front is known, and an evaluator that remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from paretoopt.candidate import Evaluation, Measurement, Progress, ProgressListener, StageRun
from paretoopt.errors import CandidateError, ObjectiveError, SpaceError
from paretoopt.objectives import minimize
from paretoopt.search.create import create_study
from paretoopt.search.study import Study
from paretoopt.space import Float, Ordered, Params, SearchSpace, Value


class Scales:
    """Measures ``cost = size`` and ``error = (8 - size) + 4 * waste``: the front is every size without waste."""

    def __init__(self, fails: Callable[[Params], bool] = lambda params: False, version: str = "1") -> None:
        """Fail for some candidates; ``version`` tells one pair of scales from another."""
        self.fingerprint = f"scales {version}"
        self.metrics: Sequence[str] = ("cost", "error")
        self.asked: list[Params] = []
        self.environment: str | None = None
        self._fails = fails

    def check(self, space: SearchSpace, metrics: Sequence[str]) -> None:
        """Refuse other metrics, and spaces without a size."""
        if "size" not in space.dimensions:
            raise SpaceError("The scales read size.")
        for metric in metrics:
            if metric not in self.metrics:
                raise ObjectiveError(f"Metric {metric!r} is not measured.")

    def canonical(self, params: Params) -> Mapping[str, Value]:
        """Name the unit, too."""
        return {"unit": "kg", **params}

    def evaluate(self, params: Params, listener: ProgressListener) -> Evaluation:
        """Remember the candidate and weigh it."""
        self.asked.append(params)
        listener(Progress("weigh", "started"))
        if self._fails(params):
            raise CandidateError("weigh: the scales are stuck")
        size, waste = float(params["size"]), float(params["waste"])
        error = Measurement(8 - size + 4 * waste, low=7.5 - size, high=12.5 - size)
        runs = (StageRun("weigh", "abc", False, 0.25, self.environment),)
        return Evaluation({"cost": Measurement(size), "error": error}, runs)


@pytest.fixture
def make_scales() -> type[Scales]:
    """Makes an evaluator of 16 candidates, 4 of which are the front."""
    return Scales


@pytest.fixture
def space() -> SearchSpace:
    """What the scales weigh."""
    return SearchSpace(size=Ordered(1, 2, 4, 8), waste=Float(0.0, 0.75, step=0.25))


@pytest.fixture
def open_study(tmp_path: Path, space: SearchSpace) -> Callable[..., Study]:
    """Opens or reopens one study in one database file."""

    def open_it(**changes: object) -> Study:
        settings: dict[str, object] = {
            "objectives": [minimize("cost"), minimize("error")],
            "study_name": "scales",
            "storage": f"sqlite:///{tmp_path / 'study.db'}",
            "load_if_exists": True,
        }
        settings |= changes
        return create_study(settings.pop("space", space), **settings)  # type: ignore[arg-type]  # settings are mixed

    return open_it
