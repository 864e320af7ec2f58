"""How much a latency differs from one measurement of an artifact to the next, with and without a background load.

Four ways to measure p50 and p95 of the same artifact take turns in one run:

- *plain loop*: 20 runs on one input, in this process, after 5 that do not count: what many tools do;
- *one measurement*: `measure_serving`, many different requests in a process of its own, on its own core;
- *one round of finals*: the same, corrected for the drift that an anchor shows, which is another artifact that is
  measured in every round;
- *finals of 6 rounds*: the median of six such rounds in a row.

The background load, one program per core that computes in bursts, is switched on and off by turns.

    python studies/benchmarks/repeatability.py
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

import paretoopt as po
from paretoopt import recommenders
from paretoopt.front.rounds import LEAST_ROUNDS, drift_corrected
from paretoopt.measurement.cores import available_cores
from paretoopt.measurement.environment import Environment, pooled_record
from paretoopt.measurement.percentiles import latency_percentile
from paretoopt.measurement.serving import measure_serving
from paretoopt.pipeline.stage import Requests
from paretoopt.training.loop import TrainingSettings
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "repeatability.md"
_ARTIFACT: po.Params = {"embedding_dim": 64, "linear_bits": 8, "embedding_bits": 8}
_ANCHOR: po.Params = {"embedding_dim": 64}
_PERCENTILES = (50, 95)
_WARM_UP_RUNS, _PLAIN_RUNS = 5, 20
# Bursts of a fifth of a second on average: a load that comes and goes while one measurement lasts.
_BURSTS = """
import random, time
while True:
    end = time.perf_counter() + random.expovariate(5)
    while time.perf_counter() < end:
        pass
    time.sleep(random.expovariate(5))
"""

Values = Mapping[str, list[NDArray[np.float64]]]
"""By way of measuring, for each repeat p50 and p95."""


@contextmanager
def background_load() -> Iterator[list[subprocess.Popen[bytes]]]:
    """One program per core, stopped at first; none is left at the end."""
    with ExitStack() as cleanup:
        programs = []
        for _ in available_cores():
            program = subprocess.Popen([sys.executable, "-c", _BURSTS])
            cleanup.callback(program.wait)
            cleanup.callback(program.kill)
            program.send_signal(signal.SIGSTOP)
            programs.append(program)
        yield programs


def switch(programs: Sequence[subprocess.Popen[bytes]], *, on: bool) -> None:
    """Let the load go on, or stop it."""
    for program in programs:
        program.send_signal(signal.SIGCONT if on else signal.SIGSTOP)
    time.sleep(0.1)


def plain_loop(session: onnxruntime.InferenceSession, requests: Requests) -> NDArray[np.float64]:
    """P50 and p95 of 20 runs on one input, in milliseconds."""
    feed = {name: array[:1] for name, array in requests.items()}
    times = []
    for _ in range(_WARM_UP_RUNS + _PLAIN_RUNS):
        start = time.perf_counter()
        session.run(None, feed)
        times.append(1000 * (time.perf_counter() - start))
    return np.percentile(times[_WARM_UP_RUNS:], _PERCENTILES)


def one_measurement(model_path: Path, requests: Requests, seed: int) -> tuple[NDArray[np.float64], Environment]:
    """P50 and p95 as the pipeline's measure takes them, in milliseconds; and where that was."""
    measured = measure_serving(model_path, requests, seed=seed)
    values = [latency_percentile(measured.latencies_ms, percentile).value for percentile in _PERCENTILES]
    return np.array(values), measured.environment


def repeat(n_repeats: int, folder: Path) -> tuple[dict[bool, Values], dict[bool, list[Environment]]]:
    """All ways by turns, ``n_repeats`` times without the load (False) and with it (True); and where that was."""
    shop = po.synthetic_shop(users=500, items=2_000, seed=0)
    pipeline = recommenders.next_item(shop, training=TrainingSettings(epochs=1), store=folder)
    artifact, anchor = (pipeline.deployable(params).model_path for params in (_ARTIFACT, _ANCHOR))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(artifact, options, providers=["CPUExecutionProvider"])
    found: dict[bool, Values] = {
        on: {way: [] for way in ("plain loop", "one measurement", "anchor")} for on in (False, True)
    }
    environments: dict[bool, list[Environment]] = {False: [], True: []}
    with background_load() as programs:
        for number in range(2 * n_repeats):
            is_on = number % 2 == 1
            switch(programs, on=is_on)
            for way in np.random.default_rng(number).permutation(list(found[is_on])):
                if way == "plain loop":
                    values = plain_loop(session, pipeline.requests)
                else:
                    path = artifact if way == "one measurement" else anchor
                    values, environment = one_measurement(path, pipeline.requests, seed=number)
                    environments[is_on].append(environment)
                found[is_on][way].append(values)
    return found, environments


def with_finals(values: Values) -> dict[str, NDArray[np.float64]]:
    """The values of every way as an array of shape ``(n_repeats, 2)``, those of finals worked out."""
    plain, single, anchor = (np.array(values[way]) for way in ("plain loop", "one measurement", "anchor"))
    corrected = np.stack(
        [drift_corrected(np.stack([anchor[:, i], single[:, i]], axis=1))[:, 1] for i in (0, 1)], axis=1
    )
    medians = [
        np.median(corrected[first : first + LEAST_ROUNDS], axis=0)
        for first in range(0, len(corrected) - LEAST_ROUNDS + 1, LEAST_ROUNDS)
    ]
    return {
        "plain loop": plain,
        "one measurement": single,
        "one round of finals": corrected,
        f"finals of {LEAST_ROUNDS} rounds": np.array(medians),
    }


def table(found: Mapping[bool, Values]) -> list[str]:
    """The spread of every way, without the load, with it, and over both by turns."""
    by_turns = {
        way: [one for pair in zip(found[False][way], found[True][way], strict=True) for one in pair]
        for way in found[False]
    }
    lines = [
        "| background load | way | repeats | p50 (ms), median | CV of p50 | max/min of p50 | p95 (ms), median "
        "| CV of p95 | max/min of p95 |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for load, values in (("off", found[False]), ("on", found[True]), ("on and off by turns", by_turns)):
        for way, array in with_finals(values).items():
            lines.append(f"| {load} | {way} | {len(array)} | {_spread(array[:, 0])} | {_spread(array[:, 1])} |")
    return lines


def _spread(values: NDArray[np.float64]) -> str:
    if len(values) < 2:
        return "– | – | –"
    variation = values.std(ddof=1) / values.mean()
    return f"{np.median(values):.3f} | {variation:.1%} | {values.max() / values.min():.2f}"


def _page(
    lines: Sequence[str], environments: Mapping[bool, Sequence[Environment]], arguments: argparse.Namespace
) -> str:
    record, loaded = pooled_record(environments[False]), pooled_record(environments[True])
    shares = {f"{name}, with the background load": value for name, value in loaded.items() if "share" in name}
    legend = "CV is the standard deviation over the mean of the repeats; less is better, and 1.00 is the best max/min."
    command = f"python studies/benchmarks/repeatability.py --repeats {arguments.repeats}"
    return results_page("Repeatability of latency", command, __doc__, [legend, "", *lines], {**record, **shares})


def main() -> None:
    """Print the table and write it to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=24, help="of each way, with the load and without")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found, environments = repeat(arguments.repeats, Path(folder))
    page = _page(table(found), environments, arguments)
    publish(page, arguments.output)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
