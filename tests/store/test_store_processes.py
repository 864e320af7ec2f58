"""Processes share a store: each output is made once, and a killed process leaves no half entry."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from paretoopt.store.inventory import inventory
from paretoopt.store.layout import Layout
from paretoopt.store.pruning import remove
from paretoopt.store.store import Store

# Announces itself, then makes the output only once the file `go` is there; every making is noted down.
_MAKER = """
import sys, time
from pathlib import Path
from paretoopt.store.inventory import inventory
from paretoopt.store.layout import Layout
from paretoopt.store.pruning import remove
from paretoopt.store.store import Store

folder, key, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def make(scratch):
    with (folder / "makings").open("a") as file:
        file.write(name + "\\n")
    (scratch / "half").write_text("written")
    (folder / f"making-{name}").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)
    (scratch / "weights.bin").write_text("by " + name)
    return 1.0

store = Store(folder / "store")
(folder / f"ready-{name}").touch()
print((store.get_or_make(key, make, {}).folder / "weights.bin").read_text())
"""


@pytest.fixture
def maker(tmp_path: Path, key: str) -> Callable[[str], subprocess.Popen[str]]:
    """Starts a process that wants the output."""

    def start(name: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", _MAKER, str(tmp_path), key, name]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def wait_for(tmp_path: Path) -> Callable[[str], None]:
    """Waits until a process has left its mark, whatever the speed of the machine."""

    def wait(name: str) -> None:
        program = f"import pathlib, time\nwhile not pathlib.Path({str(tmp_path / name)!r}).exists(): time.sleep(0.01)"
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

    return wait


def test_processes_that_want_the_same_output_make_it_once(
    tmp_path: Path, maker: Callable[[str], subprocess.Popen[str]], wait_for: Callable[[str], None]
) -> None:
    """The second process waits for the first and takes what that one made."""
    first = maker("first")
    wait_for("making-first")
    second = maker("second")
    wait_for("ready-second")

    assert second.poll() is None
    (tmp_path / "go").touch()

    assert [process.communicate(timeout=60)[0].strip() for process in (first, second)] == ["by first"] * 2
    assert (tmp_path / "makings").read_text().split() == ["first"]


def test_processes_that_find_a_corrupt_entry_repair_it_once(
    tmp_path: Path,
    key: str,
    make: Callable[[Path], float],
    maker: Callable[[str], subprocess.Popen[str]],
    wait_for: Callable[[str], None],
) -> None:
    """A process that saw the corrupt entry does not remove what another has put in its place."""
    entry = Store(tmp_path / "store").get_or_make(key, make, {})
    (entry.folder / "weights.bin").write_text("damaged")
    first = maker("first")
    wait_for("making-first")
    second = maker("second")
    wait_for("ready-second")
    (tmp_path / "go").touch()

    assert [process.communicate(timeout=60)[0].strip() for process in (first, second)] == ["by first"] * 2
    assert (tmp_path / "makings").read_text().split() == ["first"]


def test_a_killed_process_leaves_no_entry(
    tmp_path: Path,
    key: str,
    maker: Callable[[str], subprocess.Popen[str]],
    wait_for: Callable[[str], None],
) -> None:
    """After SIGKILL in the middle of making, nothing is found, and the next process makes it and clears up."""
    killed = maker("killed")
    wait_for("making-killed")
    killed.kill()
    killed.communicate(timeout=60)
    store = Store(tmp_path / "store")

    assert store.find(key) is None
    (tmp_path / "go").touch()
    assert maker("next").communicate(timeout=60)[0].strip() == "by next"

    entry = store.find(key)
    assert entry is not None
    assert not list((store.folder / "scratch").iterdir())
    assert (tmp_path / "makings").read_text().split() == ["killed", "next"]


def test_a_process_that_uses_an_output_keeps_it(tmp_path: Path, key: str, make: Callable[[Path], float]) -> None:
    """What another process has found is not removed before that process lets go of it, or dies."""
    Store(tmp_path / "store").get_or_make(key, make, {})
    program = (
        "import sys, time; from paretoopt.store.store import Store; "
        "entry = Store(sys.argv[1]).find(sys.argv[2]); print(entry is not None, flush=True); time.sleep(600)"
    )
    layout = Layout(tmp_path / "store")
    command = [sys.executable, "-c", program, str(layout.folder), key]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "True\n"
        refused = remove(layout, inventory(layout)[0])
        user.kill()

    assert not refused
    assert remove(layout, inventory(layout)[0])
