"""Finals whose process is killed in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# A pipeline of three sizes that writes what it measures into a log, and waits for ever at the line given.
_SCRIPT = """
import sys, time
import numpy as np
from paretoopt.candidate import Evaluation, Measurement, Remeasurement
from paretoopt.objectives import maximize, minimize
from paretoopt.search.create import create_study
from paretoopt.space import Int, SearchSpace

url, log, stuck_at = sys.argv[1], sys.argv[2], int(sys.argv[3])

class Machine:
    metrics, timed_metrics, fingerprint = ("size", "latency_ms"), ("latency_ms",), "machine"
    def check(self, space, metrics): pass
    def canonical(self, params): return params
    def device(self): return "here"
    def per_user(self, params, listener): return {}
    def user_statistics(self, params, listener): return {}
    def evaluate(self, params, listener):
        return Evaluation({"size": Measurement(params["size"]), "latency_ms": Measurement(float(params["size"]))})
    def remeasure(self, params, listener):
        with open(log, "a") as file:
            file.write(f"{params['size']}\\n")
        if stuck_at and len(open(log).readlines()) == stuck_at:
            print("stuck", flush=True)
            time.sleep(600)
        return Remeasurement({"latency_ms": Measurement(float(params["size"]))}, {"latency": "here"}, {})

study = create_study(
    SearchSpace(size=Int(1, 3)), objectives=[maximize("size"), minimize("latency_ms")],
    study_name="s", storage=url, load_if_exists=True,
)
study.optimize(Machine(), n_trials=3, progress=False)
front = study.finals(Machine(), rounds=6, progress=False)
print([member.measurements["latency_ms"].low for member in front])
"""


def _start(folder: Path, *, stuck_at: int = 0) -> subprocess.Popen[str]:
    arguments = [f"sqlite:///{folder / 'study.db'}", str(folder / "log"), str(stuck_at)]
    return subprocess.Popen([sys.executable, "-c", _SCRIPT, *arguments], stdout=subprocess.PIPE, text=True)


def test_rounds_that_were_finished_are_not_measured_again(tmp_path: Path) -> None:
    """Killed in the middle of the fifth round, the same command measures rounds five and six, and no more."""
    killed = _start(tmp_path, stuck_at=4 * 4 + 2)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "stuck\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()

    answer, _ = _start(tmp_path).communicate()

    measured = (tmp_path / "log").read_text().split()
    assert len(measured) == (4 * 4 + 2) + 2 * 4
    assert sorted(json.loads(answer)) == pytest.approx([1.0, 2.0, 3.0])
