"""One worker under open-loop load; run as a process of its own."""

from __future__ import annotations

import os
from array import array
from pathlib import Path

import numpy as np

from paretoopt.measurement.channel import Channel, Json, checkpoint, run_task
from paretoopt.measurement.fixed_service import FixedService, busy_answer
from paretoopt.measurement.open_loop import COLUMNS, serve_arrivals
from paretoopt.measurement.readiness import Readiness, write_readiness
from paretoopt.measurement.requests import read_requests
from paretoopt.measurement.rounds import read_round
from paretoopt.measurement.session import open_session
from paretoopt.measurement.traffic import Answer, feeds, warm_up


def _serve(channel: Channel, job: Json) -> Json:
    shared = Path(job["folder"])
    answer = _answer(job)
    requests = read_requests(shared)
    order = range(len(next(iter(requests.values()))))
    warmed_up = warm_up(answer, feeds(requests, order, seed=job["worker"]))
    singles = [{name: stacked[number : number + 1] for name, stacked in requests.items()} for number in order]
    write_readiness(channel.folder, Readiness(tuple(sorted(os.sched_getaffinity(0))), warmed_up.is_stable))
    while True:
        checkpoint(channel)  # All that there was to serve is served.
        checkpoint(channel)  # The next round is ready.
        traffic = read_round(shared)
        if traffic is None:
            return {}
        times = array("q")
        if job["worker"] < traffic.active_workers:
            times = serve_arrivals(answer, singles, job["queue"], traffic)
        np.save(channel.folder / f"round-{traffic.number}.npy", np.array(times).reshape(-1, len(COLUMNS)))


def _answer(job: Json) -> Answer:
    if job["service_seconds"] is not None:
        return busy_answer(FixedService(job["service_seconds"]))
    answer: Answer = open_session(Path(job["model_path"]), threads=job["threads"]).run
    return answer


if __name__ == "__main__":
    run_task(_serve)
