"""One measurement or training at a time on each core, whichever process of this user asks for it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from paretoopt.candidate import Progress, ProgressListener
from paretoopt.errors import MeasurementError

_REPORT_EVERY_SECONDS = 2.0


@contextmanager
def lock_cores(
    cores: Sequence[int], *, listener: ProgressListener | None = None, stage: str = "measure"
) -> Iterator[None]:
    """Hold ``cores`` against every measurement and training of this user on this machine.

    The system frees the lock when its owner dies. A thread that holds a core may lock it again.

    Args:
        cores: Core numbers; taken in ascending order, so that two holders never wait for each other.
        listener: Told while another process measures or trains.
        stage: What waits, for the listener.
    """
    with ExitStack() as held:
        for core in sorted(set(cores)):
            lock = _lock(_state_folder() / f"core-{core}.lock")
            _acquire(lock, core, listener, stage)
            held.callback(lock.release)
        yield


@contextmanager
def scratch_folder(cores: Sequence[int]) -> Iterator[Path]:
    """A folder for one measurement on ``cores``, which must be locked; removed at the end.

    What a killed measurement left behind on the same first core is removed first.
    """
    folder = _state_folder() / f"core-{min(cores)}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _acquire(lock: FileLock, core: int, listener: ProgressListener | None, stage: str) -> None:
    waited = 0.0
    while True:
        try:
            lock.acquire(timeout=_REPORT_EVERY_SECONDS if waited else 0.0, poll_interval=0.1)
            return
        except Timeout:
            if listener is not None:
                listener(Progress(stage, f"waiting for core {core}, on which another process measures or trains"))
            waited += _REPORT_EVERY_SECONDS


@cache
def _lock(path: Path) -> FileLock:
    """One lock object per core and process: the thread that holds it may take it again."""
    return FileLock(path, thread_local=True)


def _state_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"paretoopt-measurement-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise MeasurementError(f"{folder} belongs to somebody else, so no lock can be kept there. Set TMPDIR.")
    return folder
