"""Memory of several processes adds up to what they hold together, at the end and at the peak."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from paretoopt.measurement.channel import Json
from paretoopt.measurement.memory import MemoryUse, peak_bytes, total_bytes
from paretoopt.measurement.requests import mapped_bytes, read_requests, write_requests

_MIB = 2**20
# Maps requests, and holds for a moment as many bytes beside them as it is told.
_TRANSIENT = """
from pathlib import Path
from paretoopt.measurement.channel import run_task
from paretoopt.measurement.memory import own_memory, peak_without_inputs
from paretoopt.measurement.requests import mapped_bytes, read_requests
def task(channel, job):
    folder = Path({folder!r})
    before = own_memory()
    requests = read_requests(folder)
    held = bytearray(b"1") * {n_bytes}
    del held
    return {{"growth": peak_without_inputs(before, mapped_bytes(folder)) - before.peak}}
run_task(task)
"""


def test_pages_that_workers_share_count_once() -> None:
    """Two workers with 10 bytes of their own and 40 bytes of libraries hold 60 bytes, not 100."""
    worker = MemoryUse(private=10, resident=50, proportional=30, peak=50)

    assert total_bytes([worker, worker]) == 60


def test_peak_adds_what_each_worker_held_for_a_moment() -> None:
    """One worker held 25 bytes more than at the end and the other 5, on top of the 60 that both hold."""
    workers = [MemoryUse(private=10, resident=50, proportional=30, peak=peak) for peak in (75, 55)]

    assert peak_bytes(workers) == 90


@pytest.mark.parametrize("held_mib", [0, 100])
def test_peak_counts_what_was_held_and_not_the_inputs(
    run_program: Callable[..., Json], tmp_path: Path, held_mib: int
) -> None:
    """Beside 100 MiB of mapped inputs, the peak grows by what the process held for a moment."""
    folder = tmp_path / "requests"
    folder.mkdir()
    write_requests(folder, {"x": np.ones(100 * _MIB, np.uint8)})

    grown = run_program(_TRANSIENT.format(folder=str(folder), n_bytes=held_mib * _MIB))["growth"]

    assert grown / _MIB == pytest.approx(held_mib, abs=8)


def test_mapped_bytes_are_whole_pages_of_each_file(tmp_path: Path) -> None:
    """Two inputs of a few bytes take a page each, and a million bytes take 245 pages of 4 KiB."""
    write_requests(tmp_path, {"a": np.ones(3), "b": np.ones(10**6, np.uint8)})

    assert set(read_requests(tmp_path)) == {"a", "b"}
    assert mapped_bytes(tmp_path) >= 10**6
    assert mapped_bytes(tmp_path) % 4096 == 0
