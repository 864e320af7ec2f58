"""Open-loop traffic: requests arrive when they arrive, whether or not those before are answered."""

from __future__ import annotations

import gc
import time
from array import array
from collections.abc import Sequence

from paretoopt.measurement.rounds import Round
from paretoopt.measurement.tickets import take_ticket
from paretoopt.measurement.traffic import Answer, Feed

COLUMNS = ("number", "ready", "start", "end")
"""What is kept of each request: its number, when its worker was ready for it, and when the work began and ended."""


def serve_arrivals(answer: Answer, feeds: Sequence[Feed], queue: int, traffic: Round) -> array[int]:
    """Serve requests from ``queue`` as they arrive, with the garbage collector off.

    Returns:
        ``COLUMNS`` of each request in turn; times in nanoseconds of the machine's monotonic clock.
    """
    gc.collect()
    gc.disable()
    try:
        return _timed_arrivals(answer, feeds, queue, traffic)
    finally:
        gc.enable()


def _timed_arrivals(answer: Answer, feeds: Sequence[Feed], queue: int, traffic: Round) -> array[int]:
    times = array("q")
    least_length = traffic.least_requests * len(COLUMNS)
    clock = time.perf_counter_ns
    ready = clock()
    while ready < traffic.stop_ns or len(times) < least_length:
        ticket = take_ticket(queue)
        if ticket is None:
            break
        number, arrival = ticket
        feed = feeds[number % len(feeds)]
        start = _wait_until(arrival, traffic.spin_ns)
        answer(None, feed)
        end = clock()
        times.extend((number, ready, start, end))
        ready = end
    return times


def _wait_until(moment: int, spin_ns: int) -> int:
    """Sleep until shortly before ``moment``, then look at the clock until it has come; gives the time after."""
    clock = time.perf_counter_ns
    seconds = (moment - spin_ns - clock()) / 1e9
    if seconds > 0:
        time.sleep(seconds)
    while (now := clock()) < moment:
        pass
    return now
