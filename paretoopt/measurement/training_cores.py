"""Training kept off the cores that a measurement uses."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from paretoopt.measurement.cores import available_cores, is_pinning_possible
from paretoopt.measurement.lock import lock_cores
from paretoopt.pipeline.stage import Context, Stage
from paretoopt.space import Params

_TASKS = Path("/proc/self/task")


def off_measured_cores(stage: Stage, *, threads: int | None) -> Stage:
    """``stage``, run only while no measurement uses its cores, and so that none begins to use them.

    The stage runs on the cores that measurements take last, so that on a machine with cores to spare one process
    trains while another one measures. The wait is told to the listener.

    Args:
        stage: A stage that computes for long.
        threads: Threads that it computes with; None for all cores that this process may use.
    """

    def run(model: Any, params: Params, context: Context) -> Any:  # noqa: ANN401 (what the stage takes and gives)
        # Made before the cores are held: a teacher that another process trains at this moment waits for them too.
        for use in stage.uses:
            context.earlier(use.stage)
        cores = training_cores(threads)
        with lock_cores(cores, listener=context.listener, stage=stage.name), pinned(cores):
            return stage.run(model, params, context)

    return replace(stage, run=run)


def training_cores(threads: int | None) -> tuple[int, ...]:
    """The cores that training with ``threads`` threads uses: those that measurements take last, or all for None."""
    return tuple(sorted(available_cores()[::-1][:threads]))


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """Keep this thread, and the threads of numerical libraries, on ``cores`` for a while.

    Other threads of Python stay where they are: one of them may be measuring.
    """
    if not is_pinning_possible():
        yield
        return
    before = {task: os.sched_getaffinity(task) for task in _computing_tasks()}
    for task in before:
        _pin(task, cores)
    try:
        yield
    finally:
        everywhere = before[threading.get_native_id()]
        for task in _computing_tasks():
            _pin(task, before.get(task, everywhere))


def _computing_tasks() -> list[int]:
    """This thread, and all threads of this process that Python knows nothing of."""
    others = {thread.native_id for thread in threading.enumerate()} - {threading.get_native_id()}
    tasks = (int(folder.name) for folder in _TASKS.iterdir()) if _TASKS.exists() else (threading.get_native_id(),)
    return [task for task in tasks if task not in others]


def _pin(task: int, cores: Sequence[int] | set[int]) -> None:
    # A thread may have ended meanwhile.
    with suppress(ProcessLookupError):
        os.sched_setaffinity(task, cores)
