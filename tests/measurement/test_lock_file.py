"""The file that stands for a core is the same for all users, and nobody can lead it astray."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import paretoopt
from paretoopt.errors import MeasurementError
from paretoopt.measurement.lock_file import is_current, lock_folder, open_lock_file

_FOLDER_OF = "from paretoopt.measurement.lock_file import lock_folder; print(lock_folder())"
# Imports as the user of the tests, then goes on as another one.
_LOCK_AS_NOBODY = """
import fcntl, os, pathlib, sys
from paretoopt.measurement.lock_file import open_lock_file
os.setgid(65534), os.setuid(65534)
for path in map(pathlib.Path, sys.argv[1:]):
    try:
        fcntl.flock(open_lock_file(path), fcntl.LOCK_EX | fcntl.LOCK_NB)
        print("taken")
    except BlockingIOError:
        print("held")
"""


def _run(program: str, *arguments: str, **environment: str) -> str:
    home = str(Path(paretoopt.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": home, **environment}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that is open to all users, as those of the system are."""
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(0o711)
    folder = tmp_path / "locks"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


def test_folder_does_not_depend_on_where_a_process_keeps_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes with TMPDIR and home of their own agree on the folder, and every user may write there."""
    monkeypatch.delenv("PARETOOPT_LOCKS", raising=False)
    folders = {_run(_FOLDER_OF, TMPDIR=str(tmp_path / name), HOME=str(tmp_path / name)) for name in ("a", "b")}

    assert len(folders) == 1
    assert Path(folders.pop().strip()).stat().st_mode & 0o1777 == 0o1777


def test_folder_can_be_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For containers without such a folder, or that share one; a folder that is made is open to all."""
    monkeypatch.setenv("PARETOOPT_LOCKS", str(tmp_path / "shared" / "locks"))

    assert lock_folder() == tmp_path / "shared" / "locks"
    assert lock_folder().stat().st_mode & 0o7777 == 0o1777


def test_file_can_be_opened_by_all_and_written_by_none(open_folder: Path) -> None:
    """Whatever the umask of the process that made it."""
    before = os.umask(0o077)
    try:
        os.close(open_lock_file(open_folder / "core.lock"))
    finally:
        os.umask(before)

    assert (open_folder / "core.lock").stat().st_mode & 0o777 == 0o444


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_users_keep_each_other_away(open_folder: Path) -> None:
    """Another user finds a core held that this user holds, and can take and make the files of others."""
    held, free = (open_lock_file(open_folder / f"{name}.lock") for name in ("held", "free"))
    fcntl.flock(held, fcntl.LOCK_EX)

    found = _run(_LOCK_AS_NOBODY, *(str(open_folder / f"{name}.lock") for name in ("held", "free", "new")))

    assert found.split() == ["held", "taken", "taken"]
    os.close(open_lock_file(open_folder / "new.lock"))
    os.close(held)
    os.close(free)


@pytest.mark.parametrize("kind", ["link", "link to nothing", "folder", "pipe"])
def test_what_is_no_lock_file_is_refused(open_folder: Path, kind: str) -> None:
    """In a folder that is open to all, anybody may have put it there; what a link names stays as it is."""
    target, path = open_folder / "target", open_folder / "core.lock"
    if kind == "link":
        target.write_text("precious")
    if kind.startswith("link"):
        path.symlink_to(target)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)

    with pytest.raises(MeasurementError, match=r"core\.lock cannot be locked: .* or set PARETOOPT_LOCKS"):
        open_lock_file(path)

    assert target.exists() == (kind == "link")


def test_file_that_was_removed_is_not_current(open_folder: Path) -> None:
    """A lock on it would keep nobody away who opens the name anew."""
    path = open_folder / "core.lock"
    fd = open_lock_file(path)

    assert is_current(fd, path)
    path.unlink()
    assert not is_current(fd, path)
    os.close(open_lock_file(path))
    assert not is_current(fd, path)
    os.close(fd)
