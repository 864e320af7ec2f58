"""No two measurements use the same core at once, from whichever process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import paretoopt
from paretoopt.candidate import Progress
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.deployment import open_deployment
from paretoopt.measurement.inference import run_requests
from paretoopt.measurement.lock import lock_cores, scratch_folder
from paretoopt.measurement.lock_file import lock_folder
from paretoopt.measurement.program import Limits
from paretoopt.measurement.serving import measure_serving

# Numbers that no machine has, so that these tests wait for no real measurement.
_CORES = (100_000, 100_001)

_HOLDER = """
import sys, time
from paretoopt.measurement.lock import lock_cores
with lock_cores([int(core) for core in sys.argv[1:]]):
    print("holding", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def locks_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests keep their locks apart from those of real measurements."""
    monkeypatch.setenv("PARETOOPT_LOCKS", str(tmp_path / "locks"))


def _start_holder(cores: Sequence[int] = _CORES, **environment: str) -> subprocess.Popen[bytes]:
    home = str(Path(paretoopt.__file__).parent.parent)
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, *map(str, cores)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": home, **environment},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"holding\n"
    return holder


def test_lock_waits_for_another_process_and_tells_the_listener() -> None:
    """The wait is reported; when the holder is killed, the lock is free."""
    messages: list[str] = []
    with _start_holder() as holder:

        def listen(progress: Progress) -> None:
            messages.append(progress.message)
            holder.kill()

        with lock_cores(_CORES[:1], listener=listen):
            assert messages[0] == "waiting for core 100000, on which another process measures or trains"


def test_process_with_a_temporary_folder_of_its_own_is_kept_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is the machine's: where a process keeps its temporary files makes no difference."""
    monkeypatch.delenv("PARETOOPT_LOCKS")
    core = 100_003
    waited: list[Progress] = []
    try:
        with _start_holder([core], TMPDIR=str(tmp_path)) as holder:

            def listen(progress: Progress) -> None:
                waited.append(progress)
                holder.kill()

            with lock_cores([core], listener=listen):
                holder.kill()
    finally:
        (lock_folder() / f"paretoopt-core-{core}.lock").unlink()
    assert waited


@pytest.mark.parametrize("what", ["serving", "a deployment", "inference"])
def test_whatever_runs_an_artifact_waits_for_its_core(
    what: str, make_recommender: Callable[..., Path], histories: dict[str, np.ndarray]
) -> None:
    """While another process measures or trains on the core, nothing is started on it."""
    heard: list[str] = []
    with _start_holder(measured_cores(1, 1)) as holder:

        def listen(progress: Progress) -> None:
            heard.append(progress.message)
            holder.kill()

        if what == "serving":
            measure_serving(make_recommender(), histories, n_requests=200, listener=listen)
        elif what == "inference":
            run_requests(make_recommender(), histories, listener=listen)
        else:
            with open_deployment(
                make_recommender(), histories, workers=1, threads=1, limits=Limits(60), listener=listen
            ):
                pass

    assert "on which another process measures or trains" in heard[0]


def test_other_cores_are_free_meanwhile() -> None:
    """A lock on one core keeps nobody from another core."""
    messages: list[Progress] = []
    with _start_holder() as holder:
        with lock_cores([100_002], listener=messages.append):
            pass
        holder.kill()

    assert messages == []


def test_holder_may_lock_again() -> None:
    """Who holds a core can measure on it."""
    with lock_cores(_CORES), lock_cores(_CORES[1:]):
        pass
    with lock_cores(_CORES):
        pass


def test_holder_keeps_the_core_until_its_first_lock_ends(tmp_path: Path) -> None:
    """The end of the inner lock frees nothing."""
    waited: list[Progress] = []
    with lock_cores(_CORES):
        with lock_cores(_CORES):
            pass
        thread = threading.Thread(target=lambda: _lock_once(waited), daemon=True)
        thread.start()
        thread.join(1)
        assert thread.is_alive()
    thread.join(60)
    assert waited


def _lock_once(waited: list[Progress]) -> None:
    with lock_cores(_CORES, listener=waited.append):
        pass


def test_threads_of_one_process_exclude_each_other() -> None:
    """Two studies in threads of one process do not measure at once."""
    waiting = threading.Event()
    acquired = threading.Event()

    def measure() -> None:
        with lock_cores(_CORES, listener=lambda _: waiting.set()):
            acquired.set()

    thread = threading.Thread(target=measure)
    with lock_cores(_CORES):
        thread.start()
        assert waiting.wait(60)
        assert not acquired.is_set()
    thread.join(60)
    assert acquired.is_set()


def test_scratch_folder_is_fresh_and_removed() -> None:
    """What a killed measurement left is gone at the next one, and nothing is left at the end."""
    with lock_cores(_CORES):
        with pytest.raises(ZeroDivisionError), scratch_folder(_CORES) as folder:
            1 / 0  # noqa: B018
        assert not folder.exists()
        folder.mkdir()
        (folder / "left").touch()
        with scratch_folder(_CORES) as fresh:
            assert list(fresh.iterdir()) == []
