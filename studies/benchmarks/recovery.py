"""How much quality do distillation and quantisation-aware training win back?

A SASRec recommender is pruned by 0.5 and by 0.75 and trained on: by itself, taught by the unpruned model, and taught
by a wider one, which also teaches the unpruned one. It is quantised to 4 and to 2 bits as it is, after training on
without rounding, and after training on with rounded weights; all have the same schedule.

Each value is a mean over users of their mean over the seeds. Differences are paired over users, with the 95 % BCa
bootstrap interval; it holds for these trainings, and seeds tell how far others may lie. The artifact ranks each
user's test item among all items.

    python studies/benchmarks/recovery.py --data FOLDER
"""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import paretoopt as po
from paretoopt import recommenders
from paretoopt.data.split import Split
from paretoopt.measurement.bootstrap import mean_interval
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "recovery.md"
_METRIC = "test_ndcg_at_10"
_PRUNING_RATIOS = (0.5, 0.75)
_BITS = ((32, 4), (4, 4), (32, 2), (4, 2))

# So little of the teacher's loss that the model is trained on by itself, with the schedule of those that are taught.
_UNTAUGHT = 1e-9

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Variant:
    """A row of the table.

    Attributes:
        name: What is done to the model.
        params: The candidate.
        has_wide_teacher: Whether a wider model is the teacher, instead of the unpruned one.
        against: The rows that it is compared with, beside the uncompressed one.
    """

    name: str
    params: po.Params
    has_wide_teacher: bool = False
    against: tuple[str, ...] = ()


def variants(width: int, weight: float) -> list[Variant]:
    """Every row: the uncompressed model, then each compression without recovery and with it."""
    base: po.Params = {"embedding_dim": width}
    rows = trained_on("uncompressed", base)
    name = "uncompressed, taught by a wider model"
    rows.append(Variant(name, {**base, "distillation": weight}, True, ("uncompressed", rows[-1].name)))
    for ratio in _PRUNING_RATIOS:
        plain, params = f"pruned by {ratio}", {**base, "pruning_ratio": ratio}
        taught = {**params, "distillation": weight}
        rows += [
            Variant(plain, params),
            Variant(f"{plain}, taught by the unpruned model", taught, against=(plain,)),
            Variant(f"{plain}, taught by a wider model", taught, True, (plain,)),
        ]
    for linear, embedding in _BITS:
        plain = f"{linear}-bit linear, {embedding}-bit embeddings"
        params = {**base, "linear_bits": linear, "embedding_bits": embedding}
        rows += trained_on(plain, params)
        against = (plain, rows[-1].name)
        rows.append(
            Variant(f"{plain}, trained on with rounding", {**params, "quantization_aware": True}, False, against)
        )
    return rows


def trained_on(name: str, params: po.Params) -> list[Variant]:
    """An unpruned model as it is, and after training on without a teacher and without rounding."""
    further = {**params, "distillation": _UNTAUGHT}
    return [Variant(name, params), Variant(f"{name}, trained on", further, True, (name,))]


def measured(options: argparse.Namespace) -> dict[str, Values]:
    """The metric of every user in each row, by seed: arrays of shape ``(n_seeds, n_users)``."""
    split = po.leave_one_out(po.load_interactions(options.data))
    rows = variants(options.width, options.weight)
    found: dict[str, list[Values]] = {row.name: [] for row in rows}
    for seed in range(options.seeds):
        pipelines = {is_wide: pipeline_of(split, options, seed, is_wide=is_wide) for is_wide in (False, True)}
        for row in rows:
            started = time.perf_counter()
            values = pipelines[row.has_wide_teacher].per_user(row.params)[_METRIC]
            found[row.name].append(values)
            print(f"seed {seed}, {row.name}: {values.mean():.4f} ({time.perf_counter() - started:.0f} s)", flush=True)
    return {name: np.stack(values) for name, values in found.items()}


def pipeline_of(split: Split, options: argparse.Namespace, seed: int, *, is_wide: bool) -> po.Pipeline:
    """The recommender; with a teacher of ``--teacher-width`` where ``is_wide``."""
    teacher: po.Params = {"embedding_dim": options.teacher_width} if is_wide else {}
    further = po.TrainingSettings(epochs=min(15, options.epochs), patience=5, learning_rate=5e-4)
    return recommenders.next_item(
        split,
        length=100,
        dropout=0.4,
        training=po.TrainingSettings(epochs=options.epochs, patience=10, learning_rate=1e-3),
        fine_tuning=further,
        quantization_aware_training=further,
        distillation=po.Distillation(temperature=options.temperature, teacher=teacher),
        store=options.store,
        seed=seed,
    )


def table(found: Mapping[str, Values], rows: Sequence[Variant]) -> list[str]:
    """Each row's quality and how it differs from the uncompressed model; then what each way of recovery gives."""
    lines = [
        "| configuration | test NDCG@10 | least to most of the seeds | against uncompressed |",
        "|---|---:|---:|---:|",
    ]
    for row in rows:
        values = found[row.name]
        low, high = mean_interval(values.mean(axis=0))
        by_seed = values.mean(axis=1)
        cells = [
            row.name,
            f"{values.mean():.4f} ± {(high - low) / 2:.4f}",
            f"{by_seed.min():.4f} to {by_seed.max():.4f}",
        ]
        cells.append("" if row is rows[0] else difference(values, found[rows[0].name]))
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| recovery | against | difference | better in seeds |", "|---|---|---:|---:|"]
    for row in rows:
        for other in row.against:
            wins = int((found[row.name].mean(axis=1) > found[other].mean(axis=1)).sum())
            change = difference(found[row.name], found[other])
            lines.append(f"| {row.name} | {other} | {change} | {wins} of {len(found[other])} |")
    return lines


def difference(values: Values, baseline: Values) -> str:
    """The mean difference over users and seeds, its interval over users, and its share of the baseline."""
    # Rounded, so that equal differences are equal numbers.
    differences = (values.mean(axis=0) - baseline.mean(axis=0)).round(12)
    low, high = mean_interval(differences)
    mean = float(differences.mean())
    share = f" ({mean / baseline.mean():+.1%})" if baseline.any() else ""
    return f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]{share}"


def page(lines: Sequence[str], options: argparse.Namespace) -> str:
    """The page of results."""
    settings = (
        f"The model is {options.width} wide, the wider teacher {options.teacher_width}; the teacher's loss has the "
        f"weight {options.weight} at temperature {options.temperature}. Seeds: {options.seeds}. *Trained on* "
        "is up to 15 epochs more, at half the learning rate, as after pruning."
    )
    record = current_environment(measured_cores(1, 1)).to_dict()
    # Nothing here is timed, so that what else ran at the time is not known, and does not matter.
    known = {name: value for name, value in record.items() if value is not None}
    return results_page("What recovery wins back", command_of(options), __doc__, [settings, "", *lines], known)


def command_of(options: argparse.Namespace) -> str:
    """The command that makes the same page; where files are kept makes no difference."""
    names = ("seeds", "epochs", "width", "teacher_width", "weight", "temperature")
    words = ["--data", Path(options.data).name]
    words += [word for name in names for word in (f"--{name.replace('_', '-')}", str(getattr(options, name)))]
    return shlex.join(["python", "studies/benchmarks/recovery.py", *words])


def main() -> None:
    """Print the table and write it to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder or file with the interactions, or 'ml-100k' to download")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of everything")
    parser.add_argument("--epochs", type=int, default=120, help="at most this many for each base training")
    parser.add_argument("--width", type=int, default=64, help="embedding_dim of the model")
    parser.add_argument("--teacher-width", type=int, default=128, help="embedding_dim of the wider teacher")
    parser.add_argument("--weight", type=float, default=0.5, help="of the teacher's loss")
    parser.add_argument("--temperature", type=float, default=po.Distillation().temperature, help="of both models")
    parser.add_argument("--store", type=Path, default=None, help="folder of the stage store; the user's cache else")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    options = parser.parse_args()
    text = page(table(measured(options), variants(options.width, options.weight)), options)
    publish(text, options.output)


if __name__ == "__main__":
    main()
