"""The ready-made pipeline for ranking slates: requests that bring their candidates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from paretoopt.artifact.export import export_onnx
from paretoopt.compression.prune import prune_in_rounds
from paretoopt.compression.prune_plan import PruningPlan
from paretoopt.compression.quantization_aware import quantization_aware
from paretoopt.compression.quantize import QuantizationRules
from paretoopt.data.interactions import Interactions
from paretoopt.data.slate_sampling import sampled_slates
from paretoopt.data.slates import SlateData, slate_requests
from paretoopt.data.split import Split
from paretoopt.errors import PipelineError
from paretoopt.measurement.measures import latency, memory
from paretoopt.measurement.training_cores import off_measured_cores
from paretoopt.models.slate_scorer import SlateRecommender, SlateScorer
from paretoopt.pipeline.input_range import InputRange
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context, Measure, Requests, Stage
from paretoopt.recommenders.quantizing import earlier, quantizing
from paretoopt.recommenders.slate_models import HistoryModel, SlateModel
from paretoopt.recommenders.slate_quality import slate_parity, slate_ranking_quality
from paretoopt.space import Parameter, Params, Value
from paretoopt.store.store import Store
from paretoopt.training.distillation import Distillation
from paretoopt.training.loop import Task, TrainingSettings
from paretoopt.training.slates import SlateSettings, SlateTask
from paretoopt.training.stages import distill, fine_tune, fit

_BUILD_VERSION = "slates-1"
_N_REQUESTS = 512
_MOST_ROUNDS = 4
_DEFAULT_WIDTH = 32
_N_CALIBRATED_CANDIDATES = 100
_NOTES = (
    "user: entry of user_ids.json, 0 for one who is not in it. candidates: items to score, as many as there are. "
    "{history}scores: the probability of each candidate. {best}"
    "Item id i stands for entry i of item_ids.json; entry 0 is none."
)
_HISTORY_NOTES = "history: the user's {length} most recent items, oldest first, padded with 0 on the left. "
_BEST_NOTES = "items, best_scores: the {best} best candidates, best first, item 0 where there are fewer. "


def slate_ranking(
    data: SlateData | Split | Interactions,
    model: SlateModel | None = None,
    *,
    k: int = 10,
    best: int | None = None,
    served_candidates: int = 100,
    training: TrainingSettings | None = None,
    fine_tuning: TrainingSettings | None = None,
    distillation: Distillation | None = None,
    negatives: int = 4,
    batch_size: int = 256,
    quantization: QuantizationRules | None = None,
    train_while_measuring: bool = False,
    store: Store | str | Path | None = None,
    seed: int = 0,
) -> Pipeline:
    """A pipeline that ranks the candidates which a request brings along.

    A request is a user, the history where the model reads one, and candidates; the answer is each one's probability.
    Dimensions: those of ``next_item`` that the model can have, but ``vocabulary_trimming``.

    Args:
        data: Slates from ``sampled_slates`` or ``load_ncf``; or interactions, for slates of 100.
        model: ``HistoryModel(...)`` or ``NeuMFModel()``; None for the former as it comes.
        k: Length of the list that counts in ``ndcg_at_k`` and ``hr_at_k``.
        best: Answer with that many best candidates as well; None for scores alone.
        served_candidates: Random candidates of each request whose latency is measured; artifacts do not depend on it.
        training: How the uncompressed model is trained.
        fine_tuning: How a pruned, taught or rounded model is trained on.
        distillation: How a larger model teaches; None for the candidate's own uncompressed one.
        negatives: Random items for each item that was taken, in training.
        batch_size: Events per training batch, each with its negatives.
        quantization: How bits are made; static layers are calibrated on 128 users' requests of 100 candidates.
        train_while_measuring: Whether training may disturb what others measure, instead of waiting.
        store: A store or its folder; None for the user's cache.
        seed: Seed of everything random but the slates.

    Raises:
        DataError: Slates cannot be drawn, or a user has every item.
        PipelineError: A setting is out of its range.
    """
    model = model or HistoryModel()
    _refuse_sizes(k=k, served_candidates=served_candidates, negatives=negatives, batch_size=batch_size, best=best)
    slates, settings = _slates_of(data, k), SlateSettings(model.length, negatives, batch_size)
    schedules = _schedules(training, fine_tuning, distillation)
    absent, rules = _absent_ratios(model, slates.split), quantization or QuantizationRules()
    ways = _Ways(k, best, absent, rules, train_while_measuring)
    return Pipeline(
        data=slates,
        build=_build(model),
        stages=_stages(model, settings, schedules, ways, _calibrated(slates, model, seed)),
        measures=_measures(k, model.length),
        requests=served_requests(slates, length=model.length, n_candidates=served_candidates, seed=seed),
        store=store,
        seed=seed,
        notes=_notes(model.length, best),
        bundle_files=_id_files(slates.split),
        input_ranges=_ids(slates.split, model),
    )


def served_requests(data: SlateData, *, length: int, n_candidates: int, seed: int = 0) -> Requests:
    """Requests of up to 512 users, each with ``n_candidates`` items drawn uniformly from the catalogue.

    Args:
        data: The slates, whose users and histories at validation are asked for.
        length: Items of history that a request holds; 0 for none.
        n_candidates: Candidates of a request; an item may come twice.
        seed: Of the draws.
    """
    random = np.random.default_rng(seed)
    users = random.permutation(data.split.n_users)[:_N_REQUESTS]
    requests = {name: array[users] for name, array in slate_requests(data, "validation", length=length).items()}
    return requests | {"candidates": random.integers(1, data.split.n_items + 1, size=(len(users), n_candidates))}


def _calibrated(data: SlateData, model: SlateModel, seed: int) -> Requests:
    """What static layers are calibrated on, however many candidates are served."""
    return earlier(served_requests(data, length=model.length, n_candidates=_N_CALIBRATED_CANDIDATES, seed=seed))


def _slates_of(data: SlateData | Split | Interactions, k: int) -> SlateData:
    if isinstance(data, Split | Interactions):
        data = sampled_slates(data)
    elif not isinstance(data, SlateData):
        raise PipelineError(f"slate_ranking needs slates, but got {data!r}. Use load_ncf or sampled_slates first.")
    slate_size = min(data.validation.candidates.shape[1], data.test.candidates.shape[1])
    if k >= slate_size:
        raise PipelineError(
            f"k={k} covers slates of {slate_size} candidates, so that every ranking hits. Lower k, or bring "
            "larger slates."
        )
    return data


def _refuse_sizes(*, best: int | None, **sizes: int) -> None:
    for name, size in {**sizes, **({} if best is None else {"best": best})}.items():
        if type(size) is not int or size < 1:
            raise PipelineError(f"{name} must be a whole number from 1 on, but is {size!r}.")


def _build(model: SlateModel) -> Build:
    def build(params: Params, data: SlateData, seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return model.build(data.split, int(params["embedding_dim"]))

    width = Parameter("embedding_dim", default=_DEFAULT_WIDTH, refuse=_refuse_width)
    return Build(build, (width,), f"{_BUILD_VERSION}: {model!r}")


@dataclass(frozen=True)
class _Schedules:
    """How the uncompressed model is trained, and the compressed one after that."""

    fit: TrainingSettings
    fine_tune: TrainingSettings
    distillation: Distillation | None


def _schedules(
    training: TrainingSettings | None, fine_tuning: TrainingSettings | None, distillation: Distillation | None
) -> _Schedules:
    fit = training or TrainingSettings()
    tuned = fine_tuning or replace(fit, epochs=10, patience=3, learning_rate=fit.learning_rate / 2)
    return _Schedules(fit, tuned, distillation)


@dataclass(frozen=True)
class _Ways:
    """What the stages depend on beside the schedules."""

    k: int
    best: int | None
    absent_ratios: Mapping[str, str]
    quantization: QuantizationRules
    train_while_measuring: bool


def _stages(
    model: SlateModel, settings: SlateSettings, schedules: _Schedules, ways: _Ways, calibrated: Requests
) -> list[Stage]:
    def task(data: SlateData) -> Task:
        return SlateTask(data, settings, k=ways.k)

    def plan(module: nn.Module, context: Context) -> PruningPlan:
        return _pruning_plan(model, module, context)

    def guarded(stage: Stage, threads: int | None) -> Stage:
        return stage if ways.train_while_measuring else off_measured_cores(stage, threads=threads)

    names = asdict(settings) | {"k": ways.k}
    threads, rules = schedules.fine_tune.threads, ways.quantization
    rounded = quantization_aware(task, schedules.fine_tune, block_size=rules.block_size, range=rules.range, **names)
    return [
        guarded(fit(task, schedules.fit, **names), schedules.fit.threads),
        *prune_in_rounds(
            plan,
            guarded(fine_tune(task, schedules.fine_tune, **names), threads),
            most_rounds=_MOST_ROUNDS,
            gradients=task,
            absent=ways.absent_ratios,
        ),
        guarded(distill(task, schedules.fine_tune, schedules.distillation, **names), threads),
        guarded(rounded, threads),
        _export(ways.best),
        quantizing(rules, calibrated),
    ]


def _absent_ratios(model: SlateModel, split: Split) -> dict[str, str]:
    """The ratios of pruning that ``model`` cannot have, with the reasons."""
    with torch.device("meta"):
        tables = model.prunable(model.build(split, _DEFAULT_WIDTH)).embeddings
    absent = {"head_pruning_ratio": "slate rankers have no attention heads"}
    reason = f"no table of {model!r} can be narrowed; search embedding_dim instead"
    return absent if tables else {**absent, "embedding_pruning_ratio": reason}


def _pruning_plan(model: SlateModel, module: nn.Module, context: Context) -> PruningPlan:
    names = ("user", "candidates", "history") if model.length else ("user", "candidates")
    example = tuple(torch.from_numpy(context.requests[name][:2].copy()) for name in names)
    prunable = model.prunable(module)
    return PruningPlan(module, example, prunable.layers, embeddings=prunable.embeddings)


def _export(best: int | None) -> Stage:
    if best is None:
        return export_onnx(SlateScorer, outputs=("scores",), dynamic_axes=("candidates",))
    return export_onnx(
        lambda module: SlateRecommender(module, best),
        outputs=("scores", "items", "best_scores"),
        dynamic_axes=("candidates",),
        best=best,
    )


def _measures(k: int, length: int) -> list[Measure]:
    # Parity comes first: nothing more is measured of a graph that quantisation broke.
    return [slate_parity(k=k, length=length), slate_ranking_quality(k=k, length=length), latency(), memory()]


def _notes(length: int, best: int | None) -> str:
    return _NOTES.format(
        history=_HISTORY_NOTES.format(length=length) if length else "",
        best=_BEST_NOTES.format(best=best) if best else "",
    )


def _id_files(split: Split) -> dict[str, bytes]:
    """The original ids, in the places of the model's."""
    ids = {"user_ids.json": split.user_ids, "item_ids.json": split.item_ids}
    return {name: json.dumps([None, *map(str, values)]).encode() for name, values in ids.items()}


def _ids(split: Split, model: SlateModel) -> dict[str, InputRange]:
    items = InputRange(0, split.n_items)
    ranges = {"user": InputRange(0, split.n_users), "candidates": items}
    return ranges | ({"history": items} if model.length else {})


def _refuse_width(value: Value) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return None
    return "it is a number of channels. Use a whole number from 1 on."
