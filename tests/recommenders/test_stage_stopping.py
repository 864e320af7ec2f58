"""Early stopping of real trainings: small SASRec models on a synthetic shop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

import paretoopt as po
from paretoopt.candidate import Progress
from paretoopt.data.split import Split
from paretoopt.models.sasrec import SASRec
from paretoopt.pipeline.stage import Context
from paretoopt.recommenders.ranking_quality import requests_of
from paretoopt.space import Params
from paretoopt.training.next_item import NextItemSettings, NextItemTask

LENGTH, N_EPOCHS = 20, 5


@po.reads(po.Parameter("embedding_dim", default=8), po.Parameter("dropout", default=0.1))
def build(params: Params, data: Split) -> SASRec:
    """The untrained model."""
    torch.manual_seed(0)
    return SASRec(
        n_items=data.n_items,
        embedding_dim=int(params["embedding_dim"]),
        length=20,
        blocks=1,
        heads=1,
        dropout=float(params["dropout"]),
    )


def task(data: Split) -> NextItemTask:
    """What is learnt."""
    return NextItemTask(data, NextItemSettings(LENGTH))


def quality(model: SASRec, params: Params, context: Context) -> Mapping[str, po.Measurement]:
    """On validation."""
    model.eval()
    with torch.no_grad():
        return {"ndcg_at_10": po.Measurement(task(context.data).quality(model))}


def size(model: SASRec, params: Params, context: Context) -> Mapping[str, po.Measurement]:
    """Weights are counted exactly, so that models of one shape tie."""
    return {"weights": po.Measurement(float(sum(weight.numel() for weight in model.parameters())))}


def make_pipeline(shop: Split, store: Path) -> po.Pipeline:
    """Trains a model of one block; nothing is exported, for that would take longer than all that is tested here."""
    settings = po.TrainingSettings(epochs=N_EPOCHS, patience=N_EPOCHS, learning_rate=5e-3, threads=1)
    return po.Pipeline(
        data=shop,
        build=build,
        stages=[po.fit(task, settings)],
        measures=[
            po.Measure(name="quality", metrics=("ndcg_at_10",), run=quality),
            po.Measure(name="size", metrics=("weights",), run=size, needs_training=False),
        ],
        requests={name: array[:20] for name, array in requests_of(shop, "validation", LENGTH).items()},
        store=store,
    )


def test_hopeless_training_is_stopped_and_a_good_one_is_not(shop: Split, tmp_path: Path) -> None:
    """After three trainings, a wider model that hardly learns ends early; a wider one that learns goes on.

    What was half trained is not in the store, and its seconds are counted.
    """
    pipeline = make_pipeline(shop, tmp_path / "store")
    study = po.create_study(
        po.SearchSpace(embedding_dim=po.Ordered(8, 16), dropout=po.Ordered(0.0, 0.3, 0.6, 0.97)),
        objectives=[po.maximize("ndcg_at_10"), po.minimize("weights")],
        storage="sqlite:///:memory:",
    )
    for width, dropout in ((8, 0.0), (8, 0.3), (8, 0.6), (16, 0.97), (16, 0.0)):
        study.enqueue({"embedding_dim": width, "dropout": dropout})
    heard: list[Progress] = []

    rule = po.LearningCurves(risk=0.25, reference_share=0.0)
    study.optimize(pipeline, n_trials=5, early_stopping=rule, listener=heard.append, progress=False)

    (stopped,) = study.pruned()
    assert stopped.params == {"embedding_dim": 16, "dropout": 0.97}
    assert (stopped.stage, len(study.candidates())) == ("fit", 4)
    assert stopped.epoch in range(1, N_EPOCHS)
    assert stopped.training_cost > 0
    assert [stage.name for stage in pipeline.remaining(stopped.params)] == ["fit"]
    epochs = [progress.epoch for progress in heard if progress.epoch is not None]
    assert epochs == [*list(range(1, N_EPOCHS + 1)) * 3, *range(1, (stopped.epoch or 0) + 1), *range(1, N_EPOCHS + 1)]
