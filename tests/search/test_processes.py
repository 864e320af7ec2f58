"""Real processes: killed in the middle of an evaluation, or working on one study together."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from optuna.trial import TrialState

from paretoopt.objectives import minimize
from paretoopt.search.create import create_study
from paretoopt.search.process import has_died, this_process
from paretoopt.search.study import Study
from paretoopt.space import Int, SearchSpace

# Writes the candidate it is about to evaluate into a log, and waits for ever in the trial given.
_SCRIPT = """
import json, sys, time
from paretoopt.objectives import minimize
from paretoopt.search.create import create_study
from paretoopt.space import Int, SearchSpace

url, log, n_trials, stuck_at = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

def evaluate(params):
    with open(log, "a") as file:
        file.write(json.dumps(params) + "\\n")
    if stuck_at:
        with open(log) as file:
            if len(file.readlines()) == stuck_at:
                print("stuck", flush=True)
                time.sleep(600)
    time.sleep(0.02)
    return {"cost": params["size"]}

study = create_study(
    SearchSpace(size=Int(1, 16)), objectives=[minimize("cost")], study_name="s", storage=url, load_if_exists=True
)
study.optimize(evaluate, n_trials=n_trials, progress=False)
"""


def _start(folder: Path, n_trials: int, *, stuck_at: int = 0) -> subprocess.Popen[str]:
    arguments = [f"sqlite:///{folder / 'study.db'}", str(folder / "log"), str(n_trials), str(stuck_at)]
    return subprocess.Popen([sys.executable, "-c", _SCRIPT, *arguments], stdout=subprocess.PIPE, text=True)


def _kill_when_stuck(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "stuck\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _logged(folder: Path) -> list[int]:
    return [json.loads(line)["size"] for line in (folder / "log").read_text().splitlines()]


def _reopen(folder: Path) -> Study:
    return create_study(
        SearchSpace(size=Int(1, 16)),
        objectives=[minimize("cost")],
        study_name="s",
        storage=f"sqlite:///{folder / 'study.db'}",
        load_if_exists=True,
    )


def test_killed_study_goes_on_where_it_was(tmp_path: Path) -> None:
    """After SIGKILL in the middle of the fourth evaluation, the same command completes the same total."""
    _kill_when_stuck(_start(tmp_path, 8, stuck_at=4))
    finished = [candidate.params["size"] for candidate in _reopen(tmp_path).candidates()]
    assert finished == _logged(tmp_path)[:3]

    assert _start(tmp_path, 8).wait() == 0

    study = _reopen(tmp_path)
    assert [candidate.params["size"] for candidate in study.candidates()][:3] == finished
    assert len(study.candidates()) == 8
    assert _logged(tmp_path)[4] == _logged(tmp_path)[3]  # what was cut short is tried again first
    assert len(_logged(tmp_path)) == 9


def test_trial_of_a_dead_process_does_not_stay_running(tmp_path: Path) -> None:
    """The next run ends the trial that was left, and says why."""
    _kill_when_stuck(_start(tmp_path, 8, stuck_at=2))
    study = _reopen(tmp_path)
    left = study.optuna_study.get_trials(states=[TrialState.RUNNING])
    assert len(left) == 1

    assert _start(tmp_path, 2).wait() == 0

    told = study.optuna_study.trials[left[0].number]
    assert (told.state, told.user_attrs["ended"]) == (TrialState.FAIL, "owner died")


def test_candidate_that_kills_its_process_is_given_up(tmp_path: Path) -> None:
    """A candidate whose process has died three times is recorded as failed, and the study goes on."""
    for stuck_at in (1, 2, 3):
        _kill_when_stuck(_start(tmp_path, 3, stuck_at=stuck_at))

    assert _start(tmp_path, 3).wait() == 0

    study = _reopen(tmp_path)
    assert len(set(_logged(tmp_path)[:3])) == 1
    assert [failure.params["size"] for failure in study.failures()] == _logged(tmp_path)[:1]
    assert "died, 3 times in all" in study.failures()[0].reason
    assert len(study.candidates()) == 2


def test_processes_share_a_study_without_doing_anything_twice(tmp_path: Path) -> None:
    """Two processes that exhaust one space together evaluate each candidate once."""
    both = [_start(tmp_path, 16), _start(tmp_path, 16)]

    assert [process.wait() for process in both] == [0, 0]

    assert sorted(_logged(tmp_path)) == list(range(1, 17))
    assert len(_reopen(tmp_path).candidates()) == 16


def test_process_is_dead_when_another_one_has_its_number() -> None:
    """A process is told by its start, too, for its number may be given again."""
    here = this_process()

    assert not has_died(here)
    assert has_died({**here, "started": here["started"] - 1})
    assert not has_died({**here, "host": "elsewhere", "pid": 2**22 + 1})


def test_process_that_was_not_waited_for_is_dead() -> None:
    """A process that ended is dead before its parent takes notice."""
    ended = subprocess.Popen([sys.executable, "-c", f"print({'x' * 3!r})"], stdout=subprocess.PIPE)
    assert ended.stdout is not None
    ended.stdout.read()
    while not has_died({**this_process(), "pid": ended.pid}):
        pass

    assert ended.wait() == 0
