"""The ready-made pipeline for next-item recommendation with SASRec."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from paretoopt.artifact.export import export_onnx
from paretoopt.compression.prune import prune_in_rounds
from paretoopt.compression.quantization_aware import quantization_aware
from paretoopt.compression.quantize import QuantizationRules
from paretoopt.compression.trim_vocabulary import trim_vocabulary
from paretoopt.data.groups import Grouping
from paretoopt.data.interactions import Interactions
from paretoopt.data.requests import model_seen
from paretoopt.data.split import Split, leave_one_out
from paretoopt.errors import DataError, PipelineError
from paretoopt.measurement.group_quality import refuse_groups
from paretoopt.measurement.measures import latency, memory
from paretoopt.measurement.ranked_parity import ranked_parity
from paretoopt.measurement.training_cores import off_measured_cores
from paretoopt.models.recommender import recommender
from paretoopt.models.sasrec import SASRec
from paretoopt.pipeline.input_range import InputRange
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context, Measure, Requests, Stage
from paretoopt.recommenders.quantizing import earlier, quantizing
from paretoopt.recommenders.ranking_quality import ranking_quality, requests_of
from paretoopt.recommenders.sasrec_pruning import items_trained_on, sasrec_plan
from paretoopt.space import Parameter, Params, Value
from paretoopt.store.store import Store
from paretoopt.training.distillation import Distillation
from paretoopt.training.loop import Task, TrainingSettings
from paretoopt.training.next_item import NextItemSettings, NextItemTask
from paretoopt.training.stages import distill, fine_tune, fit

_BUILD_VERSION = "sasrec-2"
_N_REQUESTS = 512
_MOST_ROUNDS = 4
_NOTES = (
    "history: the user's {length} most recent items, oldest first, padded with 0 on the left. "
    "seen: items never to recommend, in any order and number, padded with 0. "
    "items: the {k} best items, best first; scores: their scores. "
    "Item id i stands for entry i of item_ids.json; entry 0 is padding. "
    "Where vocabulary_trimming is on, items that were never trained on are passed over in history, as if the user had "
    "not had them, and are never recommended."
)


def next_item(
    interactions: Interactions | Split,
    *,
    k: int = 10,
    length: int = 50,
    blocks: int = 2,
    heads: int = 2,
    dropout: float = 0.3,
    training: TrainingSettings | None = None,
    fine_tuning: TrainingSettings | None = None,
    distillation: Distillation | None = None,
    quantization_aware_training: TrainingSettings | None = None,
    batch_size: int = 32,
    full_catalogue: int = 20_000,
    groups: Sequence[Grouping] = (),
    quantization: QuantizationRules | None = None,
    train_while_measuring: bool = False,
    store: Store | str | Path | None = None,
    seed: int = 0,
) -> Pipeline:
    """A pipeline that recommends each user's next items from the recent history.

    One request is one user's recent items and the items never to recommend; the answer is the
    ``k`` best items and their scores. Dimensions: ``embedding_dim``, those of ``prune_in_rounds``, ``distillation``,
    ``quantization_aware``, ``vocabulary_trimming``, ``linear_bits``, ``embedding_bits`` and ``serving_workers``.

    Args:
        interactions: Events; each user's last item is held out for test, the one before for validation.
        k: Items per answer.
        length: Most recent items that the model reads.
        blocks: Transformer blocks.
        heads: Attention heads of each block.
        dropout: Share of activations dropped in training.
        training: How the uncompressed model is trained.
        fine_tuning: How a pruned model is trained on, with a teacher or without.
        distillation: How the teacher teaches where the dimension ``distillation`` is above 0.
        quantization_aware_training: How rounded weights are trained on where ``quantization_aware`` is on.
        batch_size: Windows of ``length`` items per training batch.
        full_catalogue: Up to so many items training compares all; beyond, 1,024 drawn for each batch, in less time.
        groups: How users are grouped to measure ``worst_group_ndcg_at_10`` and ``group_gap``.
        quantization: How bits are made; static layers are calibrated on 128 users' requests of one item earlier.
        train_while_measuring: Whether training may disturb what others measure, instead of waiting for its cores.
        store: A store or its folder; None for the user's cache.
        seed: Seed of everything random.

    Raises:
        DataError: A user has all but fewer than ``k`` items, or the data cannot be split or grouped.
        PipelineError: A setting is out of its range.
        StoreError: The store cannot be written.
    """
    sizes = {"k": k, "length": length, "blocks": blocks, "heads": heads, "batch_size": batch_size}
    _refuse_settings({**sizes, "full_catalogue": full_catalogue}, dropout)
    split = _checked_split(interactions, k, groups)
    requests = _sampled_requests(split, length, seed)
    schedules = _schedules(training, fine_tuning, quantization_aware_training)
    rules, task = quantization or QuantizationRules(), NextItemSettings(length, batch_size, full_catalogue)
    stages = _stages(k, task, schedules, distillation, rules, train_while_measuring)
    build = _build(length=length, blocks=blocks, heads=heads, dropout=dropout)
    stages.append(quantizing(rules, earlier(requests)))
    return _assembled(build, stages, split, requests, k=k, length=length, groups=groups, store=store, seed=seed)


def _refuse_settings(sizes: Mapping[str, int], dropout: float) -> None:
    for name, size in sizes.items():
        if type(size) is not int or size < 1:
            raise PipelineError(f"{name} must be a whole number from 1 on, but is {size!r}.")
    if not 0 <= dropout < 1:
        raise PipelineError(f"dropout must be from 0 to below 1, but is {dropout!r}.")


def _checked_split(interactions: Interactions | Split, k: int, groups: Sequence[Grouping]) -> Split:
    if not isinstance(interactions, Interactions | Split):
        raise PipelineError(f"next_item needs interactions, but got {interactions!r}. Use load_interactions first.")
    split = interactions if isinstance(interactions, Split) else leave_one_out(interactions)
    _refuse_small_catalogue(split, k)
    refuse_groups(groups, split)
    return split


def _refuse_small_catalogue(split: Split, k: int) -> None:
    most_seen = int((model_seen(split, "test") > 0).sum(1).max())
    if split.n_items - most_seen < k:
        raise DataError(
            f"the catalogue has {split.n_items} items and a user has {most_seen} of them, so that fewer than k={k} are "
            "left to recommend. Lower k, or bring more items."
        )


@dataclass(frozen=True)
class _Schedules:
    """How the uncompressed model is trained, and the compressed one after that."""

    fit: TrainingSettings
    fine_tune: TrainingSettings
    quantization_aware: TrainingSettings


def _schedules(
    training: TrainingSettings | None, fine_tuning: TrainingSettings | None, rounded: TrainingSettings | None
) -> _Schedules:
    fit = training or TrainingSettings()
    return _Schedules(
        fit,
        fine_tuning or replace(fit, epochs=15, patience=3, learning_rate=fit.learning_rate / 2),
        rounded or replace(fit, epochs=15, patience=5, learning_rate=fit.learning_rate / 2),
    )


def _stages(
    k: int,
    settings: NextItemSettings,
    schedules: _Schedules,
    distillation: Distillation | None,
    rules: QuantizationRules,
    train_while_measuring: bool,
) -> list[Stage]:
    def task(data: Split) -> Task:
        return NextItemTask(data, settings, k=k)

    def guarded(stage: Stage, threads: int | None) -> Stage:
        return stage if train_while_measuring else off_measured_cores(stage, threads=threads)

    names = asdict(settings)
    rounded = quantization_aware(
        task, schedules.quantization_aware, block_size=rules.block_size, range=rules.range, **names
    )
    return [
        guarded(fit(task, schedules.fit, **names), schedules.fit.threads),
        *prune_in_rounds(
            sasrec_plan,
            guarded(fine_tune(task, schedules.fine_tune, **names), schedules.fine_tune.threads),
            most_rounds=_MOST_ROUNDS,
            gradients=task,
        ),
        guarded(distill(task, schedules.fine_tune, distillation, **names), schedules.fine_tune.threads),
        guarded(rounded, schedules.quantization_aware.threads),
        trim_vocabulary(items_trained_on, lambda model: model.items, least=k),
        export_onnx(lambda model: recommender(model, k), outputs=("items", "scores"), dynamic_axes=("seen",), k=k),
    ]


def _measures(k: int, length: int, groups: Sequence[Grouping]) -> list[Measure]:
    quality = ranking_quality(k=k, length=length, groups=groups)
    # Parity comes first: nothing more is measured of a graph that quantisation broke.
    return [ranked_parity(k=k, targets=_next_items), quality, latency(), memory()]


def _build(*, length: int, blocks: int, heads: int, dropout: float) -> Build:
    def build(params: Params, data: Split, seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return SASRec(
                n_items=data.n_items,
                embedding_dim=int(params["embedding_dim"]),
                length=length,
                blocks=blocks,
                heads=heads,
                dropout=dropout,
            )

    width = Parameter("embedding_dim", default=64, refuse=_refuse_width(heads))
    return Build(build, (width,), f"{_BUILD_VERSION}: {length=} {blocks=} {heads=} {dropout=}")


def _sampled_requests(split: Split, length: int, seed: int) -> Requests:
    users = _sampled_users(split, seed)
    return {name: array[users] for name, array in requests_of(split, "validation", length).items()}


def _next_items(context: Context) -> NDArray[np.int64]:
    """The item that each sampled user took next."""
    split: Split = context.data
    return split.validation_items[_sampled_users(split, context.seed)] + 1


def _sampled_users(split: Split, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).permutation(split.n_users)[:_N_REQUESTS]


def _assembled(
    build: Build,
    stages: Sequence[Stage],
    split: Split,
    requests: Requests,
    *,
    k: int,
    length: int,
    groups: Sequence[Grouping],
    store: Store | str | Path | None,
    seed: int,
) -> Pipeline:
    return Pipeline(
        data=split,
        build=build,
        stages=stages,
        measures=_measures(k, length, groups),
        requests=requests,
        store=store,
        seed=seed,
        notes=_NOTES.format(k=k, length=length),
        bundle_files={"item_ids.json": json.dumps([None, *map(str, split.item_ids)]).encode()},
        input_ranges=dict.fromkeys(("history", "seen"), InputRange(0, split.n_items)),
    )


def _refuse_width(heads: int) -> Callable[[Value], str | None]:
    def refuse(value: Value) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool) or value < heads:
            return f"it is a number of channels. Use a whole number from {heads} on."
        if value % heads:
            return f"it does not divide by the {heads} attention heads. Use a multiple of {heads}."
        return None

    return refuse
