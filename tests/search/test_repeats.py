"""Repeats of a study: models trained again from other seeds, by a real pipeline whose luck is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paretoopt.candidate import Evaluation, Measurement, Progress, ProgressListener
from paretoopt.errors import CandidateError, PipelineError, StudyError
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import maximize, minimize
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context, Measure, Stage
from paretoopt.search.study import Study, create_study
from paretoopt.space import Ordered, Parameter, Params, SearchSpace

N_USERS = 400
TRUE = {1: 0.30, 2: 0.40, 3: 0.35, 4: 0.60}
"""What each width gives on average; 3 is dominated by 2 in truth."""
LUCK = {3: 0.08}
"""What the first training of a width gave beyond that: 3 is on the front by luck."""
SPREAD = 0.01
"""The standard deviation of the other trainings."""

Model = dict[str, Any]


class Numbers:
    """Users, by name."""

    fingerprint = "numbers"


class Luck:
    """A pipeline whose trainings come out by luck: wide models cost more memory, rounded ones are a little worse."""

    def __init__(self, folder: Path, luck: Mapping[int, float] = LUCK, spread: float = SPREAD) -> None:
        """Count trainings, by width and seed."""
        self.trained: list[tuple[int, int]] = []
        self.fails_at: int | None = None
        self.failure: BaseException = CandidateError("the loss became nan")
        self._luck, self._spread, self._folder = luck, spread, folder

    def pipeline(self, seed: int = 0) -> Pipeline:
        """Build, fit (width), round (bits); quality with values of users, and memory."""
        return Pipeline(
            data=Numbers(),
            build=Build(build, (Parameter("width", 1),), "1"),
            stages=[
                Stage("fit", self._fit, save, load, trains=True),
                Stage("round", rounded, save, load, reads=(Parameter("bits", 8),)),
            ],
            measures=[
                Measure("quality", ("quality",), quality, per_user=read_users),
                Measure("memory", ("memory_mib",), memory, reads=(Parameter("bits", 8),), needs_training=False),
            ],
            requests={"user": np.arange(3)},
            store=self._folder,
            seed=seed,
        )

    def _fit(self, model: Model, params: Params, context: Context) -> Model:
        if len(self.trained) == self.fails_at:
            raise self.failure
        width, seed = model["width"], context.seed
        self.trained.append((width, seed))
        drawn = self._spread * np.random.default_rng([width, seed]).normal()
        return {**model, "quality": TRUE[width] + (self._luck.get(width, 0.0) if seed == 0 else drawn)}


def build(params: Params, data: Numbers, seed: int) -> Model:
    """An untrained model."""
    return {"width": params["width"], "seed": seed, "quality": 0.0, "bits": 8}


def rounded(model: Model, params: Params, context: Context) -> Model:
    """Rounding costs a little quality, the same for every training."""
    return {**model, "bits": params["bits"], "quality": model["quality"] - (0.02 if params["bits"] == 4 else 0.0)}


def quality(model: Model, params: Params, context: Context) -> dict[str, Measurement]:
    """Users differ by much, and by the same for every model."""
    users = np.linspace(-0.2, 0.2, N_USERS) + model["quality"]
    (context.folder / "users.json").write_text(json.dumps(users.tolist()))
    return {"quality": Measurement(float(users.mean()), float(users.mean()) - 0.01, float(users.mean()) + 0.01)}


def read_users(folder: Path) -> dict[str, Any]:
    """The values of users."""
    return {"quality": np.array(json.loads((folder / "users.json").read_text()))}


def memory(model: Model, params: Params, context: Context) -> dict[str, Measurement]:
    """Grows with the width and the bits."""
    return {"memory_mib": Measurement(model["width"] * float(params["bits"]))}


def save(model: Model, folder: Path) -> None:
    """Write the model as JSON."""
    (folder / "model.json").write_text(json.dumps(model))


def load(folder: Path, context: Context) -> Model:
    """Read it back."""
    model: Model = json.loads((folder / "model.json").read_text())
    return model


@pytest.fixture
def luck(tmp_path: Path) -> Luck:
    """The pipeline's maker."""
    return Luck(tmp_path / "store")


@pytest.fixture
def searched(tmp_path: Path, luck: Luck) -> Callable[..., Study]:
    """Opens the study, with every width evaluated, in 8 bits unless told otherwise."""

    def open_it(*bits: int) -> Study:
        study = create_study(
            SearchSpace(width=Ordered(*TRUE), bits=Ordered(4, 8)),
            objectives=[maximize("quality"), minimize("memory_mib")],
            study_name="widths",
            storage=f"sqlite:///{tmp_path / 'study.db'}",
            load_if_exists=True,
        )
        wanted = [{"width": width, "bits": one} for width in TRUE for one in bits or (8,)]
        for params in wanted:
            study.enqueue(params)
        study.optimize(luck.pipeline(), n_trials=len(wanted), progress=False)
        return study

    return open_it


def widths(front: ParetoFront) -> list[int]:
    """The members of the front."""
    return [int(member.params["width"]) for member in front.members]


def test_a_member_by_luck_leaves_the_front(searched: Callable[..., Study], luck: Luck) -> None:
    """Width 3 seemed better than 2, in less memory than 4; trained again, it is worse, and dominated."""
    study = searched()
    assert widths(study.pareto_front()) == [1, 2, 3, 4]

    front = study.repeats(luck.pipeline(), seeds=20, progress=False)

    assert widths(front) == widths(study.pareto_front()) == [1, 2, 4]
    assert all(one.probability_nondominated is not None for one in front.candidates)
    assert all(not 0.05 < (one.probability_nondominated or 0.0) < 0.95 for one in front.candidates)
