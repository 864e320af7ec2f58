"""However the measuring process ends, its measured processes end too, and the next can measure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import paretoopt
from paretoopt.candidate import Progress
from paretoopt.measurement.serving import measure_serving

_ONE = {"x": np.ones((1, 1), np.float32)}
_MEASURE = """
import pathlib, sys, numpy
from paretoopt.measurement.serving import measure_serving
tell = lambda progress: print(progress.message, flush=True)
measure_serving(pathlib.Path(sys.argv[1]), {"x": numpy.ones((1, 1), "float32")}, listener=tell)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_measured_processes_die_with_their_parent(
    endless_model: Path,
    measured_pids: Callable[[int], list[int]],
    is_alive: Callable[[int], bool],
    how: signal.Signals,
) -> None:
    """Even a parent that is killed at once, in the middle of a measurement, leaves no process."""
    home = str(Path(paretoopt.__file__).parent.parent)
    parent = subprocess.Popen(
        [sys.executable, "-c", _MEASURE, str(endless_model)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": home},
    )
    with parent:
        assert parent.stdout is not None
        while b"end of warm-up" not in parent.stdout.readline():
            assert parent.poll() is None
        measured = measured_pids(parent.pid)
        parent.send_signal(how)

    assert len(measured) == 2
    deadline = time.monotonic() + 30
    while any(map(is_alive, measured)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(is_alive, measured))


def test_keyboard_interrupt_ends_the_measured_processes(
    endless_model: Path, measured_pids: Callable[[int], list[int]]
) -> None:
    """Ctrl-C passes through, and nothing is left."""

    def interrupt(progress: Progress) -> None:
        if "end of warm-up" in progress.message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_serving(endless_model, _ONE, listener=interrupt)

    assert measured_pids(os.getpid()) == []
