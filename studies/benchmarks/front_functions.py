"""How long do the functions of a front take at a thousand to a million configurations?

Random points of three objectives on and behind a sphere, the same for all. *Filter* tells which points nothing
dominates; *front of trials* does that from evaluated trials: `ParetoFront` from candidates, `study.best_trials` from
trials of an in-memory study; *hypervolume* is exact, of the points of the front; *pick* weighs all objectives alike
(`rule="topsis"`). In every round each is timed once, in shuffled order; the median is shown, and its ratio to ours.
What took more than ten seconds is not timed at larger sizes (*long*).

    python studies/benchmarks/front_functions.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import moocore
import numpy as np
import optuna
from numpy.typing import NDArray

import paretoopt as po
from paretoopt.front.dominance import hypervolume, is_nondominated
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
_OBJECTIVES = (po.minimize("a"), po.minimize("b"), po.minimize("c"))
_OURS, _OPTUNA, _PYMOO, _MOOCORE = "paretoopt", "optuna", "pymoo", "moocore"
_LONG = 10.0
_MOST_TRIALS = 100_000
Points = NDArray[np.float64]
Timed = Mapping[tuple[str, str], Callable[[], object]]
"""What is timed, by function and library."""


def points_of(n: int, seed: int) -> Points:
    """``n`` points behind the positive part of a sphere, a few of them on it; all costs."""
    random = np.random.default_rng([seed, n])
    directions = np.abs(random.normal(size=(n, 3)))
    lengths = random.uniform(0, 1, (n, 1)) ** 0.2 / np.linalg.norm(directions, axis=1, keepdims=True)
    points: Points = 2.0 - directions * lengths
    return points


def timed_at(points: Points) -> Timed:
    """Everything that is timed with these points."""
    reference = np.full(3, 2.2)
    front = points[is_nondominated(points)]
    timed: dict[tuple[str, str], Callable[[], object]] = {
        ("filter", _OURS): lambda: is_nondominated(points),
        ("filter", _MOOCORE): lambda: moocore.is_nondominated(points, keep_weakly=True),
        ("filter", _PYMOO): lambda: _pymoo_filter(points),
        ("hypervolume", _OURS): lambda: hypervolume(front, reference=reference),
        ("hypervolume", _MOOCORE): lambda: moocore.hypervolume(front, ref=reference),
        ("hypervolume", _PYMOO): lambda: _pymoo_hypervolume(front, reference),
        ("hypervolume", _OPTUNA): lambda: _optuna_hypervolume(front, reference),
    }
    if len(points) <= _MOST_TRIALS:
        candidates = [
            po.Candidate(n, {}, dict(zip("abc", map(po.Measurement, row), strict=True)))
            for n, row in enumerate(points.tolist())
        ]
        study = _study_of(points)
        whole = po.ParetoFront(candidates, _OBJECTIVES)
        timed |= {
            ("front of trials", _OURS): lambda: po.ParetoFront(candidates, _OBJECTIVES),
            ("front of trials", _OPTUNA): lambda: study.best_trials,
            ("pick", _OURS): lambda: whole.pick(rule="topsis"),
        }
    return timed


def _study_of(points: Points) -> optuna.Study:
    study = optuna.create_study(directions=["minimize"] * 3)
    study.add_trials([optuna.trial.create_trial(values=row) for row in points.tolist()])
    return study


def _pymoo_filter(points: Points) -> object:
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting  # noqa: PLC0415 (an extra)

    return NonDominatedSorting().do(points, only_non_dominated_front=True)


def _pymoo_hypervolume(front: Points, reference: Points) -> object:
    from pymoo.indicators.hv import HV  # noqa: PLC0415 (an extra)

    return HV(ref_point=reference)(front)


def _optuna_hypervolume(front: Points, reference: Points) -> object:
    from optuna._hypervolume import compute_hypervolume  # noqa: PLC0415 (Optuna offers it nowhere else)

    return compute_hypervolume(front, reference)


def times_of(timed: Timed, rounds: int, skipped: set[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Median seconds of each; what takes too long is skipped from the next size on."""
    order, random = [key for key in timed if key not in skipped], np.random.default_rng(0)
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in order}
    for _ in range(rounds):
        for place in random.permutation(len(order)):
            key = order[place]
            if seconds[key] and max(seconds[key]) > _LONG:
                continue  # once is enough
            begin = time.perf_counter()
            timed[key]()
            seconds[key].append(time.perf_counter() - begin)
    skipped |= {key for key, found in seconds.items() if max(found) > _LONG}
    return {key: float(np.median(found)) for key, found in seconds.items()}


def main() -> None:
    """Time all, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=_RESULTS / "front_functions.md")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    lines = ["| points | on the front | function | library | milliseconds | times paretoopt's |", "|" + "---:|" * 6]
    skipped: set[tuple[str, str]] = set()
    for size in options.sizes:
        points = points_of(size, seed=0)
        timed = timed_at(points)
        seconds = times_of(timed, options.rounds, skipped)
        n_front = int(is_nondominated(points).sum())
        for function, library in sorted(timed, key=lambda key: (key[0], key[1] != _OURS)):
            lines.append(f"| {size:,} | {n_front:,} | {_row(function, library, seconds)} |")
    usual = options.sizes == parser.get_default("sizes") and options.rounds == parser.get_default("rounds")
    command = "python studies/benchmarks/front_functions.py"
    command += "" if usual else f" --sizes {' '.join(map(str, options.sizes))} --rounds {options.rounds}"
    environment: Mapping[str, Any] = current_environment(measured_cores(1, 1)).to_dict()
    known = {name: value for name, value in environment.items() if value is not None}
    publish(results_page("Functions of a front", command, __doc__, lines, known), options.output)


def _row(function: str, library: str, seconds: Mapping[tuple[str, str], float]) -> str:
    found = seconds.get((function, library))
    if found is None:
        return f"{function} | {library} | *long* | "
    ours = seconds.get((function, _OURS))
    return f"{function} | {library} | {1e3 * found:.3g} | {'' if ours is None else f'{found / ours:.2g}'}"


if __name__ == "__main__":
    main()
