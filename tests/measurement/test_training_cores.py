"""Training keeps off the cores that another process measures on, unless told otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import paretoopt
from paretoopt.candidate import Progress, ProgressListener
from paretoopt.errors import CandidateError
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.lock import lock_cores
from paretoopt.measurement.training_cores import off_measured_cores, pinned, training_cores
from paretoopt.pipeline.stage import Context, Earlier, Stage
from paretoopt.space import Params

_HOLDER = """
import sys, time
from paretoopt.measurement.lock import lock_cores
with lock_cores([int(core) for core in sys.argv[1:]]):
    print("holding", flush=True)
    time.sleep(600)
"""

N_CORES = len(os.sched_getaffinity(0))


@pytest.fixture(autouse=True)
def locks_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests lock real cores, so they keep their locks apart from those of real measurements."""
    monkeypatch.setenv("PARETOOPT_LOCKS", str(tmp_path))


def training(run: Callable[[], object], *, threads: int | None) -> Callable[[ProgressListener], object]:
    """A stage that runs ``run``, guarded; give it a listener."""

    def run_stage(model: object, params: Params, context: Context) -> object:
        return run()

    stage = Stage("fit", run_stage, save=lambda model, folder: None, load=lambda folder, context: None)
    guarded = off_measured_cores(stage, threads=threads)
    return lambda listener: guarded.run(None, {}, Context(None, {}, lambda: None, 0, Path(), listener))


def holder_of(cores: tuple[int, ...]) -> subprocess.Popen[bytes]:
    """A process that holds ``cores`` as a measurement does."""
    environment = {**os.environ, "PYTHONPATH": str(Path(paretoopt.__file__).parent.parent)}
    command = [sys.executable, "-c", _HOLDER, *map(str, cores)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"holding\n"
    return holder


def test_training_waits_for_a_measurement_and_says_so() -> None:
    """On all cores, training waits until the measurement of another process is over; the display shows the wait."""
    heard: list[Progress] = []
    with holder_of(measured_cores(1, 1)) as holder:

        def listen(progress: Progress) -> None:
            heard.append(progress)
            holder.kill()

        assert training(lambda: "trained", threads=None)(listen) == "trained"

    assert heard[0].stage == "fit"
    assert "on which another process measures or trains" in heard[0].message


@pytest.mark.skipif(N_CORES < 2, reason="needs two cores")
def test_training_with_fewer_threads_than_cores_goes_on_beside_a_measurement() -> None:
    """Training on one core takes the last one, and a measurement the first one."""
    heard: list[Progress] = []
    with holder_of(measured_cores(1, 1)) as holder:
        assert training(lambda: "trained", threads=1)(heard.append) == "trained"
        holder.kill()

    assert heard == []


def test_a_measurement_waits_for_training() -> None:
    """While a stage trains, its cores cannot be locked from another thread."""
    is_training, may_end, waited = threading.Event(), threading.Event(), threading.Event()

    def train() -> None:
        is_training.set()
        may_end.wait(60)

    def listen(progress: Progress) -> None:
        waited.set()
        may_end.set()

    trainer = threading.Thread(target=lambda: training(train, threads=None)(lambda progress: None))
    trainer.start()
    assert is_training.wait(60)
    with lock_cores(measured_cores(1, 1), listener=listen):
        assert waited.is_set()
    trainer.join(60)


def test_what_is_measured_within_training_does_not_wait_for_itself() -> None:
    """The lock is the thread's own, so a stage that measures something cannot block itself."""

    def measure() -> str:
        with lock_cores(measured_cores(1, 1)):
            return "measured"

    assert training(measure, threads=None)(lambda progress: None) == "measured"


def test_training_runs_on_the_cores_that_it_holds_and_on_all_afterwards() -> None:
    """The stage sees its own cores only; when it fails, they are free and the thread is where it was."""
    before, seen = os.sched_getaffinity(0), []

    def fail() -> None:
        seen.append(os.sched_getaffinity(0))
        raise CandidateError("the loss became nan")

    with pytest.raises(CandidateError):
        training(fail, threads=1)(lambda progress: None)

    assert seen == [set(training_cores(1))]
    assert os.sched_getaffinity(0) == before
    with holder_of(training_cores(None)) as holder:
        holder.kill()


def test_other_threads_of_python_stay_on_their_cores() -> None:
    """One of them may be measuring."""
    go_on, affinity = threading.Event(), []

    def look() -> None:
        go_on.wait(60)
        affinity.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=look)
    thread.start()
    with pinned(training_cores(1)):
        go_on.set()
        thread.join(60)

    assert len(affinity[0]) == N_CORES


def test_training_takes_the_cores_that_measurements_take_last() -> None:
    """One thread of each meets on a machine of one core only; all cores are all cores."""
    assert training_cores(None) == measured_cores(N_CORES, 1)
    assert N_CORES == 1 or not set(training_cores(1)) & set(measured_cores(1, 1))


@pytest.mark.skipif(N_CORES < 2, reason="needs two cores")
def test_a_teacher_is_made_before_cores_are_held() -> None:
    """Another process may be training it, and waiting for these very cores: who holds them must not wait for it."""
    everywhere, asked_on = os.sched_getaffinity(0), []

    def earlier(stage: str) -> object:
        asked_on.append(os.sched_getaffinity(0))
        return stage

    def run(model: object, params: Params, context: Context) -> object:
        return context.earlier("fit")

    taught = Stage("distill", run, lambda model, folder: None, lambda folder, context: None, uses=(Earlier("fit"),))
    context = Context(None, {}, lambda: None, 0, Path(), lambda progress: None, earlier)

    assert off_measured_cores(taught, threads=1).run(None, {}, context) == "fit"
    assert asked_on == [everywhere, set(training_cores(1))]
