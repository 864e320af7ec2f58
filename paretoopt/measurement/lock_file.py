"""The file that stands for a core, the same one for all users of this machine."""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path

from paretoopt.errors import MeasurementError

_VARIABLE = "PARETOOPT_LOCKS"
# Never TMPDIR: all users must agree.
_SYSTEM_FOLDERS = (Path("/run/lock"), Path("/dev/shm"), Path("/tmp"))
_PATIENCE_SECONDS = 1.0


def lock_folder() -> Path:
    """Where the lock files are: what ``PARETOOPT_LOCKS`` names, or a folder of the system that is open to every user.

    Raises:
        MeasurementError: There is no such folder.
    """
    stated = os.environ.get(_VARIABLE)
    if stated:
        return _made(Path(stated))
    for folder in _SYSTEM_FOLDERS:
        if _is_open_to_all(folder):
            return folder
    raise MeasurementError(
        f"none of {', '.join(map(str, _SYSTEM_FOLDERS))} lets every user write, so no lock can be kept. Set "
        f"{_VARIABLE} to a folder that all who measure on this machine can write to."
    )


def open_lock_file(path: Path) -> int:
    """The file descriptor of a lock file, which is made for all users where there is none.

    It is open for reading, which is enough to lock it. So no user needs to be able to write to another's file; and a
    link in its place is refused, because a folder that is open to all may hold anybody's.

    Raises:
        MeasurementError: Somebody put something else there.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fd = _opened(path)
        except OSError as error:
            # Its maker has not opened it to all yet, or has just removed it.
            if error.errno in (errno.EACCES, errno.ENOENT) and time.monotonic() < deadline:
                time.sleep(0.01)
                continue
            raise _refusal(path, error.strerror) from error
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return fd
        os.close(fd)
        raise _refusal(path, "it is no regular file")


def is_current(fd: int, path: Path) -> bool:
    """Whether ``path`` still names the open file; if not, a lock on it keeps nobody away."""
    try:
        named = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(fd), named)


def _opened(path: Path) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    # Not O_CREAT at once: in folders open to all, Linux refuses it for files of others (fs.protected_regular).
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        pass
    try:
        fd = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o444)
    except FileExistsError:
        return os.open(path, flags)
    os.fchmod(fd, 0o444)  # Whatever the umask.
    return fd


def _made(folder: Path) -> Path:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o1777)
    return folder


def _is_open_to_all(folder: Path) -> bool:
    """Whether every user may make files there, and nobody may remove those of others."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and mode & 0o1002 == 0o1002 and os.access(folder, os.W_OK)


def _refusal(path: Path, reason: str | None) -> MeasurementError:
    return MeasurementError(
        f"{path} cannot be locked: {reason}. Have whoever made it remove it, or set {_VARIABLE} to another folder, the "
        "same for all who measure on this machine."
    )
