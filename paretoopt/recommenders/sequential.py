"""The ready-made pipeline for next-item recommendation with SASRec."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from paretoopt.artifact.export import export_onnx
from paretoopt.compression.prune import PruningPlan, prune
from paretoopt.compression.quantize import quantize
from paretoopt.data.interactions import Interactions
from paretoopt.data.split import Split, leave_one_out
from paretoopt.errors import DataError, PipelineError
from paretoopt.measurement.measures import latency, memory
from paretoopt.measurement.training_cores import off_measured_cores
from paretoopt.models.recommender import Recommender
from paretoopt.models.sasrec import Attention, Block, SASRec
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context, Requests, Stage
from paretoopt.recommenders.ranking_quality import ranking_quality, requests_of
from paretoopt.space import Parameter, Params, Value
from paretoopt.store.store import Store
from paretoopt.training.loop import Task, TrainingSettings
from paretoopt.training.next_item import NextItemSettings, NextItemTask
from paretoopt.training.stages import fine_tune, fit

_BUILD_VERSION = "sasrec-1"
_N_REQUESTS = 512


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
    batch_size: int = 32,
    train_while_measuring: bool = False,
    store: Store | str | Path | None = None,
    seed: int = 0,
) -> Pipeline:
    """A pipeline that recommends each user's next items from the recent history.

    One request is one user's recent items and the items never to recommend; the answer is the
    ``k`` best items and their scores. Dimensions: ``embedding_dim``, ``pruning_ratio``,
    ``linear_bits``, ``embedding_bits`` and ``serving_workers``.

    Args:
        interactions: Events; the last item of each user is held out for test, the one before for
            validation.
        k: Items per answer.
        length: Most recent items that the model reads.
        blocks: Transformer blocks.
        heads: Attention heads of each block.
        dropout: Share of activations dropped in training.
        training: How the uncompressed model is trained.
        fine_tuning: How a pruned model is trained on.
        batch_size: Windows of ``length`` items per training batch.
        train_while_measuring: Whether training may disturb what another process measures, instead of waiting for
            its cores. With fewer ``training.threads`` than cores, it keeps to those that are measured on last.
        store: Store of stage outputs, or its folder; None for the user's cache.
        seed: Seed of everything random.

    Raises:
        DataError: The catalogue is smaller than ``k``, or the data cannot be split.
        PipelineError: A size is not positive.
        StoreError: The store cannot be written.
    """
    sizes = {"k": k, "length": length, "blocks": blocks, "heads": heads, "batch_size": batch_size}
    _refuse_sizes(sizes)
    settings = NextItemSettings(length=length, batch_size=batch_size)
    split = interactions if isinstance(interactions, Split) else leave_one_out(interactions)
    if split.n_items < k:
        raise DataError(f"the catalogue has {split.n_items} items, fewer than k={k}. Lower k, or bring more data.")
    return Pipeline(
        data=split,
        build=_build(length=length, blocks=blocks, heads=heads, dropout=dropout, seed=seed),
        stages=_stages(k, settings, training, fine_tuning, train_while_measuring),
        measures=[ranking_quality(k=k, length=length), latency(), memory()],
        requests=_sampled_requests(split, length, seed),
        store=store,
        seed=seed,
        bundle_files={"item_ids.json": json.dumps([None, *map(str, split.item_ids)]).encode()},
    )


def _refuse_sizes(sizes: Mapping[str, int]) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise PipelineError(f"{name} must be at least 1, but is {size}.")


def _stages(
    k: int,
    settings: NextItemSettings,
    training: TrainingSettings | None,
    fine_tuning: TrainingSettings | None,
    train_while_measuring: bool,
) -> list[Stage]:
    training = training or TrainingSettings()
    fine_tuning = fine_tuning or replace(training, epochs=15, patience=3, learning_rate=training.learning_rate / 2)

    def task(data: Split) -> Task:
        return NextItemTask(data, settings, k=k)

    def guarded(stage: Stage, threads: int | None) -> Stage:
        return stage if train_while_measuring else off_measured_cores(stage, threads=threads)

    names = asdict(settings)
    return [
        guarded(fit(task, training, **names), training.threads),
        prune(_pruning_plan),
        guarded(fine_tune(task, fine_tuning, **names), fine_tuning.threads),
        export_onnx(lambda model: Recommender(model, k), outputs=("items", "scores"), dynamic_axes=("seen",), k=k),
        quantize(),
    ]


def _build(*, length: int, blocks: int, heads: int, dropout: float, seed: int) -> Build:
    def build(params: Params, data: Split) -> nn.Module:
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


def _pruning_plan(model: SASRec, context: Context) -> PruningPlan:
    """Narrow the heads and feed-forward layers; the residual stream keeps the embeddings' width."""
    layers: dict[str, nn.Linear] = {}
    heads: dict[nn.Linear, int] = {}
    for name, module in model.named_modules():
        if isinstance(module, Attention):
            projections = {"query": module.query, "key": module.key, "value": module.value}
            layers |= {f"{name}.{projection}": layer for projection, layer in projections.items()}
            heads |= dict.fromkeys(projections.values(), module.heads)
        elif isinstance(module, Block):
            layers[f"{name}.expand"] = module.expand
    example = torch.from_numpy(context.requests["history"][:2].copy())
    return PruningPlan(_AllPositions(model), (example,), layers, heads, ((model.positions, 1),))


class _AllPositions(nn.Module):
    """The encoder over every position: tracing it sees each layer at its full shape."""

    def __init__(self, model: SASRec) -> None:
        super().__init__()
        self.model = model

    def forward(self, history: torch.Tensor) -> torch.Tensor:
        return self.model.encode(history)


def _sampled_requests(split: Split, length: int, seed: int) -> Requests:
    users = np.random.default_rng(seed).permutation(split.n_users)[:_N_REQUESTS]
    return {name: array[users] for name, array in requests_of(split, "validation", length).items()}


def _refuse_width(heads: int) -> Callable[[Value], str | None]:
    def refuse(value: Value) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool) or value < heads:
            return f"it is a number of channels. Use a whole number from {heads} on."
        if value % heads:
            return f"it does not divide by the {heads} attention heads. Use a multiple of {heads}."
        return None

    return refuse
