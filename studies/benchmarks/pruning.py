"""How allocation and importance of pruning change a recommender's quality, before and after fine-tuning.

    python studies/benchmarks/pruning.py --data FOLDER

FOLDER holds interactions in any format that ``load_interactions`` reads. It makes the table of ``docs/pruning.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import paretoopt as po
from paretoopt import recommenders
from paretoopt.compression.prune_allocation import ALLOCATIONS
from paretoopt.compression.prune_importance import IMPORTANCES
from paretoopt.space import Value
from paretoopt.training.next_item import NextItemSettings, NextItemTask


def candidates() -> Iterator[dict[str, Value]]:
    """Every allocation, importance and share of channels, then both importances for the embeddings' width."""
    for allocation in ALLOCATIONS:
        for importance in IMPORTANCES:
            for ratio in (0.5, 0.75, 0.9):
                how: dict[str, Value] = {"pruning_allocation": allocation, "pruning_importance": importance}
                yield {**how, "pruning_ratio": ratio}
    for importance in IMPORTANCES:
        for ratio in (0.25, 0.5):
            yield {"pruning_importance": importance, "embedding_pruning_ratio": ratio}


def main() -> None:
    """Print a row for each candidate: validation NDCG@10 after pruning and after fine-tuning, and the weights left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of interactions")
    parser.add_argument("--epochs", type=int, default=10, help="of training at most")
    parser.add_argument("--fine-tuning-epochs", type=int, default=4, help="of fine-tuning at most")
    arguments = parser.parse_args()
    split = po.leave_one_out(po.load_interactions(arguments.data))
    task = NextItemTask(split, NextItemSettings())
    pipeline = recommenders.next_item(
        split,
        training=po.TrainingSettings(epochs=arguments.epochs),
        fine_tuning=po.TrainingSettings(epochs=arguments.fine_tuning_epochs, learning_rate=5e-4),
    )
    print(f"unpruned: {task.quality(pipeline.output_of('fit', {})):.4f}", flush=True)
    print("| allocation | importance | ratio | embedding ratio | pruned | fine-tuned | weights beside the table |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for params in candidates():
        canonical = pipeline.canonical(params)
        pruned, tuned = (pipeline.output_of(stage, params) for stage in ("prune", "fine_tune"))
        weights = sum(parameter.numel() for parameter in pruned.parameters()) - pruned.items.weight.numel()
        cells = [
            canonical["pruning_allocation"],
            canonical["pruning_importance"],
            canonical["pruning_ratio"],
            canonical["embedding_pruning_ratio"],
            f"{task.quality(pruned):.4f}",
            f"{task.quality(tuned):.4f}",
            weights,
        ]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
