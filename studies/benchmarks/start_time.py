"""How long does the command line take to start, beside Optuna's?

Each command is a process of its own, started by the same interpreter. A round runs every command once, in shuffled
order; the ratios are to ``optuna --help`` of the same round, so that what else the machine does befalls both. A study
of 100 trials is looked at. Medians over the rounds; seconds on the clock, and of processor time.

    python studies/benchmarks/start_time.py
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import paretoopt as po
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "start_time.md"
_OPTUNA = "optuna --help"
_N_TRIALS = 100
_BROWSING = ("studies", "trials", "best-trials", "pick --prefer quality", "plot", "report")


@dataclass(frozen=True)
class Start:
    """What one process took.

    Attributes:
        seconds: On the clock.
        cpu_seconds: Of processor time.
    """

    seconds: float
    cpu_seconds: float


def main() -> None:
    """Time every command, and write the page."""
    arguments = parse()
    with tempfile.TemporaryDirectory() as folder:
        make_study(f"sqlite:///{folder}/paretoopt.db")
        rounds = [one_round(commands(), Path(folder), seed) for seed in range(arguments.rounds)]
    known = {name: v for name, v in current_environment(measured_cores(1, 1)).to_dict().items() if v is not None}
    rounds_said = [] if arguments.rounds == parse([]).rounds else ["--rounds", str(arguments.rounds)]
    command = " ".join(["python", "studies/benchmarks/start_time.py", *rounds_said])
    publish(results_page("Time to start", command, __doc__, table(rounds), known), arguments.output)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="how often each command is run")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    return parser.parse_args(arguments)


def make_study(url: str) -> None:
    """A study to look at."""
    study = po.create_study(
        po.SearchSpace(size=po.Int(1, _N_TRIALS), is_fast=po.Categorical(False, True)),
        objectives=[po.maximize("quality"), po.minimize("memory_mib")],
        study_name="start",
        storage=url,
    )
    study.optimize(
        lambda params: {"quality": float(params["size"]) ** 0.5, "memory_mib": float(params["size"])},
        n_trials=_N_TRIALS,
        progress=False,
    )


def commands() -> dict[str, list[str]]:
    """What is started, by how it is typed."""
    python = [sys.executable, "-c"]
    ours = [sys.executable, "-m", "paretoopt.cli"]
    return {
        _OPTUNA: [*python, "from optuna.cli import main; main()", "--help"],
        "optuna studies --storage ...": [
            *(*python, "from optuna.cli import main; main()"),
            *("studies", "--storage", "sqlite:///paretoopt.db"),
        ],
        "paretoopt --help": [*ours, "--help"],
        **{f"paretoopt {verb}": [*ours, *verb.split()] for verb in _BROWSING},
        "import optuna": [*python, "import optuna"],
        "import paretoopt": [*python, "import paretoopt"],
        "nothing": [*python, ""],
    }


def one_round(started: Mapping[str, Sequence[str]], folder: Path, seed: int) -> dict[str, Start]:
    """Start each once in ``folder``, in an order that ``seed`` gives."""
    names = random.Random(seed).sample(list(started), len(started))
    return {name: timed(started[name], folder) for name in names}


def timed(command: Sequence[str], folder: Path) -> Start:
    """What the process takes; it must succeed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Start(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def table(rounds: Sequence[Mapping[str, Start]]) -> list[str]:
    """The medians over the rounds."""
    lines = [
        f"Python {sys.version.split()[0]}, {len(rounds)} rounds.",
        "",
        "| command | seconds | least to most | ratio to `optuna --help` | CPU seconds | ratio |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in commands():
        clock = [one[name].seconds for one in rounds]
        cpu = [one[name].cpu_seconds for one in rounds]
        clock_ratio = statistics.median(one[name].seconds / one[_OPTUNA].seconds for one in rounds)
        cpu_ratio = statistics.median(one[name].cpu_seconds / one[_OPTUNA].cpu_seconds for one in rounds)
        lines.append(
            f"| `{name}` | {statistics.median(clock):.2f} | {min(clock):.2f} to {max(clock):.2f} | {clock_ratio:.2f} "
            f"| {statistics.median(cpu):.2f} | {cpu_ratio:.2f} |"
        )
    return lines


if __name__ == "__main__":
    main()
