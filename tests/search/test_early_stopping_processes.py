"""Early stopping across real processes that share one study."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import optuna
from optuna.trial import TrialState

from paretoopt.search.watched_trials import STOPPED

# Trains candidates given as "final:memory", whose accuracy halves its distance from the final one in every epoch.
_SCRIPT = """
import os, sys
import optuna
import paretoopt as po
from paretoopt.search.storage import open_database

optuna.logging.set_verbosity(optuna.logging.ERROR)
stopping = po.EarlyStopping(
    [po.maximize("accuracy"), po.minimize("memory_mib")], rule=po.LearningCurves(risk=0.2, reference_share=0.0)
)
study = optuna.create_study(
    storage=open_database(sys.argv[1]).storage, study_name="s", directions=["maximize", "minimize"],
    load_if_exists=True,
)
for candidate in sys.argv[2:]:
    final, memory = map(float, candidate.split(":"))

    def objective(trial):
        trial.set_user_attr("process", os.getpid())
        trial.set_user_attr("candidate", candidate)
        watch = stopping.watch(trial, {"memory_mib": memory})
        for epoch in range(4):
            watch.report(epoch, {"accuracy": final * (1 - 0.5 ** (epoch + 1))})
            if watch.should_stop():
                raise optuna.TrialPruned(watch.reason)
        return final, memory

    study.optimize(objective, n_trials=1)
"""


def _start(url: str, *candidates: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _SCRIPT, url, *candidates])


def test_trials_are_judged_by_those_of_other_processes(tmp_path: Path) -> None:
    """One process trains the references; two others at once stop what these dominate, and finish what they do not."""
    url = f"sqlite:///{tmp_path / 'study.db'}"
    assert _start(url, "0.5:10", "0.6:10", "0.7:10", "0.8:10").wait() == 0
    both = [_start(url, "0.4:20", "0.9:30"), _start(url, "0.5:20", "0.3:5")]
    assert [process.wait() for process in both] == [0, 0]

    trials = optuna.load_study(study_name="s", storage=url).trials
    states = {trial.user_attrs["candidate"]: trial.state for trial in trials[4:]}
    stopped = [trial for trial in trials if trial.state == TrialState.PRUNED]

    assert {name for name, state in states.items() if state == TrialState.PRUNED} == {"0.4:20", "0.5:20"}
    assert [trial.user_attrs[STOPPED]["dominated_by"] for trial in stopped] == [3, 3]
    assert len({trial.user_attrs["process"] for trial in [trials[3], *stopped]}) == 3
