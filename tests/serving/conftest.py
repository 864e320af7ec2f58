"""Bundles of models that need no training, and real servers of them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from paretoopt.artifact.artifact import Artifact, load_artifact, save_graph
from paretoopt.bundle.export import export
from paretoopt.candidate import Candidate, Measurement
from paretoopt.pipeline.input_range import InputRange
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context, Measure, Stage
from paretoopt.space import Params

N_ITEMS = 40
LENGTH = 3
BEST = 5


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        process: Its parent process.
        url: Where it listens.
    """

    process: subprocess.Popen[str]
    url: str

    def client(self) -> httpx.Client:
        """A client of its own connection."""
        return httpx.Client(base_url=self.url, timeout=60, verify=False)

    def workers(self) -> list[int]:
        """The processes that serve, which hold the runtime."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children if "onnxruntime" in Path(f"/proc/{child}/maps").read_text()]


Serve = Callable[..., Any]


@contextmanager
def serving(bundle: Path, *options: str) -> Iterator[Server]:
    """Serve ``bundle`` with the command line, and stop at the end."""
    command = [sys.executable, "-m", "paretoopt.cli", "serve", str(bundle), "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"at (http://\S+)", line)
        assert found is not None, line + process.stderr.read()
        server = Server(process, found[1])
        with server.client() as client:
            assert client.get("/healthz").status_code == 200
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        process.wait(60)


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Return as soon as it holds; fail where it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="package")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a model that recommends the items most like those of the history."""
    return _exported(recommender(), tmp_path_factory.mktemp("quick"))


@pytest.fixture(scope="package")
def slow_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the same model with some billion multiplications in between."""
    return _exported(recommender(n_products=2), tmp_path_factory.mktemp("slow"))


@pytest.fixture(scope="package")
def server(bundle: Path) -> Iterator[Server]:
    """Two workers."""
    assert "PARETOOPT_SERVING" not in os.environ
    with serving(bundle, "--workers", "2") as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client of ``server``."""
    with server.client() as one:
        yield one


def recommender(n_products: int = 0, size: int = 1_024) -> onnx.ModelProto:
    """History to the best items: mean of the embeddings, product with all of them, the greatest.

    Args:
        n_products: Products of two square matrices on the way, which change nothing.
        size: Rows of these matrices.
    """
    table = np.random.default_rng(0).normal(size=(N_ITEMS + 1, size)).astype(np.float32)
    weights = {"table": table, "all": table.T.copy(), "axes": np.array([1]), "k": np.array([BEST])}
    nodes = [
        helper.make_node("Gather", ["table", "history"], ["vectors"]),
        helper.make_node("ReduceMean", ["vectors", "axes"], ["mean_0"], keepdims=0),
    ]
    if n_products:
        weights |= {"eye": np.eye(size, dtype=np.float32), "many": np.array([size, size]), "first": np.array([0])}
        weights |= {"one": np.array([1])}
        nodes.append(helper.make_node("Expand", ["mean_0", "many"], ["square_0"]))
        nodes += [helper.make_node("MatMul", [f"square_{n}", "eye"], [f"square_{n + 1}"]) for n in range(n_products)]
        nodes.append(helper.make_node("Slice", [f"square_{n_products}", "first", "one"], ["mean"]))
    nodes += [
        helper.make_node("MatMul", ["mean" if n_products else "mean_0", "all"], ["similar"]),
        helper.make_node("TopK", ["similar", "k"], ["scores", "items"]),
    ]
    graph = helper.make_graph(
        nodes,
        "recommender",
        [helper.make_tensor_value_info("history", TensorProto.INT64, ["batch", LENGTH])],
        [
            helper.make_tensor_value_info("items", TensorProto.INT64, ["batch", BEST]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", BEST]),
        ],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@dataclass(frozen=True)
class _Items:
    fingerprint: str = "items"


def _exported(graph: onnx.ModelProto, folder: Path) -> Path:
    def run(model: object, params: Params, context: Context) -> Artifact:
        save_graph(graph, context.folder)
        return load_artifact(context.folder, context)

    def measured(model: Artifact, params: Params, context: Context) -> Mapping[str, Measurement]:
        return {"artifact_bytes": Measurement(float(model.model_path.stat().st_size))}

    pipeline = Pipeline(
        data=_Items(),
        build=Build(lambda params, data: None, (), "1"),
        stages=[Stage("export", run, lambda model, folder: None, load_artifact)],
        measures=[Measure("size", ("artifact_bytes",), measured)],
        requests={"history": np.random.default_rng(1).integers(1, N_ITEMS + 1, size=(4, LENGTH))},
        store=folder / "store",
        bundle_files={"item_ids.json": json.dumps([None, *(f"item {n}" for n in range(1, N_ITEMS + 1))]).encode()},
        input_ranges={"history": InputRange(0, N_ITEMS)},
    )
    evaluation = pipeline.evaluate({})
    return export(pipeline, Candidate(0, {}, evaluation.measurements, evaluation.runs), folder / "bundle")
