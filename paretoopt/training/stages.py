"""Training as pipeline stages: fitting the uncompressed model, fine-tuning or teaching the compressed one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from torch import nn

from paretoopt.models.weights import load_weights, save_weights
from paretoopt.pipeline.stage import Context, Earlier, Stage
from paretoopt.space import Parameter, Params, Value
from paretoopt.training.distillation import Distillation, TaughtTask
from paretoopt.training.loop import Task, TrainingSettings, train
from paretoopt.training.pruned import is_pruned
from paretoopt.training.supervised import settings_of

MakeTask = Callable[[Any], Task]
"""From the pipeline's data to what is learnt."""

_FIT = "fit"


def fit(task: MakeTask, settings: TrainingSettings, **task_settings: Value) -> Stage:
    """The stage that trains the uncompressed model.

    Args:
        task: Gives what is learnt.
        settings: How to train.
        task_settings: What the task depends on; it enters the store's key.
    """
    return _training_stage(_FIT, task, settings, task_settings, is_active=lambda params: True)


def fine_tune(task: MakeTask, settings: TrainingSettings, **task_settings: Value) -> Stage:
    """The stage that trains a pruned model on; an unpruned one, and one that is taught, pass it over.

    Args:
        task: Gives what is learnt.
        settings: How to train.
        task_settings: What the task depends on; it enters the store's key.
    """

    def is_active(params: Params) -> bool:
        return is_pruned(params) and not _is_taught(params)

    return _training_stage("fine_tune", task, settings, task_settings, is_active=is_active)


def distill(
    task: MakeTask, settings: TrainingSettings, distillation: Distillation | None = None, **task_settings: Value
) -> Stage:
    """The stage that trains a model on while a larger one teaches it, in the place of :func:`fine_tune`.

    Its dimension is ``distillation``: the share of the teacher's loss, where 0 is off and leaves the model to
    :func:`fine_tune`. A stage named ``"fit"`` gives the teacher: the unpruned model of the same candidate, or one of
    other parameters, which then also teaches unpruned candidates.

    Args:
        task: Gives what is learnt; it must be a :class:`paretoopt.training.distillation.TeachableTask`.
        settings: How to train.
        distillation: How the teacher teaches; None for the default.
        task_settings: What the task depends on; it enters the store's key.
    """
    how = distillation or Distillation()

    def run(model: nn.Module, params: Params, context: Context) -> nn.Module:
        teacher, weight = context.earlier(_FIT), float(params["distillation"])
        taught = TaughtTask(task(context.data), teacher, weight=weight, temperature=how.temperature)
        train(model, taught, settings, seed=context.seed, stage="distill", listener=context.listener)
        return model

    def is_active(params: Params) -> bool:
        has_teacher = is_pruned(params) or any(params.get(name, value) != value for name, value in how.teacher.items())
        return _is_taught(params) and has_teacher

    return Stage(
        name="distill",
        run=run,
        save=save_weights,
        load=load_weights,
        reads=(Parameter("distillation", default=0.0, refuse=_refuse_share),),
        is_active=is_active,
        settings=identifying(asdict(settings)) | {"temperature": how.temperature} | task_settings,
        uses=(Earlier(_FIT, how.teacher),),
        trains=True,
    )


def _is_taught(params: Params) -> bool:
    return float(params.get("distillation", 0.0)) > 0


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
        settings=identifying(asdict(settings)) | settings_of(task) | {**task_settings},
        trains=True,
    )


def identifying(settings: Mapping[str, Value | None]) -> dict[str, Value]:
    """``settings`` as the store's key takes them: text for what is not set."""
    return {name: "" if value is None else value for name, value in settings.items()}


def _refuse_share(value: Value) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return None
    return "it is the share of the teacher's loss. Use a number from 0 to 1."
