"""Real processes, killed at random instants or working together: what a study comes to does not depend on it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from paretoopt.search.create import create_study
from paretoopt.search.study import Study
from tests.search.tables import OBJECTIVES, SPACE, Table

# Says what it is about to evaluate. As a table, costs come first; as a function, candidates are proposed by TPE.
_SCRIPT = """
import json, sys, time
from paretoopt.search.create import create_study
from tests.search.tables import OBJECTIVES, SPACE, Table

url, kind, n_trials = sys.argv[1], sys.argv[2], int(sys.argv[3])

class Telling(Table):
    def evaluate(self, params, listener, /):
        print(json.dumps(dict(params)), flush=True)
        time.sleep(0.01)
        return super().evaluate(params, listener)

table = Telling()
def evaluate(params):
    return {name: one.value for name, one in table.evaluate(params, print).measurements.items()}

study = create_study(SPACE, objectives=OBJECTIVES, study_name="s", storage=url, load_if_exists=True)
study.optimize(table if kind == "table" else evaluate, n_trials=n_trials, cost_pruning=None, progress=False)
"""
_ROOT = Path(__file__).resolve().parents[2]


def start(folder: Path, kind: str, n_trials: int) -> subprocess.Popen[str]:
    """The same command each time."""
    command = [sys.executable, "-c", _SCRIPT, f"sqlite:///{folder / 'study.db'}", kind, str(n_trials)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT)


def reopen(folder: Path) -> Study:
    """The study as it is in the database."""
    url = f"sqlite:///{folder / 'study.db'}"
    return create_study(SPACE, objectives=OBJECTIVES, study_name="s", storage=url, load_if_exists=True)


def evaluated(study: Study) -> list[str]:
    """The candidates that were evaluated."""
    return sorted(json.dumps(dict(candidate.params), sort_keys=True) for candidate in study.candidates())


def kill_at_some_point(process: subprocess.Popen[str], random: np.random.Generator) -> int:
    """Kill it within its next few evaluations: in one of them, while it chooses, or while it writes; gives its status.

    Not in the first one: a candidate whose process dies three times is given up.
    """
    assert process.stdout is not None
    for _ in range(int(random.integers(2, 4))):
        process.stdout.readline()
    time.sleep(random.uniform(0, 0.06))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "n_kills"),
    [
        ("table", 2),
        pytest.param("table", 8, marks=pytest.mark.slow),
        pytest.param("function", 2, marks=pytest.mark.slow),
        pytest.param("function", 8, marks=pytest.mark.slow),
    ],
)
def test_killed_study_evaluates_the_same_candidates_as_an_undisturbed_one(
    kind: str, n_kills: int, tmp_path: Path
) -> None:
    """Whenever its process is killed, the same command goes on with the candidates that it would have had."""
    n_trials, random, table = 6 + 3 * n_kills, np.random.default_rng(n_kills), Table()
    undisturbed = create_study(SPACE, objectives=OBJECTIVES, storage="sqlite:///:memory:")
    evaluate = {"table": table, "function": lambda params: table.evaluate(params, print).measurements}[kind]
    undisturbed.optimize(evaluate, n_trials=n_trials, cost_pruning=None, progress=False)  # type: ignore[arg-type]  # one of both kinds

    statuses = [kill_at_some_point(start(tmp_path, kind, n_trials), random) for _ in range(n_kills)]
    start(tmp_path, kind, n_trials).communicate()

    assert statuses[0] == -signal.SIGKILL
    assert len(reopen(tmp_path).candidates()) == n_trials
    assert evaluated(reopen(tmp_path)) == evaluated(undisturbed)


@pytest.mark.slow
def test_result_does_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    """Three processes that exhaust a space find the front that one finds, and evaluate each candidate once."""
    three = [start(tmp_path, "table", SPACE.n_candidates or 0) for _ in range(3)]
    told = [process.communicate()[0].splitlines() for process in three]
    alone = create_study(SPACE, objectives=OBJECTIVES, storage="sqlite:///:memory:")
    alone.optimize(Table(), cost_pruning=None, progress=False)
    together = reopen(tmp_path)

    assert [process.returncode for process in three] == [0, 0, 0]
    assert all(told)
    assert sum(map(len, told)) == SPACE.n_candidates
    assert evaluated(together) == evaluated(alone)
    fronts = [
        {json.dumps(dict(member.params)) for member in study.pareto_front().members} for study in (together, alone)
    ]
    assert fronts[0] == fronts[1]
