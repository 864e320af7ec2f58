"""The ready-made pipeline for predicting clicks from many categorical fields, with DLRM or DeepFM."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal, TypedDict, get_args

import numpy as np
import torch
from torch import nn

from paretoopt.compression.quantize import QuantizationRules
from paretoopt.data.clicks import Clicks, Impressions
from paretoopt.errors import PipelineError
from paretoopt.measurement.measures import latency, memory
from paretoopt.models.deepfm import DeepFM
from paretoopt.models.dlrm import DLRM
from paretoopt.pipeline.input_range import InputRange
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Measure, Requests
from paretoopt.recommenders.click_stages import click_schedules, click_stages
from paretoopt.recommenders.prediction_quality import prediction_parity, prediction_quality, requests_of
from paretoopt.space import Parameter, Params, Value
from paretoopt.store.store import Store
from paretoopt.training.clicks import ClickSettings
from paretoopt.training.distillation import Distillation
from paretoopt.training.loop import TrainingSettings

ClickModel = Literal["dlrm", "deepfm"]
"""Naumov et al. 2019, or Guo et al. 2017."""

_BUILD_VERSION = "click-through-1"
_N_REQUESTS = 512
_N_CALIBRATED_ROWS = 100
# DeepFM's vectors hold a weight, and at least one factor.
_LEAST_WIDTH = 2
_NOTES = (
    "categories: a row for each impression with the id of each field's value, by fields.json: entry i of a field's "
    "values has id i + 1, everything else id 0. {numbers}Any number of rows makes a request. "
    "probabilities: of a click on each row."
)
_NUMBERS = (
    "numbers: each numeric field as (sign(x) log(1 + |x|) - mean) / deviation by fields.json, 0 where it is missing. "
)


class _Handover(TypedDict):
    """What somebody who deploys a bundle must have beside the model, as ``Pipeline`` takes it."""

    notes: str
    bundle_files: Mapping[str, bytes]
    input_ranges: Mapping[str, InputRange]


def click_through(
    clicks: Clicks,
    *,
    model: ClickModel = "dlrm",
    rows: int = 100,
    hidden: Sequence[int] = (256, 128),
    dropout: float = 0.2,
    training: TrainingSettings | None = None,
    fine_tuning: TrainingSettings | None = None,
    distillation: Distillation | None = None,
    quantization_aware_training: TrainingSettings | None = None,
    batch_size: int = 1_024,
    embedding_penalty: float = 0.0,
    cluster_field: str | None = None,
    quantization: QuantizationRules | None = None,
    train_while_measuring: bool = False,
    store: Store | str | Path | None = None,
    seed: int = 0,
) -> Pipeline:
    """A pipeline that predicts whether impressions are clicked.

    A request is a slate of ``rows`` validation rows, an answer the probability of a click on each; an artifact takes
    any number. Dimensions: those of ``next_item`` but ``vocabulary_trimming``; only towers are pruned.

    Args:
        clicks: Impressions, from ``load_clicks`` or ``synthetic_clicks``.
        model: ``"dlrm"`` or ``"deepfm"``.
        rows: Impressions of a request.
        hidden: Widths of the top tower's layers; DLRM's bottom tower has one of half the last.
        dropout: Share of hidden activations dropped in training.
        training: How the uncompressed model is trained; it stops by the log-loss on validation.
        fine_tuning: How a pruned model is trained on, with a teacher or without.
        distillation: How the teacher teaches where the dimension ``distillation`` is above 0.
        quantization_aware_training: How rounded weights are trained on where ``quantization_aware`` is on.
        batch_size: Impressions per training batch.
        embedding_penalty: Weight of half the sum of the embeddings' squares in the training loss.
        cluster_field: The field whose equal values belong together in intervals of quality, such as the user's.
        quantization: How bits are made; static layers are calibrated on 128 slates of training rows.
        train_while_measuring: Whether training may disturb what others measure, instead of waiting.
        store: A store or its folder; None for the user's cache.
        seed: Seed of everything random.

    Raises:
        PipelineError: A setting is out of its range, or ``clicks`` are none.
    """
    _refuse(clicks, model, cluster_field, rows=rows, hidden=hidden, dropout=dropout)
    settings, rules = ClickSettings(batch_size, embedding_penalty), quantization or QuantizationRules()
    schedules = click_schedules(training, fine_tuning, quantization_aware_training)
    slates = _sampled_requests(clicks, clicks.train, _N_CALIBRATED_ROWS, seed)
    return Pipeline(
        data=clicks,
        build=_build(model, hidden=tuple(hidden), dropout=dropout),
        stages=click_stages(settings, schedules, distillation, rules, slates, train_while_measuring),
        measures=_measures(cluster_field),
        requests=_sampled_requests(clicks, clicks.validation, rows, seed),
        store=store,
        seed=seed,
        **_handover(clicks),
    )


def _refuse(
    clicks: Clicks,
    model: ClickModel,
    cluster_field: str | None,
    *,
    rows: int,
    hidden: Sequence[int],
    dropout: float,
) -> None:
    if not isinstance(clicks, Clicks):
        raise PipelineError(f"click_through needs clicks, but got {clicks!r}. Use load_clicks first.")
    if model not in get_args(ClickModel):
        raise PipelineError(f"model={model!r} is not known. Use {' or '.join(map(repr, get_args(ClickModel)))}.")
    if cluster_field is not None and cluster_field not in clicks.vocabularies:
        fields = ", ".join(map(repr, clicks.vocabularies))
        raise PipelineError(f"cluster_field={cluster_field!r} is no categorical field. There are {fields}.")
    _refuse_settings(rows, hidden, dropout)


def _refuse_settings(rows: int, hidden: Sequence[int], dropout: float) -> None:
    if not len(hidden):
        raise PipelineError("hidden must name at least one width, for example hidden=(256, 128), but is empty.")
    for name, size in {"rows": rows, **{f"hidden[{place}]": width for place, width in enumerate(hidden)}}.items():
        if type(size) is not int or size < 1:
            raise PipelineError(f"{name} must be a whole number from 1 on, but is {size!r}.")
    if not 0 <= dropout < 1:
        raise PipelineError(f"dropout must be from 0 to below 1, but is {dropout!r}.")


def _build(model: ClickModel, *, hidden: tuple[int, ...], dropout: float) -> Build:
    def build(params: Params, data: Clicks, seed: int) -> nn.Module:
        width, n_numeric = int(params["embedding_dim"]), len(data.numeric_fields)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if model == "deepfm":
                return DeepFM(sizes=data.sizes, n_numeric=n_numeric, embedding_dim=width, top=hidden, dropout=dropout)
            bottom = (max(hidden[-1] // 2, 1),)
            return DLRM(
                sizes=data.sizes, n_numeric=n_numeric, embedding_dim=width, bottom=bottom, top=hidden, dropout=dropout
            )

    parameter = Parameter("embedding_dim", default=16, refuse=_refuse_width)
    return Build(build, (parameter,), f"{_BUILD_VERSION}: {model=} {hidden=} {dropout=}")


def _sampled_requests(clicks: Clicks, part: Impressions, rows: int, seed: int) -> Requests:
    return requests_of(clicks, part, np.random.default_rng(seed).integers(len(part), size=(_N_REQUESTS, rows)))


def _measures(cluster_field: str | None) -> list[Measure]:
    # Parity comes first: nothing more is measured of a graph that quantisation broke.
    parity, quality = (of(cluster_field=cluster_field) for of in (prediction_parity, prediction_quality))
    return [parity, quality, latency(), memory()]


def _handover(clicks: Clicks) -> _Handover:
    return {
        "notes": _NOTES.format(numbers=_NUMBERS if clicks.numeric_fields else ""),
        "bundle_files": {"fields.json": _fields_file(clicks)},
        "input_ranges": {"categories": InputRange(0, tuple(map(len, clicks.vocabularies.values())))},
    }


def _fields_file(clicks: Clicks) -> bytes:
    described = {
        "categories": [{"field": name, "values": values} for name, values in clicks.vocabularies.items()],
        "numbers": [asdict(numeric_field) for numeric_field in clicks.numeric_fields],
    }
    return json.dumps(described).encode()


def _refuse_width(value: Value) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= _LEAST_WIDTH:
        return None
    return f"it is a number of channels. Use a whole number from {_LEAST_WIDTH} on."
