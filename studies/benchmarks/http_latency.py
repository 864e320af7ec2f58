"""Put the latency of a bundle through HTTP beside that of the same artifact in a process of its own.

python studies/benchmarks/http_latency.py --data FOLDER
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import paretoopt as po
from paretoopt import recommenders
from paretoopt.bundle.predict import read_arrays
from paretoopt.measurement.environment import Environment, pooled_record
from paretoopt.measurement.serial_percentiles import serial_percentile
from paretoopt.measurement.serving import measure_serving
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "http_latency.md"
_WORKERS = (1, 2)
_PERCENTILES = (50, 95, 99)
_PARAMS: po.Params = {"embedding_dim": 64, "bits": 8}

_ABOUT = """The same artifact (SASRec for MovieLens 100K, 64 wide, 8 bits,
quickly trained) answers the same sample requests, closed loop: one client for each worker, and each sends its next
request when the last one is answered. *In process* is what a search measures: the runtime alone, called with arrays.
*HTTP* is `paretoopt serve` with clients on the same machine, which share its cores: each has a connection that stays
open, and time runs from sending the body to having read the answer. The system gives connections to workers as they
come, so two of them may share one. *HTTP without a model* is `GET /healthz` over the same connections: what the web
server and the client take by themselves. Times are milliseconds, with 95 % intervals.
"""


@contextmanager
def served(bundle: Path, workers: int) -> Iterator[int]:
    """Serve ``bundle`` on a free port, which is given."""
    command = [sys.executable, "-m", "paretoopt.cli", "serve", str(bundle), "--port", "0", "--workers", str(workers)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline() if process.stderr else ""
        found = re.search(r"at http://[^:]+:(\d+)", line)
        if found is None:
            raise SystemExit(f"the server did not start: {line}")
        yield int(found[1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def bodies(bundle: Path) -> list[bytes]:
    """The bundle's sample requests, one in each body."""
    requests = read_arrays(bundle / "requests.npz")
    n_requests = len(next(iter(requests.values())))
    return [
        json.dumps({"inputs": {name: values[place : place + 1].tolist() for name, values in requests.items()}}).encode()
        for place in range(n_requests)
    ]


def timed(port: int, method: str, path: str, content: Sequence[bytes], n_requests: int) -> NDArray[np.float64]:
    """Milliseconds of ``n_requests`` requests over one connection, after a tenth as many that do not count."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    milliseconds = []
    for number in range(-n_requests // 10, n_requests):
        began = time.perf_counter()
        connection.request(method, path, content[number % len(content)])
        answer = connection.getresponse()
        answer.read()
        if number >= 0:
            milliseconds.append(1000 * (time.perf_counter() - began))
        if answer.status != 200:
            raise SystemExit(f"{method} {path} was answered with {answer.status}")
    connection.close()
    return np.array(milliseconds)


def through_http(port: int, workers: int, method: str, path: str, content: Sequence[bytes], n: int) -> list[Any]:
    """The row of the table: percentiles of all clients, and requests per second."""
    began = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        each = list(pool.map(lambda _: timed(port, method, path, content, n), range(workers)))
    seconds = time.perf_counter() - began
    # By turns, so that what came late together stays together.
    pooled = np.stack(each, axis=1).ravel()
    return [*percentiles(pooled), f"{1.1 * n * workers / seconds:,.0f}"]


def percentiles(milliseconds: NDArray[np.float64]) -> list[str]:
    """Each percentile with its interval."""
    measured = [serial_percentile(milliseconds, percentile) for percentile in _PERCENTILES]
    return [f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for one in measured]


def rows(bundle: Path, n_requests: int) -> tuple[list[list[Any]], list[Environment]]:
    """The table, and where the runtime alone was measured."""
    table: list[list[Any]] = []
    environments = []
    content = bodies(bundle)
    for workers in _WORKERS:
        alone = measure_serving(
            bundle / "model.onnx",
            read_arrays(bundle / "requests.npz"),
            workers=workers,
            n_requests=n_requests * workers,
        )
        environments.append(alone.environment)
        table.append([workers, "in process", *percentiles(alone.latencies_ms), f"{alone.throughput_rps:,.0f}"])
        with served(bundle, workers) as port:
            floor = through_http(port, workers, "GET", "/healthz", [b""], n_requests)
            asked = through_http(port, workers, "POST", "/recommend", content, n_requests)
        table += [[workers, "HTTP without a model", *floor], [workers, "HTTP", *asked]]
    return table, environments


def exported(data: Path, folder: Path) -> Path:
    """The bundle of a model that was trained for three epochs."""
    training = po.TrainingSettings(epochs=3, threads=1)
    pipeline = recommenders.next_item(po.load_interactions(data), training=training, store=folder / "store")
    evaluation = pipeline.evaluate(_PARAMS)
    candidate = po.Candidate(0, _PARAMS, evaluation.measurements, evaluation.runs)
    return po.export(pipeline, candidate, folder / "bundle")


def main() -> None:
    """Print the table and write it to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of MovieLens 100K")
    parser.add_argument("--requests", type=int, default=1_000, help="requests of each client")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table, environments = rows(exported(arguments.data, Path(folder)), arguments.requests)
    head = ["workers", "", *(f"p{percentile}" for percentile in _PERCENTILES), "requests/s"]
    lines = [head, ["---:", "---", *["---:"] * (len(head) - 2)], *table]
    page = results_page(
        "Latency through HTTP and in process",
        f"python studies/benchmarks/http_latency.py --data FOLDER --requests {arguments.requests}",
        _ABOUT,
        [f"| {' | '.join(map(str, line))} |" for line in lines],
        pooled_record(environments),
    )
    publish(page, arguments.output)


if __name__ == "__main__":
    main()
