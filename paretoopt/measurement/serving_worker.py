"""One worker of a measured deployment, or the idle runtime beside it; run as a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paretoopt.measurement.channel import Channel, Json, checkpoint, run_task
from paretoopt.measurement.effort import Effort
from paretoopt.measurement.memory import MemoryUse, own_memory, peak_without_inputs
from paretoopt.measurement.precision import Precision
from paretoopt.measurement.requests import mapped_bytes, read_requests
from paretoopt.measurement.session import open_session
from paretoopt.measurement.traffic import Answer, WarmUp, feeds, serve, warm_up

Opening = Callable[[Path, int], Answer]
"""From an artifact's path and a number of threads to what answers its requests."""


def serve_or_idle(opening: Opening, channel: Channel, job: Json) -> Json:
    """The task of a worker whose runtime is imported already: serve what ``opening`` opens, or stay idle.

    Args:
        opening: Opens the artifact.
        channel: The process's end of the measurement.
        job: What ``measure_serving`` asks for.
    """
    return _idle(channel) if job["is_idle"] else _serve(opening, channel, job)


def _serve(opening: Opening, channel: Channel, job: Json) -> Json:
    checkpoint(channel)
    began = time.perf_counter()
    answer = opening(Path(job["model_path"]), job["threads"])
    load_seconds = time.perf_counter() - began
    loaded = own_memory()
    checkpoint(channel)
    warmed_up, times, peak = _answer_requests(channel, job, answer, loaded)
    np.save(channel.folder / "times.npy", times)
    del times
    checkpoint(channel)
    served = replace(own_memory(), peak=peak)
    return {
        "cores": sorted(os.sched_getaffinity(0)),
        "load_seconds": load_seconds,
        "warm_up": asdict(warmed_up),
        "memory_after_load": asdict(loaded),
        "memory_after_traffic": asdict(served),
    }


def _answer_requests(
    channel: Channel, job: Json, answer: Answer, loaded: MemoryUse
) -> tuple[WarmUp, NDArray[np.int64], int]:
    """How the warm-up went, start and end of the requests after it, and the peak of the memory."""
    # The requests are let go of on return: they are the client's memory, not the deployment's.
    shared = Path(job["requests_folder"])
    requests = read_requests(shared)
    n_requests = len(next(iter(requests.values())))
    order = range(job["worker"] % n_requests, n_requests, job["workers"])
    traffic = feeds(requests, order, seed=job["seed"] + job["worker"])
    warmed_up = warm_up(answer, traffic)
    checkpoint(channel)
    times = serve(
        answer,
        traffic,
        effort=Effort(**job["effort"]),
        progress_path=shared / "progress",
        worker=job["worker"],
        precision=Precision(**job["precision"]) if job["precision"] else None,
    )
    peak = peak_without_inputs(loaded, mapped_bytes(shared))
    return warmed_up, np.array(times, dtype=np.int64), peak


def _idle(channel: Channel) -> Json:
    checkpoint(channel)
    loaded = own_memory()
    for _ in range(3):
        checkpoint(channel)
    return {"memory_after_load": asdict(loaded), "memory_after_traffic": asdict(own_memory())}


def _open_artifact(path: Path, threads: int) -> Answer:
    answer: Answer = open_session(path, threads=threads).run
    return answer


if __name__ == "__main__":
    run_task(partial(serve_or_idle, _open_artifact))
