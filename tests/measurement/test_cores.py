"""Measurements take the same cores every time, one per thread as far as they go."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretoopt.measurement.cores import cores_of_process, measured_cores


def test_no_more_cores_are_taken_than_there_are() -> None:
    """A thousand workers share the cores that this process may use."""
    assert set(measured_cores(1000, 2)) == os.sched_getaffinity(0)


def test_cores_respect_the_affinity_of_this_process() -> None:
    """A process that is confined to one core measures on that one."""
    before = os.sched_getaffinity(0)
    core = max(before)
    os.sched_setaffinity(0, {core})
    try:
        assert measured_cores(2, 1) == (core,)
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize("worker", [0, 1])
def test_workers_get_cores_of_their_own_where_there_are_enough(worker: int) -> None:
    """Worker 0 runs on the first core, worker 1 on the second."""
    assert cores_of_process((4, 6), worker, 1) == {(4, 6)[worker]}


@settings(deadline=None)
@given(
    cores=st.lists(st.integers(0, 63), min_size=1, unique=True), process=st.integers(0, 99), threads=st.integers(1, 9)
)
def test_every_process_gets_cores(cores: list[int], process: int, threads: int) -> None:
    """However few the cores, each process has one, and never more than threads."""
    chosen = cores_of_process(cores, process, threads)

    assert 1 <= len(chosen) <= threads
    assert chosen <= set(cores)
