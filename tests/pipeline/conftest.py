"""A toy pipeline whose models are dictionaries and whose every step is counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paretoopt.candidate import Measurement
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context, Measure, Stage
from paretoopt.space import Parameter, Params, Value

Model = dict[str, Any]


@dataclass(frozen=True)
class Numbers:
    """Data that a name tells from other data."""

    fingerprint: str = "numbers"


@dataclass(frozen=True)
class Toy:
    """Parts of a toy pipeline, and what they did.

    Attributes:
        folder: Of the store.
        calls: The steps that really ran, in order.
    """

    folder: Path
    calls: list[str] = field(default_factory=list)

    def stage(self, name: str, *reads: Parameter, **changes: Any) -> Stage:  # noqa: ANN401 (any field of Stage)
        """A stage that writes its name, what it reads and the seed into the model."""

        def run(model: Model, params: Params, context: Context) -> Model:
            self.calls.append(name)
            return {"steps": [*model["steps"], [name, dict(params), context.seed]]}

        fields: dict[str, Any] = {"name": name, "run": run, "save": save, "load": load, "reads": reads}
        return Stage(**fields | changes)

    def measure(self, name: str, *reads: Parameter, **changes: Any) -> Measure:  # noqa: ANN401 (any field of Measure)
        """A measure that gives the length of the model's text, which every step lengthens."""

        def run(model: Model, params: Params, context: Context) -> Mapping[str, Measurement]:
            self.calls.append(name)
            text = json.dumps([model, dict(params)])
            return {name: Measurement(len(text) / 3, low=0.1, high=None)}

        fields: dict[str, Any] = {"name": name, "metrics": (name,), "run": run, "reads": reads}
        return Measure(**fields | changes)

    def pipeline(self, **changes: Any) -> Pipeline:  # noqa: ANN401 (any argument of Pipeline)
        """Build (width), fit (epochs), prune (ratio, inactive at 0), round (bits); quality and latency (workers)."""
        arguments: dict[str, Any] = {
            "data": Numbers(),
            "build": Build(build, WIDTH, "1"),
            "stages": [
                self.stage("fit", parameter("epochs", 3)),
                self.stage("prune", parameter("ratio", 0.0), is_active=lambda params: float(params["ratio"]) > 0),
                self.stage("round", parameter("linear_bits", 32), parameter("embedding_bits", 32)),
            ],
            "measures": [
                self.measure("quality"),
                self.measure("latency_ms", parameter("serving_workers", 1), device=lambda: "this computer"),
            ],
            "requests": {"history": np.arange(6).reshape(3, 2)},
            "store": self.folder,
        }
        return Pipeline(**arguments | changes)

    def ran(self, work: Callable[[], object]) -> list[str]:
        """The steps that ``work`` really ran."""
        before = len(self.calls)
        work()
        return self.calls[before:]


def parameter(name: str, default: Value) -> Parameter:
    """A parameter that refuses negative numbers."""
    return Parameter(name, default, lambda value: "it is negative." if float(value) < 0 else None)


WIDTH = (parameter("width", 8),)


def build(params: Params, data: Numbers) -> Model:
    """The untrained model."""
    return {"steps": [["build", dict(params), data.fingerprint]]}


def save(model: Model, folder: Path) -> None:
    """Write the model as JSON."""
    (folder / "model.json").write_text(json.dumps(model))


def load(folder: Path, context: Context) -> Model:
    """Read it back."""
    model: Model = json.loads((folder / "model.json").read_text())
    return model


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """The toy, with a fresh store."""
    return Toy(tmp_path / "store")
