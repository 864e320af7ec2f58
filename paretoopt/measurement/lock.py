"""One measurement or training at a time on each core, whichever process of this machine asks for it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from paretoopt.candidate import Progress, ProgressListener
from paretoopt.errors import MeasurementError
from paretoopt.measurement.lock_file import is_current, lock_folder, open_lock_file

_REPORT_EVERY_SECONDS = 2.0
_POLL_SECONDS = 0.1


class _HeldByThread(threading.local):
    """The lock files that a thread holds."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()


_held = _HeldByThread()


@contextmanager
def lock_cores(
    cores: Sequence[int], *, listener: ProgressListener | None = None, stage: str = "measure"
) -> Iterator[None]:
    """Hold ``cores`` against every measurement and training on this machine.

    The system frees the lock when its owner dies. A thread that holds a core may lock it again.

    Args:
        cores: Core numbers; taken in ascending order, so that two holders never wait for each other.
        listener: Told while another process measures or trains.
        stage: What waits, for the listener.

    Raises:
        MeasurementError: No lock can be kept here.
    """
    folder = lock_folder()
    with ExitStack() as stack:
        for core in sorted(set(cores)):
            stack.enter_context(_locked(folder / f"paretoopt-core-{core}.lock", core, listener, stage))
        yield


@contextmanager
def scratch_folder(cores: Sequence[int]) -> Iterator[Path]:
    """A folder for one measurement on ``cores``, which must be locked; removed at the end.

    What a killed measurement of this user left behind on the same first core is removed first.
    """
    # Measurements that other locks keep apart do not meet here either.
    locks = zlib.crc32(os.fsencode(lock_folder()))
    folder = _own_folder() / f"core-{min(cores)}-{locks:08x}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(path: Path, core: int, listener: ProgressListener | None, stage: str) -> Iterator[None]:
    # Plain flock, because filelock 4 refuses files of other users in a folder that is open to all.
    if path in _held.paths:
        yield
        return
    fd = _wait_for(path, core, listener, stage)
    _held.paths.add(path)
    try:
        yield
    finally:
        _held.paths.remove(path)
        # Said outright, because a child that was forked meanwhile has the file open as well.
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def _wait_for(path: Path, core: int, listener: ProgressListener | None, stage: str) -> int:
    told = -_REPORT_EVERY_SECONDS
    began = time.monotonic()
    while True:
        if (fd := _taken(path)) is not None:
            return fd
        waited = time.monotonic() - began
        if listener is not None and waited >= told + _REPORT_EVERY_SECONDS:
            listener(Progress(stage, f"waiting for core {core}, on which another process measures or trains"))
            told = waited
        time.sleep(_POLL_SECONDS)


def _taken(path: Path) -> int | None:
    """The locked file; None where another process has locked it."""
    fd = open_lock_file(path)
    is_taken = False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_taken = is_current(fd, path)
    except BlockingIOError:
        pass
    finally:
        if not is_taken:
            os.close(fd)
    return fd if is_taken else None


def _own_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"paretoopt-measurement-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise MeasurementError(f"{folder} belongs to somebody else, so nothing can be kept there. Set TMPDIR.")
    return folder
