"""No two measurements use the same core at once, from whichever process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import paretoopt
from paretoopt.candidate import Progress
from paretoopt.measurement.lock import lock_cores, scratch_folder

# Numbers that no machine has, so that these tests wait for no real measurement.
_CORES = (100_000, 100_001)

_HOLDER = f"""
import time
from paretoopt.measurement.lock import lock_cores
with lock_cores({_CORES}):
    print("holding", flush=True)
    time.sleep(600)
"""


def _start_holder() -> subprocess.Popen[bytes]:
    home = str(Path(paretoopt.__file__).parent.parent)
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": home}
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
