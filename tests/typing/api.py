"""User code that must type-check: mypy reads it, nothing runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import plotly.graph_objects as go
from torch import Tensor

import paretoopt as po
from paretoopt import recommenders


def ready_made(folder: Path) -> pd.DataFrame:
    """The whole way with the built-in recommender."""
    interactions: po.Interactions = po.load_interactions(folder)
    wider = po.Distillation(temperature=2.0, teacher={"embedding_dim": 64})
    pipeline: po.Pipeline = recommenders.next_item(
        po.k_core(interactions), length=50, distillation=wider, store=folder / "store"
    )
    space = po.SearchSpace(
        embedding_dim=po.Ordered(16, 32),
        pruning_ratio=po.Float(0.0, 0.5, step=0.25),
        allocation=po.Categorical("uniform", "global"),
        distillation=po.Ordered(0.0, 0.5),
        quantization_aware=po.Categorical(False, True),
        serving_workers=po.Int(1, 2),
    )
    study: po.Study = po.create_study(
        space,
        objectives=[po.maximize("ndcg_at_10"), po.minimize("memory_mib")],
        constraints=[po.at_most("latency_p99_ms", 20.0), po.at_least("closed_loop_rps", 100)],
        study_name="shop",
        storage="sqlite:///shop.db",
        load_if_exists=True,
    )
    assert po.load_study(study_name="shop", storage="sqlite:///shop.db").space == space
    study.enqueue({"embedding_dim": 16, "pruning_ratio": 0.0, "allocation": "uniform", "serving_workers": 1})
    study.optimize(
        pipeline,
        n_trials=60,
        timeout=1_800,
        max_training_cost=3_600.0,
        max_failure_share=0.5,
        cost_pruning=po.CostPruning(risk=0.01),
        early_stopping=po.LearningCurves(risk=0.1),
    )
    failed_in: set[str | None] = {failure.stage for failure in study.failures()}
    untrained: list[tuple[str, str | None, float]] = [
        (one.reason, one.stage, one.training_cost) for one in study.pruned()
    ]
    assert untrained, pipeline.costs({"embedding_dim": 16}).measurements
    front: po.ParetoFront = study.repeats(pipeline, seeds=5, confidence=0.95, max_training_cost=3_600.0)
    assert {one.n_seeds for one in front}, pipeline.with_seed(1).quality({"embedding_dim": 16})
    figure: go.Figure = po.plot_pareto_front(front)
    figure.show()
    figures: list[go.Figure] = [
        po.plot_pareto_front_3d(front, z="memory_mib", chosen=front.knee()),
        po.plot_parallel_coordinates(front),
        po.plot_hypervolume_history(front, over="seconds"),
        po.plot_importances(front, metrics=["memory_mib"]),
        po.plot_marginal_effects(front, metric="memory_mib"),
        po.plot_stage_seconds(front),
        po.plot_compression(front, quality="ndcg_at_10", size="artifact_mib"),
    ]
    assert figures
    po.show_in_optuna_dashboard(study, figure, name="front")
    report: Path = po.write_report(study, folder / "report.html")
    chosen = front.pick(within=[po.at_most("latency_p95_ms", 5.0)], prefer="ndcg_at_10")
    bundle: Path = po.export(
        pipeline, chosen, report.parent / "deploy", front=front, licence="CC-BY-4.0", overwrite=True
    )
    checked: po.Verification = po.verify(bundle, latency_tolerance=0.3)
    assert checked.is_sound, [fault.detail for fault in checked.faults]
    manifest: Mapping[str, Any] = po.read_manifest(bundle)
    assert manifest, (chosen.why, failed_in)
    return front.to_frame()


def own_objective(study: optuna.Study, rule: po.StoppingRule) -> None:
    """Early stopping in a plain Optuna study."""
    objectives = [po.maximize("accuracy"), po.minimize("memory_mib")]
    stopping = po.EarlyStopping(objectives, [po.at_least("accuracy", 0.2)], rule=rule)

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        watch = stopping.watch(trial, known={"memory_mib": 3.0}, standard_errors={"memory_mib": 0.1})
        watch.report(1, {"accuracy": 0.5}, standard_errors={"accuracy": 0.01})
        if watch.should_stop():
            raise optuna.TrialPruned(watch.reason)
        return 0.5, 3.0

    study.optimize(objective, n_trials=2)


RULES: list[po.StoppingRule] = [
    po.LearningCurves(risk=0.1, reference_share=0.2),
    po.Rungs(first=2, reduction_factor=2, n_epochs=30),
]


def slates(interactions: po.Interactions, folder: Path) -> po.Pipeline:
    """Ranking the candidates that requests bring along."""
    data: po.SlateData = po.load_ncf(folder) if folder.exists() else po.sampled_slates(interactions, slate_size=50)
    least: float = po.slate_popularity(data, k=5).ndcg
    model = recommenders.HistoryModel(history="mean", length=50) if least else recommenders.NeuMFModel()
    return recommenders.slate_ranking(data, model, best=5, served_candidates=1_000)


@po.reads(po.Parameter("width", default=8))
def build(params: po.Params, data: str) -> list[int]:
    """A model of one's own, built from what it reads."""
    return [int(params["width"])] * len(data)


class Text:
    """Data of one's own."""

    fingerprint = "v1"


def own_pipeline(stage: po.Stage) -> Mapping[str, po.Measurement]:
    """A pipeline from plain functions."""

    def run(model: object, params: po.Params, context: po.Context) -> dict[str, po.Measurement]:
        return {"width": po.Measurement(float(params["width"]), low=0.0, high=None)}

    measure = po.Measure(name="width", metrics=("width",), run=run, reads=(po.Parameter("width", default=8),))
    requests = {"tokens": np.zeros((4, 2), dtype=np.int64)}
    pipeline = po.Pipeline(data=Text(), build=build, stages=[stage], measures=[measure], requests=requests)
    evaluation: po.Evaluation = pipeline.evaluate({"width": 16})
    return evaluation.measurements


def score(targets: np.ndarray[Any, Any], answers: np.ndarray[Any, Any]) -> float:
    """A score of one's own."""
    return float((targets * answers).sum())


def own_examples(loss: Callable[[Any, Tensor], Tensor]) -> str:
    """A pipeline over examples of one's own, and what it will ship."""
    data: po.SplitExamples = po.split_examples({"x": np.zeros((9, 3))}, np.zeros(9))
    task = po.Supervised(loss, batch_size=32)
    few = po.TrainingSettings(epochs=1)
    pipeline = po.Pipeline(
        data=data,
        build=build,
        stages=[po.fit(task, few), po.prune(), po.export_onnx(outputs=["score"]), po.quantize()],
        measures=[po.output_quality({"score": score, "auc": po.auc}, output="score"), po.ranked_parity(k=5)],
        requests=data.requests(64),
    )
    parts: po.PartsList = po.describe(pipeline, {"bits": 8})
    teacher = po.Earlier("fit", {"width": 16})
    return f"{parts} {parts.artifact_mib:.2f} {teacher.stage}"


def clicked(context: po.Context) -> po.LabelledRows:
    """Rows of one's own, with their labels."""
    held_out = context.data.validation
    return po.LabelledRows(held_out.inputs, held_out.targets, clusters=held_out.inputs["user"])


def own_parity(
    requests: Callable[[po.Context], tuple[Mapping[str, np.ndarray[Any, Any]], po.Slates]],
) -> list[po.Measure]:
    """Parity of scores: of rows, and of slates."""
    of_rows = po.ranked_parity(output="score", rows=clicked, largest_loss=0.1)
    return [of_rows, po.ranked_parity(k=5, output="scores", slates=requests, length=20)]


def plain_function(params: po.Params) -> dict[str, float]:
    """What ``study.optimize`` also takes."""
    return {"cost": float(params["size"])}


def search_plain_function() -> list[po.Candidate]:
    """A study without a pipeline."""
    study = po.create_study(po.SearchSpace(size=po.Int(1, 4)), objectives=[po.minimize("cost")])
    study.optimize(plain_function, n_trials=4, until=po.Converged(share=0.02))
    study.optimize(plain_function, until="converged")
    return list(study.pareto_front())


def fronts_of_tables(study: optuna.Study, frame: pd.DataFrame, path: Path) -> list[po.ParetoFront]:
    """A front of whatever was measured."""
    objectives = [po.maximize("auc"), po.minimize("memory_mib")]
    of_table = po.front_of(frame, objectives, [po.at_most("memory_mib", 8)], params=["width"])
    return [po.front_of(study), of_table, po.front_of(path, objectives), po.front_of(of_table)]


def pick_by_cost(front: po.ParetoFront) -> list[str]:
    """What it costs to serve and to train, and the rules."""
    budget = po.TotalCost("training", machine=0.5, per_worker=1.0)
    cost = po.ServingCost(200, price_per_core_hour=0.04, price_per_gib_hour=0.005, utilization=0.7)
    costed = front.with_costs(cost, budget)
    cheapest = costed.pick(within=[budget.at_most(600)], prefer=po.minimize("serving_cost_per_month"), on="estimate")
    weighed = costed.pick(weights={"auc": 2, po.minimize("replicas"): 1}, rule="topsis")
    space = po.SearchSpace(size=po.Int(1, 4))
    study = po.create_study(space, objectives=[po.minimize("replicas")], costs=[cost, budget])
    return [cheapest.why, weighed.why, costed.knee(on="estimate").why, study.study_name]


def plain_optuna(space: po.SearchSpace) -> optuna.Study:
    """The sampler in a study of Optuna's own."""

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        params: po.Params = po.suggest(trial, space)
        return float(params["width"]), float(params["depth"])

    stages = po.Sources(
        artifact_key=lambda params: str(params["width"]),
        remaining=lambda params: (po.RemainingStage("fit", f"fit {params['width']}", {}),),
    )
    objectives = [po.maximize("quality"), po.minimize("memory_mib")]
    sampler = po.CostFirstSampler(
        space,
        objectives,
        [po.at_most("memory_mib", 8)],
        costs=lambda params: {"memory_mib": 1.0},
        sources=stages,
        seed=1,
    )
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    study.optimize(objective, n_trials=3)
    return study
