"""A measured process that goes wrong is a MeasurementError with its reason, and leaves nothing behind."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from paretoopt.errors import MeasurementError
from paretoopt.measurement.channel import Json
from paretoopt.measurement.program import Limits

RunProgram = Callable[..., Json]

_WELL_BEHAVED = """
import os
from paretoopt.measurement.channel import checkpoint, run_task
def task(channel, job):
    {body}
run_task(task)
"""


def test_job_and_result_travel_by_file(run_program: RunProgram) -> None:
    """A process gets its job and gives its result, whatever it prints meanwhile."""
    body = "print('{\"garbage\": 1}', flush=True); os.write(2, bytes(300_000)); return {'answer': job['question']}"

    assert run_program(_WELL_BEHAVED.format(body=body)) == {"answer": 42}


def test_process_waits_at_checkpoints(run_program: RunProgram) -> None:
    """A process passes as many checkpoints as its parent lets it pass."""
    body = "checkpoint(channel); checkpoint(channel); return {}"

    assert run_program(_WELL_BEHAVED.format(body=body), checkpoints=2) == {}


def test_threads_are_stated(run_program: RunProgram) -> None:
    """The libraries of the process are told how many threads to start."""
    body = "return {name: os.environ[name] for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS')}"

    assert set(run_program(_WELL_BEHAVED.format(body=body), threads=3).values()) == {"3"}


def test_process_runs_on_its_cores(run_program: RunProgram) -> None:
    """The process is pinned to the cores that it is given."""
    core = max(os.sched_getaffinity(0))
    body = "return {'cores': list(os.sched_getaffinity(0))}"

    assert run_program(_WELL_BEHAVED.format(body=body), cores=frozenset({core})) == {"cores": [core]}


def test_process_without_permission_to_pin_runs_anyway(run_program: RunProgram) -> None:
    """A core that does not exist, as in a container that hides it, is no reason to fail."""
    assert run_program(_WELL_BEHAVED.format(body="return {}"), cores=frozenset({100_000})) == {}


def test_process_is_in_a_group_of_its_own(run_program: RunProgram) -> None:
    """The process leads a fresh group and session, so that signals for its parent do not reach it."""
    body = "return {'leads': os.getpid() == os.getpgid(0) == os.getsid(0)}"

    assert run_program(_WELL_BEHAVED.format(body=body)) == {"leads": True}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import os; os.abort()", "ended by SIGABRT"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended by SIGKILL, as .* when memory runs out"),
        ("import sys; sys.exit('out of luck')", "exit status 1 .* last words: out of luck"),
        ("pass", "exit status 0 and left no result"),
        ("import os, sys; os.close(int(sys.argv[2])); import time; time.sleep(600)", "went on; it was killed"),
        ("from paretoopt.measurement.channel import run_task; run_task(lambda *_: 1 / 0)", "ZeroDivisionError"),
    ],
)
def test_process_that_dies_says_why(run_program: RunProgram, source: str, reason: str) -> None:
    """The error tells a crash, a kill, an early end and an exception apart."""
    with pytest.raises(MeasurementError, match=f"(?s)the program .*{reason}"):
        run_program(source, checkpoints=1)


@pytest.mark.parametrize("result", ["\\x00garbage", "[1, 2]", '"text"', ""])
def test_result_that_is_garbage_is_refused(run_program: RunProgram, result: str) -> None:
    """A result that is no table of values is an error, not a value."""
    source = f"import sys, pathlib; pathlib.Path(sys.argv[1], 'result.json').write_text('{result}')"

    with pytest.raises(MeasurementError, match="left a result that"):
        run_program(source)


@pytest.mark.parametrize(
    "source",
    [
        "import time; time.sleep(600)",
        "import os\nwhile True: os.write(2, b'noise' * 1000)",
        "import signal, time\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\ntime.sleep(600)",
    ],
)
def test_process_that_hangs_is_killed_when_its_time_is_up(run_program: RunProgram, source: str) -> None:
    """Neither silence, nor noise, nor deafness to signals keeps a process alive beyond its limit."""
    with pytest.raises(MeasurementError, match=r"did not reach its end within the limit of 0\.5 s and was killed"):
        run_program(source, limits=Limits(seconds=0.5))


def test_process_that_takes_too_much_memory_says_so(run_program: RunProgram) -> None:
    """An allocation beyond the limit fails in the process, and its parent names the limit."""
    body = "return {'length': len(bytearray(2**30))}"

    with pytest.raises(MeasurementError, match="exceeded its limit of 500 MiB; raise memory_limit_mib"):
        run_program(_WELL_BEHAVED.format(body=body), limits=Limits(seconds=60, memory_mib=500))


@pytest.mark.parametrize("end", ["os.abort()", "import time; time.sleep(600)"])
def test_children_of_the_process_die_with_it(
    run_program: RunProgram, is_alive: Callable[[int], bool], tmp_path: Path, end: str
) -> None:
    """Whatever a measured process started is killed with its group."""
    path = tmp_path / "pid"
    start = "import os, subprocess; child = subprocess.Popen(['sleep', '600'])"

    with pytest.raises(MeasurementError):
        run_program(f"{start}\nopen({str(path)!r}, 'w').write(str(child.pid))\n{end}", limits=Limits(seconds=2))

    deadline = time.monotonic() + 30
    while is_alive(int(path.read_text())) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(int(path.read_text()))


@pytest.mark.parametrize(("name", "limits"), [("limit_seconds", (0, None)), ("memory_limit_mib", (1, -5))])
def test_limits_must_be_positive(name: str, limits: tuple[float, float | None]) -> None:
    """A limit that nothing can meet is refused before anything starts."""
    with pytest.raises(MeasurementError, match=f"{name} must be above 0"):
        Limits(*limits)
