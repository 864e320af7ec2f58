"""How much does quality vary over training seeds, beside what users leave open?

One configuration of a SASRec recommender is trained from several seeds, each for so few epochs that none stops early;
the artifact ranks each user's held-out item among all items. `between seeds` is the standard deviation of the means
over users. Part of it is that of single users, who are the same for all seeds: what intervals over users of one
training have already. `of the seeds alone` is what remains without it.

    python studies/benchmarks/repeats.py --data FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import paretoopt as po
from paretoopt import recommenders
from paretoopt.front.luck import spread_of_trainings
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "repeats.md"
_METRICS = {"ndcg_at_10": "validation NDCG@10", "test_ndcg_at_10": "test NDCG@10"}
_HALF_WIDTH = 1.96

Values = NDArray[np.float64]


def main() -> None:
    """Train, measure, and write the page."""
    options = _options()
    training = po.TrainingSettings(epochs=options.epochs, patience=options.epochs, threads=1)
    pipeline = recommenders.next_item(po.load_interactions(options.data), training=training, store=options.store)
    params: po.Params = {"embedding_dim": options.width}
    per_user: dict[str, list[Values]] = {metric: [] for metric in _METRICS}
    for seed in range(options.seeds):
        pipeline.with_seed(seed).quality(params)
        found = pipeline.with_seed(seed).per_user(params)
        for metric in _METRICS:
            per_user[metric].append(found[metric])
        print(f"seed {seed}: {found['ndcg_at_10'].mean():.4f}", flush=True)
    command = f"python studies/benchmarks/repeats.py --data {options.data.name}{_changed(options)}"
    lines = page_lines({metric: np.stack(values) for metric, values in per_user.items()})
    title = "Quality over training seeds"
    about = f"{__doc__}\nHere: width {options.width}, {options.epochs} epochs, {options.seeds} seeds."
    record = current_environment(measured_cores(1, 1)).to_dict()
    # Nothing here is timed, so that what else ran at the time is not known, and does not matter.
    environment = {name: value for name, value in record.items() if value is not None}
    publish(results_page(title, command, about, lines, environment), options.output)


def page_lines(per_user: dict[str, Values]) -> list[str]:
    """The tables: one row per metric, then one per seed.

    Args:
        per_user: Values of shape ``(n_seeds, n_users)`` by metric.
    """
    head = [
        "| metric | mean | between seeds | of the seeds alone | users: half of the 95 % interval of one training |",
        "|---|---:|---:|---:|---:|",
    ]
    rows = [_row(_METRICS[metric], values) for metric, values in per_user.items()]
    means = {metric: values.mean(axis=1) for metric, values in per_user.items()}
    seeds = ["", f"| seed | {' | '.join(_METRICS[metric] for metric in means)} |", f"|---|{'---:|' * len(means)}"]
    n_seeds = len(next(iter(means.values())))
    seeds += [f"| {seed} | {_numbers([values[seed] for values in means.values()])} |" for seed in range(n_seeds)]
    return [*head, *rows, *seeds]


def _row(name: str, values: Values) -> str:
    spread = spread_of_trainings([values[np.newaxis]])
    variance = spread.squares / spread.degrees
    alone = max(variance - spread.of_users, 0.0)
    half = _HALF_WIDTH * float(np.mean(values.std(axis=1, ddof=1))) / np.sqrt(values.shape[1])
    return f"| {name} | {_numbers([values.mean(), variance**0.5, alone**0.5, half])} |"


def _numbers(values: Sequence[float]) -> str:
    return " | ".join(f"{value:.4f}" for value in values)


def _changed(options: argparse.Namespace) -> str:
    names = ("width", "epochs", "seeds")
    return "".join(f" --{name} {getattr(options, name)}" for name in names if getattr(options, name) != _DEFAULTS[name])


_DEFAULTS = {"width": 32, "epochs": 8, "seeds": 6}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of MovieLens 100K")
    parser.add_argument("--store", type=Path, help="folder of the store; the user's cache if not given")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="where the page is written")
    for name, default in _DEFAULTS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


if __name__ == "__main__":
    main()
