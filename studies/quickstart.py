"""The main job on an embedded default: which deployment of a shop's recommender should be shipped?

Makes a synthetic shop, searches 24 configurations of a next-item model over all dimensions, prints
the Pareto front and a pick with its reason, and writes report.html into the current folder. A few
minutes on two cores, no download. Run it again and it goes on where it was. It is a study file as
well: ``paretoopt run studies/quickstart.py --n-trials 24`` does the searching.
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

import paretoopt as po
from paretoopt import recommenders

FOLDER = Path("quickstart")
space = po.SearchSpace(
    embedding_dim=po.Ordered(8, 16, 32, 64),
    pruning_ratio=po.Float(0.0, 0.5, step=0.25),
    linear_bits=po.Ordered(32, 8),
    embedding_bits=po.Ordered(32, 8, 4),
    serving_workers=po.Int(1, 2),
)
objectives = [
    po.maximize("ndcg_at_10"),
    po.minimize("memory_mib"),
    po.maximize("closed_loop_rps"),
]
study_name = "quickstart"
storage = "sqlite:///quickstart.db"
# Enough for this small shop; real data deserves the defaults.
TRAINING = po.TrainingSettings(epochs=14, patience=3, learning_rate=3e-3)
enqueue: list[po.Params] = [
    {"embedding_dim": 64, "pruning_ratio": 0.0, "linear_bits": 32, "embedding_bits": 32, "serving_workers": 1}
]


def pipeline() -> po.Pipeline:
    """What each candidate goes through."""
    shop = po.synthetic_shop(users=1_500, items=2_500, seed=0)
    return recommenders.next_item(shop, length=30, training=TRAINING, store=FOLDER / "store")


def main() -> None:
    """Search, show, pick, and export the pick."""
    console = Console()
    made = pipeline()
    study = po.create_study(space, objectives=objectives, study_name=study_name, storage=storage, load_if_exists=True)
    for params in enqueue:
        study.enqueue(params)
    study.optimize(made, n_trials=24)

    front = study.pareto_front()
    best = front.pick(prefer="ndcg_at_10").measurements["ndcg_at_10"].value
    chosen = front.pick(within=[po.at_least("ndcg_at_10", 0.95 * best)], prefer="memory_mib", on="estimate")
    console.print(po.front_table(front, marked={"pick": chosen.number}))
    console.print(f"\nThe smallest within 5 % of the best quality:\n{chosen.why}", highlight=False)
    report = po.write_report(study, "report.html", chosen=chosen)
    bundle = po.export(made, chosen, FOLDER / "deploy", front=front, overwrite=True)
    console.print(f"\nThe whole picture: {report.absolute()}\nReady to be deployed: {bundle}", highlight=False)


if __name__ == "__main__":
    main()
