"""The stages that a click model goes through."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from paretoopt.artifact.export import export_onnx
from paretoopt.compression.prune import prune_in_rounds
from paretoopt.compression.quantization_aware import quantization_aware
from paretoopt.compression.quantize import QuantizationRules
from paretoopt.data.clicks import Clicks
from paretoopt.measurement.training_cores import off_measured_cores
from paretoopt.models.click_probability import ClickProbability
from paretoopt.pipeline.stage import Requests, Stage
from paretoopt.recommenders.click_pruning import towers_plan
from paretoopt.recommenders.quantizing import quantizing
from paretoopt.training.clicks import ClickSettings, ClickTask
from paretoopt.training.distillation import Distillation
from paretoopt.training.loop import Task, TrainingSettings
from paretoopt.training.stages import distill, fine_tune, fit

_EPOCHS = 30
_MOST_ROUNDS = 4
_ABSENT = {
    "head_pruning_ratio": "click models have no attention heads",
    "embedding_pruning_ratio": "the products of the fields' vectors need one width; search embedding_dim instead",
}


@dataclass(frozen=True)
class ClickSchedules:
    """How the uncompressed model is trained, and the compressed one after that."""

    fit: TrainingSettings
    fine_tune: TrainingSettings
    quantization_aware: TrainingSettings


def click_schedules(
    training: TrainingSettings | None, fine_tuning: TrainingSettings | None, rounded: TrainingSettings | None
) -> ClickSchedules:
    """The schedules that are given, and defaults for the others."""
    fit = training or TrainingSettings(epochs=_EPOCHS)
    on = replace(fit, epochs=10, patience=3, learning_rate=fit.learning_rate / 2)
    return ClickSchedules(fit, fine_tuning or on, rounded or on)


def click_stages(
    settings: ClickSettings,
    schedules: ClickSchedules,
    distillation: Distillation | None,
    rules: QuantizationRules,
    calibrated: Requests,
    train_while_measuring: bool,
) -> list[Stage]:
    """Training, pruning of the towers, recovery, export with any number of rows, and quantisation.

    Args:
        settings: How clicks are learnt.
        schedules: How long, and how fast.
        distillation: How the teacher teaches; None for the default.
        rules: How bits are made.
        calibrated: Requests that static layers are calibrated on.
        train_while_measuring: Whether training may disturb what others measure.
    """

    def task(data: Clicks) -> Task:
        return ClickTask(data, settings)

    def guarded(stage: Stage, threads: int | None) -> Stage:
        return stage if train_while_measuring else off_measured_cores(stage, threads=threads)

    names = {"learns": "clicks", **asdict(settings)}
    rounded = quantization_aware(
        task, schedules.quantization_aware, block_size=rules.block_size, range=rules.range, **names
    )
    return [
        guarded(fit(task, schedules.fit, **names), schedules.fit.threads),
        *prune_in_rounds(
            towers_plan,
            guarded(fine_tune(task, schedules.fine_tune, **names), schedules.fine_tune.threads),
            most_rounds=_MOST_ROUNDS,
            gradients=task,
            absent=_ABSENT,
        ),
        guarded(distill(task, schedules.fine_tune, distillation, **names), schedules.fine_tune.threads),
        guarded(rounded, schedules.quantization_aware.threads),
        export_onnx(ClickProbability, outputs=("probabilities",), dynamic_axes=tuple(calibrated)),
        quantizing(rules, calibrated),
    ]
