"""The stage that trains on with fake quantisation, so that few bits cost less quality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn.utils import parametrize

from paretoopt.compression.blocks import Range
from paretoopt.compression.fake_quantization import Blocks, fake_quantize, keep_rounded
from paretoopt.models.weights import load_weights, save_weights
from paretoopt.pipeline.stage import Context, Stage
from paretoopt.space import Parameter, Params, Value
from paretoopt.training.loop import Task, TrainingSettings, measured_by, train
from paretoopt.training.stages import MakeTask, identifying
from paretoopt.training.supervised import settings_of

_NAME = "quantization_aware"
_TRAINED_BITS = (4, 2)


def quantization_aware(
    task: MakeTask,
    settings: TrainingSettings,
    *,
    block_size: int | None = None,
    range: Range = "mse",
    **task_settings: Value,
) -> Stage:
    """The stage that trains a model on with the weights that 4 and 2 bits will leave of it.

    It stands after all other training and before the export. Its dimension is ``quantization_aware`` (False or True);
    it reads ``linear_bits`` and ``embedding_bits``, and is passed over where neither is 4 or 2: with 8 bits and more
    there is nothing to win back. The model that it gives holds rounded weights, which the quantisation after the
    export finds as they are.

    Args:
        task: Gives what is learnt.
        settings: How to train.
        block_size: The one that :func:`paretoopt.quantize` is given.
        range: As above.
        task_settings: What the task depends on; it enters the store's key.
    """
    blocks = Blocks(block_size, range)

    def run(model: nn.Module, params: Params, context: Context) -> nn.Module:
        rounded = fake_quantize(
            model,
            linear_bits=_trained(params["linear_bits"]),
            embedding_bits=_trained(params["embedding_bits"]),
            blocks=blocks,
        )
        learnt = _OneRounding(task(context.data))
        train(model, learnt, settings, seed=context.seed, stage=_NAME, listener=context.listener)
        keep_rounded(rounded)
        return model

    return Stage(
        name=_NAME,
        run=run,
        save=save_weights,
        load=load_weights,
        reads=(
            Parameter(_NAME, default=False, refuse=_refuse_unless_bool),
            Parameter("linear_bits", default=32),
            Parameter("embedding_bits", default=32),
        ),
        is_active=lambda params: (
            bool(params[_NAME])
            and any(_trained(params[bits]) is not None for bits in ("linear_bits", "embedding_bits"))
        ),
        settings=identifying(asdict(settings) | asdict(blocks)) | settings_of(task) | task_settings,
        trains=True,
    )


class _OneRounding:
    """A task during whose every batch each weight is rounded once, however often it is used."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def batches(self, random: np.random.Generator) -> Iterator[Any]:
        return self._task.batches(random)

    def loss(self, model: Any, batch: Any) -> Tensor:  # noqa: ANN401
        with parametrize.cached():
            return self._task.loss(model, batch)

    def quality(self, model: Any) -> float:  # noqa: ANN401
        with parametrize.cached():
            return self._task.quality(model)

    def measured(self, quality: float) -> Mapping[str, float]:
        return measured_by(self._task, quality)

    def describe(self, quality: float) -> str:
        return self._task.describe(quality)


def _trained(bits: Value) -> int | None:
    return int(bits) if bits in _TRAINED_BITS else None


def _refuse_unless_bool(value: Value) -> str | None:
    return None if isinstance(value, bool) else "it is on or off. Use True or False."
