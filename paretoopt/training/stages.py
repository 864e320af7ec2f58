"""Training as pipeline stages: fitting the uncompressed model, fine-tuning the compressed one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from torch import nn

from paretoopt.models.weights import load_weights, save_weights
from paretoopt.pipeline.stage import Context, Stage
from paretoopt.space import Params, Value
from paretoopt.training.loop import Task, TrainingSettings, train

MakeTask = Callable[[Any], Task]
"""From the pipeline's data to what is learnt."""


def fit(task: MakeTask, settings: TrainingSettings, **task_settings: Value) -> Stage:
    """The stage that trains the uncompressed model.

    Args:
        task: Gives what is learnt.
        settings: How to train.
        task_settings: What the task depends on; it enters the store's key.
    """
    return _training_stage("fit", task, settings, task_settings, is_active=lambda params: True)


def fine_tune(task: MakeTask, settings: TrainingSettings, **task_settings: Value) -> Stage:
    """The stage that trains a pruned model on; an unpruned one passes it over.

    Args:
        task: Gives what is learnt.
        settings: How to train.
        task_settings: What the task depends on; it enters the store's key.
    """

    def is_pruned(params: Params) -> bool:
        return float(params.get("pruning_ratio", 0.0)) > 0

    return _training_stage("fine_tune", task, settings, task_settings, is_active=is_pruned)


def _training_stage(
    name: str,
    task: MakeTask,
    settings: TrainingSettings,
    task_settings: Mapping[str, Value],
    *,
    is_active: Callable[[Params], bool],
) -> Stage:
    def run(model: nn.Module, params: Params, context: Context) -> nn.Module:
        train(model, task(context.data), settings, seed=context.seed, stage=name, listener=context.listener)
        return model

    return Stage(
        name=name,
        run=run,
        save=save_weights,
        load=load_weights,
        is_active=is_active,
        trains=True,
        settings={key: "" if value is None else value for key, value in asdict(settings).items()} | {**task_settings},
    )
