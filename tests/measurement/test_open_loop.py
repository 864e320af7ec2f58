"""Requests that arrive by themselves are served in turn, when they come."""

from __future__ import annotations

import gc
import time
from pathlib import Path

import numpy as np

from paretoopt.measurement.open_loop import COLUMNS, serve_arrivals
from paretoopt.measurement.rounds import Round
from paretoopt.measurement.tickets import issue_tickets, ticket_queue
from paretoopt.measurement.traffic import Answer


def _serve(folder: Path, answer: Answer, gap_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten requests with this gap; gives their arrivals, and what is kept of each."""
    arrivals = time.perf_counter_ns() + gap_ns * np.arange(1, 11)
    traffic = Round(0, active_workers=1, stop_ns=int(arrivals[-1]) + 10**10, least_requests=1, spin_ns=300_000)
    with ticket_queue(folder) as queue:
        issue_tickets(queue, arrivals)
        times = serve_arrivals(answer, [{"x": np.arange(1)}], queue, traffic)
    return arrivals, np.array(times).reshape(-1, len(COLUMNS))


def test_garbage_collector_is_off_while_arrivals_are_served(tmp_path: Path) -> None:
    """No collection falls into a request, and the collector is on again afterwards."""
    states: list[bool] = []

    _serve(tmp_path, lambda *_: states.append(gc.isenabled()), gap_ns=1000)

    assert states == [False] * 10
    assert gc.isenabled()


def test_no_request_starts_before_it_arrives(tmp_path: Path) -> None:
    """Each is served once, in order, from its arrival on."""
    arrivals, times = _serve(tmp_path, lambda *_: None, gap_ns=2_000_000)

    number, _, start, end = times.T
    assert number.tolist() == list(range(10))
    assert (start >= arrivals).all()
    assert (end >= start).all()
