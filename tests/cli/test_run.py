"""``paretoopt run`` and what a study file says; ``export`` where it needs no model."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from paretoopt.search.stored_study import open_stored_study

Ask = Callable[..., tuple[int, str, str]]

STUDY = """
import time
from pathlib import Path
import paretoopt as po

space = po.SearchSpace(size=po.Int(1, 12))
objectives = [po.maximize("quality"), po.minimize("memory_mib")]
constraints = [po.at_most("memory_mib", 8)]
enqueue = [{"size": 7}]

def pipeline(params):
    with Path("log").open("a") as log:
        print(params["size"], file=log)
    time.sleep(SECONDS)
    return {"quality": params["size"], "memory_mib": params["size"]}
"""


@pytest.fixture
def study_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a study file into the current folder."""
    monkeypatch.chdir(tmp_path)

    def written(*, seconds: float = 0.0, text: str = STUDY) -> Path:
        Path("shop.py").write_text(text.replace("SECONDS", str(seconds)))
        return Path("shop.py")

    return written


def sizes() -> list[int]:
    """What was evaluated, in order."""
    return [int(line) for line in Path("log").read_text().split()]


def test_costs_of_a_study_file_can_be_limited(study_file: Callable[..., Path], ask: Ask) -> None:
    """What ``costs`` add is measured, and constraints hold for it."""
    total = 'cost = po.TotalCost("serving", machine=1.0, per_worker=2.0)\ncosts = [cost]'
    text = STUDY.replace('constraints = [po.at_most("memory_mib", 8)]', f"{total}\nconstraints = [cost.at_most(3.0)]")

    status, printed, _ = ask("run", str(study_file(text=text)), "--n-trials", "4", "--quiet", "--format", "json")

    assert status == 0
    assert {row["total_serving_cost"] for row in json.loads(printed)} == {3.0}


def test_run_ends_when_little_is_still_to_gain(study_file: Callable[..., Path], ask: Ask) -> None:
    """A share of hypervolume, in the place of a number of trials."""
    status, _, said = ask("run", str(study_file()), "--until-share", "0.9")

    assert status == 0
    assert "of hypervolume is expected still to gain, with" in said.splitlines()[-1]
    assert len(sizes()) < 12


def test_run_evaluates_and_prints_the_front(study_file: Callable[..., Path], ask: Ask) -> None:
    """The enqueued candidate comes first; the name is the file's, the database the default; the front is printed."""
    status, printed, _ = ask("run", str(study_file()), "--n-trials", "5", "--quiet", "--format", "json")

    assert (status, sizes()[0], len(sizes())) == (0, 7, 5)
    assert {row["size"] for row in json.loads(printed)} == {size for size in sizes() if size <= 8}
    assert open_stored_study().study_name == "shop"


def test_run_goes_on_where_it_was(study_file: Callable[..., Path], ask: Ask) -> None:
    """--n-trials counts what earlier runs have evaluated, and nothing is evaluated twice."""
    for n_trials in ("3", "6"):
        assert ask("run", str(study_file()), "--n-trials", n_trials, "--quiet")[0] == 0

    assert len(sizes()) == len(set(sizes())) == 6


def test_the_command_line_goes_before_the_file(study_file: Callable[..., Path], ask: Ask) -> None:
    """--storage and --study-name say where the study is kept."""
    where = ("--storage", "sqlite:///other.db", "--study-name", "other")
    text = STUDY + "\nstorage, study_name = 'sqlite:///shop.db', 'mine'\n"

    assert ask("run", str(study_file(text=text)), "--n-trials", "2", "--quiet", *where)[0] == 0

    assert open_stored_study(storage="sqlite:///other.db").study_name == "other"
    assert not Path("shop.db").exists()


def test_a_pipeline_can_be_built_by_a_function(study_file: Callable[..., Path], ask: Ask) -> None:
    """A function without arguments gives the pipeline; it is not called before it is needed."""
    text = STUDY.replace("def pipeline(params)", "def measure(params)") + "\ndef pipeline():\n    return measure\n"

    assert ask("run", str(study_file(text=text)), "--n-trials", "2", "--quiet")[0] == 0

    assert len(sizes()) == 2


def test_ctrl_c_ends_in_good_order_and_the_same_command_resumes(study_file: Callable[..., Path]) -> None:
    """A real process: the signal gives status 130 and the front so far; run again, it evaluates what is left."""
    command = [sys.executable, "-m", "paretoopt.cli", "run", str(study_file(seconds=0.15)), "--format", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not Path("log").exists() or len(sizes()) < 3:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    printed, told = process.communicate()

    n_evaluated = len(open_stored_study().candidates())
    assert process.returncode == 130
    assert "The same command goes on from here." in " ".join(told.split())
    assert 2 <= n_evaluated < 12
    assert len(json.loads(printed)) == sum(float(one.params["size"]) <= 8 for one in open_stored_study().candidates())

    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert len(open_stored_study().candidates()) == 12
    assert len(sizes()) <= 13  # the one that was cut short began twice


@pytest.mark.parametrize(
    ("change", "cause", "remedy"),
    [
        (("space = ", "spaces = "), "shop.py does not define space.", "Write, for example: space = po.SearchSpace"),
        (("objectives = ", "o = "), "shop.py does not define objectives.", "Write, for example: objectives = ["),
        (("def pipeline", "def p"), "shop.py does not define pipeline.", "Write, for example: def pipeline()"),
        (("import time", "import tim"), "shop.py, line 2: ModuleNotFoundError: No module", "Mend it; python shop.py"),
        (("import time", "import ("), "shop.py, line 2: SyntaxError", "Mend it; python shop.py"),
        (("po.Int(1, 12)", "po.Int(12, 1)"), "Int needs low <", ""),
        (('po.minimize("memory_mib")', 'po.minimize("quality")'), "'quality' is to be minimized and maximized", ""),
    ],
)
def test_a_mistake_in_the_file_has_a_cause_and_a_remedy(
    study_file: Callable[..., Path], ask: Ask, change: tuple[str, str], cause: str, remedy: str
) -> None:
    """Exit status 2, nothing on standard output, and two lines on standard error; no database is made."""
    status, printed, told = ask("run", str(study_file(text=STUDY.replace(*change))), "--quiet")

    assert (status, printed) == (2, "")
    first, second = told.splitlines()
    assert first.startswith(f"Error: {cause}")
    assert second.startswith(remedy)
    assert not Path("paretoopt.db").exists()


def test_a_pipeline_that_breaks_is_named_with_its_line(study_file: Callable[..., Path], ask: Ask) -> None:
    """The line is the one in the study file that was at work."""
    text = STUDY.replace("def pipeline(params)", "def measure(params)") + "\ndef pipeline():\n    return 1 / 0\n"

    _, _, told = ask("run", str(study_file(text=text)), "--quiet")

    assert told.startswith("Error: shop.py, line 18: ZeroDivisionError: division by zero.")


@pytest.mark.parametrize(
    ("trial", "cause"),
    [("99", "Trial 99 of 'shop' was not evaluated"), ("0", "The pipeline of shop.py is a function")],
)
def test_export_refuses_what_makes_no_bundle(study_file: Callable[..., Path], ask: Ask, trial: str, cause: str) -> None:
    """A trial that is not there, or a pipeline that makes no artifact."""
    ask("run", str(study_file()), "--n-trials", "1", "--quiet")

    status, _, told = ask("export", "shop.py", "--trial", trial, "--output", "deploy")

    assert status == 2
    assert told.startswith(f"Error: {cause}")
    assert not Path("deploy").exists()
