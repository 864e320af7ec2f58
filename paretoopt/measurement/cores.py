"""Which processor cores a measurement uses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from paretoopt.errors import MeasurementError

_TOPOLOGY = Path("/sys/devices/system/cpu")


def measured_cores(n_processes: int, threads: int) -> tuple[int, ...]:
    """The cores for ``n_processes`` of ``threads`` threads each: one per thread, or all where there are fewer.

    They are the first that this process may use, always the same ones, so that measurements are
    comparable; hyper-threads of a core that is taken come last.
    """
    for name, count in (("workers", n_processes), ("threads", threads)):
        if count < 1:
            raise MeasurementError(f"{name} must be at least 1, but got {count}. Give a positive count.")
    return tuple(sorted(available_cores()[: n_processes * threads]))


def cores_of_process(cores: Sequence[int], process: int, threads: int) -> frozenset[int]:
    """The cores that process number ``process`` is pinned to; processes share where cores are few."""
    return frozenset(cores[(process * threads + thread) % len(cores)] for thread in range(threads))


def is_pinning_possible() -> bool:
    """Whether this system lets a process choose its cores."""
    return hasattr(os, "sched_setaffinity")


def available_cores() -> list[int]:
    """The cores that this process may use, in the order in which measurements take them."""
    cores = sorted(os.sched_getaffinity(0)) if is_pinning_possible() else list(range(os.cpu_count() or 1))
    return sorted(cores, key=lambda core: (core in _siblings(core)[1:], core))


def _siblings(core: int) -> list[int]:
    """The hyper-threads that share a physical core with ``core``, ascending; only itself where unknown."""
    try:
        text = (_TOPOLOGY / f"cpu{core}" / "topology" / "thread_siblings_list").read_text()
        return sorted(number for part in text.strip().split(",") for number in _span(part))
    except (OSError, ValueError):
        return [core]


def _span(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)
