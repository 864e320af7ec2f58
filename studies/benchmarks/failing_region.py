"""How much of a search is lost to candidates that fail, and to candidates that were evaluated already?

*Failing region.* Quality grows with width and memory with it, and whatever is wider than half of the range runs out of
memory: an exception, as from a model that does not fit. The best quality lies just where candidates fail, so that a
sampler which is told nothing of failures keeps going there. *Duplicates.* The same two objectives over 16 x 16
configurations, none of which fails. Both are formulas, not models: what is counted here is what samplers propose, and
that takes no training.

*Optuna* is `optuna.create_study` with its default sampler for several objectives (TPE), and `catch=(Exception,)`, so
that a failed trial is told as FAIL. *Multivariate* is the same with `TPESampler(multivariate=True)`. *paretoopt* is
`create_study(...).optimize(...)`: failures are told as pruned with a violated constraint, and candidates that are known
are asked for again. Each study has the stated number of trials; values are the median over seeds, and the quartiles.

    python studies/benchmarks/failing_region.py
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna

import paretoopt as po
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "failing_region.md"
_N_VALUES = 16
_FITS = 0.5
"""Share of the width's range up to which a candidate fits into memory."""

Evaluate = Callable[[float, float], tuple[float, float]]
"""From width and depth, both in [0, 1], to the quality, which is maximised, and the memory, which is minimised."""


@dataclass(frozen=True)
class Count:
    """What became of the trials of one study.

    Attributes:
        n_failed: Evaluations that failed.
        n_different: Configurations that were evaluated, each counted once.
        n_evaluated: Evaluations, repeated ones included.
        best_quality: The best quality that was measured.
    """

    n_failed: int
    n_different: int
    n_evaluated: int
    best_quality: float


class Recorder:
    """Evaluates configurations, and remembers each."""

    def __init__(self, fits: float) -> None:
        """Fail for every configuration wider than ``fits``."""
        self._fits = fits
        self._asked: list[tuple[float, float]] = []
        self._qualities: list[float] = []

    def __call__(self, width: float, depth: float) -> tuple[float, float]:
        """The quality and the memory.

        Raises:
            MemoryError: The configuration is too wide.
        """
        self._asked.append((width, depth))
        if width > self._fits:
            raise MemoryError(f"a width of {width:.2f} does not fit")
        self._qualities.append(width + 0.2 * (1 - (depth - 0.5) ** 2))
        return self._qualities[-1], width**2 + 0.1 * depth

    @property
    def count(self) -> Count:
        """What was asked for so far."""
        n_failed = len(self._asked) - len(self._qualities)
        return Count(n_failed, len(set(self._asked)), len(self._asked), max(self._qualities, default=float("nan")))


def with_optuna(recorder: Recorder, n_trials: int, sampler: optuna.samplers.BaseSampler, *, continuous: bool) -> None:
    """Search with Optuna alone."""

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        if continuous:
            return recorder(trial.suggest_float("width", 0.0, 1.0), trial.suggest_float("depth", 0.0, 1.0))
        steps = [trial.suggest_int(name, 0, _N_VALUES - 1) for name in ("width", "depth")]
        return recorder(steps[0] / (_N_VALUES - 1), steps[1] / (_N_VALUES - 1))

    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    study.optimize(objective, n_trials=n_trials, catch=(Exception,))


def with_paretoopt(recorder: Recorder, n_trials: int, seed: int, *, continuous: bool) -> None:
    """Search with a study of paretoopt."""
    dimension: po.Float | po.Int = po.Float(0.0, 1.0) if continuous else po.Int(0, _N_VALUES - 1)
    scale = 1 if continuous else _N_VALUES - 1

    def evaluate(params: po.Params) -> dict[str, float]:
        quality, memory = recorder(float(params["width"]) / scale, float(params["depth"]) / scale)
        return {"quality": quality, "memory_mib": memory}

    study = po.create_study(
        po.SearchSpace(width=dimension, depth=dimension),
        objectives=[po.maximize("quality"), po.minimize("memory_mib")],
        storage=optuna.storages.InMemoryStorage(),
        seed=seed,
    )
    study.optimize(evaluate, n_trials=n_trials, progress=False)


def counted(fits: float, n_trials: int, seed: int, *, continuous: bool) -> dict[str, Count]:
    """What each way of searching did with its trials, by its name."""
    samplers = {
        "Optuna": optuna.samplers.TPESampler(seed=seed),
        "Optuna, multivariate": optuna.samplers.TPESampler(seed=seed, multivariate=True),
    }
    found = {}
    for name, sampler in samplers.items():
        recorder = Recorder(fits)
        with_optuna(recorder, n_trials, sampler, continuous=continuous)
        found[name] = recorder.count
    recorder = Recorder(fits)
    with_paretoopt(recorder, n_trials, seed, continuous=continuous)
    found["paretoopt"] = recorder.count
    return found


def tables(n_trials: int, n_seeds: int) -> list[str]:
    """Both cases as lines of Markdown."""
    lines = []
    for title, fits, continuous, header, cells in (
        ("Failing region", _FITS, True, ("failed", "best quality"), (lambda c: c.n_failed, lambda c: c.best_quality)),
        ("Duplicates", 1.0, False, ("different", "repeated"), (different, repeated)),
    ):
        seeds = [counted(fits, n_trials, seed, continuous=continuous) for seed in range(n_seeds)]
        lines += [f"## {title}", "", f"| of {n_trials} evaluations | {' | '.join(header)} |", "|---|---:|---:|"]
        for name in seeds[0]:
            values = [spread([cell(found[name]) for found in seeds]) for cell in cells]
            lines.append(f"| {name} | {' | '.join(values)} |")
        lines.append("")
    return lines


def different(count: Count) -> float:
    """Configurations that were evaluated."""
    return count.n_different


def repeated(count: Count) -> float:
    """Evaluations of what was known."""
    return count.n_evaluated - count.n_different


def spread(values: Sequence[float]) -> str:
    """The median and the quartiles.

    >>> spread([1.0, 2.0, 3.0, 4.0, 5.0])
    '3 (2 to 4)'
    """
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{median:.3g} ({low:.3g} to {high:.3g})"


def main() -> None:
    """Print the tables and write them to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100, help="of each study")
    parser.add_argument("--seeds", type=int, default=20, help="studies of each kind")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    lines = tables(options.trials, options.seeds)
    record = current_environment(measured_cores(1, 1)).to_dict()
    # Nothing here is timed, so that what else ran at the time is not known, and does not matter.
    known = {name: value for name, value in record.items() if value is not None} | {
        "optuna_version": optuna.__version__
    }
    command = f"python studies/benchmarks/failing_region.py --trials {options.trials} --seeds {options.seeds}"
    publish(results_page("Failures and duplicates", command, __doc__, lines, known), options.output)


if __name__ == "__main__":
    main()
