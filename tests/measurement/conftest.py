"""Small real artifacts, and programs that misbehave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from paretoopt.candidate import Measurement
from paretoopt.measurement.channel import Json
from paretoopt.measurement.isolation import isolated
from paretoopt.measurement.per_user import write_per_user
from paretoopt.measurement.program import Limits, Program
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context, Measure, Stage
from paretoopt.space import Parameter, Params

_SEQUENCE = 8
_ONE_MIB = Measurement(1.0)


def _save(path: Path, nodes: Sequence[onnx.NodeProto], inputs: Json, outputs: Json, **constants: object) -> Path:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
        [helper.make_tensor_value_info(name, *kind) for name, kind in outputs.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.fixture
def make_recommender(tmp_path: Path) -> Callable[..., Path]:
    """Builds an artifact that averages item embeddings and gives the best five of 100 items."""

    def make(n_items: int = 1000, dim: int = 64) -> Path:
        generator = np.random.default_rng(0)
        return _save(
            tmp_path / f"recommender-{n_items}.onnx",
            [
                helper.make_node("Gather", ["table", "history"], ["embedded"]),
                helper.make_node("ReduceMean", ["embedded"], ["user"], axes=[1], keepdims=0),
                helper.make_node("MatMul", ["user", "head"], ["all_scores"]),
                helper.make_node("TopK", ["all_scores", "k"], ["scores", "items"]),
            ],
            {"history": (TensorProto.INT64, ["n", _SEQUENCE])},
            {"scores": (TensorProto.FLOAT, ["n", 5]), "items": (TensorProto.INT64, ["n", 5])},
            table=generator.standard_normal((n_items, dim)).astype(np.float32),
            head=generator.standard_normal((dim, 100)).astype(np.float32),
            k=np.array([5]),
        )

    return make


@pytest.fixture
def histories() -> dict[str, np.ndarray]:
    """Requests for the recommender."""
    return {"history": np.random.default_rng(1).integers(0, 1000, (500, _SEQUENCE))}


@pytest.fixture
def endless_model(tmp_path: Path) -> Path:
    """An artifact that never answers: a loop of 10^15 rounds."""
    info, number, truth = helper.make_tensor_value_info, TensorProto.FLOAT, TensorProto.BOOL
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["still"]),
            helper.make_node("Add", ["state", "state"], ["next"]),
        ],
        "body",
        [info("round", TensorProto.INT64, []), info("go_on", truth, []), info("state", number, None)],
        [info("still", truth, []), info("next", number, None)],
    )
    return _save(
        tmp_path / "endless.onnx",
        [helper.make_node("Loop", ["rounds", "", "x"], ["y"], body=body)],
        {"x": (TensorProto.FLOAT, ["n", 1])},
        {"y": (TensorProto.FLOAT, ["n", 1])},
        rounds=np.array(10**15),
    )


@pytest.fixture
def greedy_model(tmp_path: Path) -> Path:
    """An artifact that needs 2 GiB for a request."""
    return _save(
        tmp_path / "greedy.onnx",
        [
            helper.make_node("Expand", ["x", "shape"], ["wide"]),
            helper.make_node("Exp", ["wide"], ["exponential"]),
            helper.make_node("ReduceSum", ["exponential", "axes"], ["y"]),
        ],
        {"x": (TensorProto.FLOAT, ["n", 1])},
        {"y": (TensorProto.FLOAT, ["n", 1])},
        shape=np.array([1, 2**28]),
        axes=np.array([1]),
    )


@pytest.fixture
def run_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Json]:
    """Runs Python source as a measured process and gives its result."""

    def run(source: str, *, limits: Limits = Limits(seconds=60), checkpoints: int = 0, **options: object) -> Json:  # noqa: B008
        (tmp_path / "program_under_test.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        folder = tmp_path / "run"
        folder.mkdir()
        program = Program("the program", "program_under_test", {"question": 42}, **options)  # type: ignore[arg-type]
        with isolated([program], limits, folder=folder) as processes:
            for number in range(checkpoints):
                processes.pass_checkpoint(f"checkpoint {number}")
            return processes.results()[0]

    return run


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    """Tells whether a process still runs; one that is dead but not taken in does not."""

    def check(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    return check


@pytest.fixture
def measured_pids() -> Callable[..., list[int]]:
    """Gives the measured processes that a parent has now."""

    def find(parent: int) -> list[int]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                is_measured = b"paretoopt.measurement.confinement" in (folder / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == parent and is_measured:
                found.append(int(folder.name))
        return found

    return find


@pytest.fixture
def make_planted(tmp_path: Path) -> Callable[..., Pipeline]:
    """Builds a pipeline whose quality per user is given, for each value of its one parameter ``bits``."""

    def make(data: Any, quality: Mapping[int, Mapping[str, np.ndarray]], *, name: str = "planted") -> Pipeline:  # noqa: ANN401
        metrics = tuple(next(iter(quality.values())))

        def run(model: object, params: Params, context: Context) -> dict[str, Measurement]:
            values = quality[int(params["bits"])]
            write_per_user(context.folder, {metric: values[metric] for metric in metrics})
            return {**{metric: Measurement(float(values[metric].mean())) for metric in metrics}, "size_mib": _ONE_MIB}

        return Pipeline(
            data=data,
            build=Build(lambda params, data: None, (), "1"),
            stages=[Stage("fit", lambda *_: None, lambda *_: None, lambda *_: None)],
            measures=[Measure(name, (*metrics, "size_mib"), run, reads=(Parameter("bits", 32),))],
            requests={"history": np.zeros((1, 1))},
            store=tmp_path / "store",
        )

    return make
