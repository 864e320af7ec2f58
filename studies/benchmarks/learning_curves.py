"""Real learning curves, for the replay of early stopping: how NDCG@10 rises while recommenders train.

Widths, blocks, learning rates and dropouts are drawn at random. Every SASRec trains for the same number of epochs, and
after each one all validation users are ranked over the whole catalogue. The size of the weights is known before. Curves
that the table holds already are not made again, so that a run which was cut short goes on.

    python studies/benchmarks/learning_curves.py --data FOLDER
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

import paretoopt as po
from paretoopt.data.interactions import select_events
from paretoopt.data.split import Split
from paretoopt.models.sasrec import SASRec
from paretoopt.training.loop import train
from paretoopt.training.next_item import NextItemSettings, NextItemTask

_TABLE = Path(__file__).resolve().parents[2] / "docs" / "results" / "learning_curves.csv"
_LENGTH = 50
_BYTES_PER_MIB = 2**20


@dataclass(frozen=True)
class Recipe:
    """A model and how it is trained."""

    width: int
    blocks: int
    learning_rate: float
    dropout: float


class RecordedTask(NextItemTask):
    """Keeps the quality after every epoch, and its standard error over users."""

    def __init__(self, split: Split, settings: NextItemSettings) -> None:
        """Start without any epoch."""
        super().__init__(split, settings)
        self.epochs: list[tuple[float, float]] = []

    def quality(self, model: SASRec) -> float:
        """NDCG@10, as it is trained for."""
        gains = self.gains(model)
        self.epochs.append((float(gains.mean()), float(gains.std(ddof=1)) / math.sqrt(len(gains))))
        return self.epochs[-1][0]


def recipe(number: int, seed: int) -> Recipe:
    """The recipe of a curve: the same for the same number and seed."""
    random = np.random.default_rng([seed, number])
    return Recipe(
        width=int(random.choice([4, 8, 16, 32])),
        blocks=int(random.integers(1, 3)),
        learning_rate=round(float(np.exp(random.uniform(math.log(3e-4), math.log(2e-2)))), 6),
        dropout=round(float(random.uniform(0.0, 0.6)), 3),
    )


def curve(split: Split, made: Recipe, *, number: int, epochs: int, seed: int) -> pd.DataFrame:
    """One row for each epoch; epoch 0 is the untrained model."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: nn.Module = SASRec(
            n_items=split.n_items,
            embedding_dim=made.width,
            length=_LENGTH,
            blocks=made.blocks,
            heads=2,
            dropout=made.dropout,
        )
    # A sample of the catalogue: the whole of it would take most of the time of a small model.
    task = RecordedTask(split, NextItemSettings(_LENGTH, full_catalogue=1, negatives=256))
    settings = po.TrainingSettings(epochs=epochs, patience=epochs, learning_rate=made.learning_rate, threads=1)
    train(model, task, settings, seed=seed, stage="fit", listener=lambda progress: None)
    table = pd.DataFrame(task.epochs, columns=["ndcg_at_10", "standard_error"]).round(6)
    table.insert(0, "epoch", range(len(table)))
    table.insert(0, "curve", number)
    n_weights = sum(parameter.numel() for parameter in model.parameters())
    return table.assign(weights_mib=round(4 * n_weights / _BYTES_PER_MIB, 6), **asdict(made))


def main() -> None:
    """Add the curves that the table lacks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder or file with the interactions, or 'ml-100k' to download")
    parser.add_argument("--curves", type=int, default=39, help="curves that the table shall hold")
    parser.add_argument("--users", type=int, default=400, help="the first users to learn from; a part takes less time")
    parser.add_argument("--epochs", type=int, default=16, help="of every training")
    parser.add_argument("--seed", type=int, default=0, help="of the recipes and the trainings")
    parser.add_argument("--output", type=Path, default=_TABLE, help="the table to write")
    options = parser.parse_args()
    interactions = po.load_interactions(options.data)
    split = po.leave_one_out(select_events(interactions, interactions.users < options.users))
    held = set(pd.read_csv(options.output)["curve"]) if options.output.exists() else set()
    for number in sorted(set(range(options.curves)) - held):
        started = time.perf_counter()
        made = recipe(number, options.seed)
        table = curve(split, made, number=number, epochs=options.epochs, seed=options.seed)
        table.to_csv(options.output, mode="a", header=not options.output.exists(), index=False)
        seconds = time.perf_counter() - started
        print(f"curve {number}: {made}, NDCG@10 {table['ndcg_at_10'].max():.4f} ({seconds:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
