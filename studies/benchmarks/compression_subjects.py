"""The models whose compression is measured, each on real data and as its ready-made pipeline trains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from torch import nn

import paretoopt as po
from paretoopt import recommenders
from paretoopt.data.slates import SlateData
from paretoopt.models.click_probability import ClickProbability
from paretoopt.models.recommender import recommender
from paretoopt.models.slate_scorer import SlateScorer
from paretoopt.pipeline.stage import Requests
from paretoopt.recommenders.click_through import ClickModel
from paretoopt.recommenders.prediction_quality import requests_of
from paretoopt.recommenders.slate_models import SlateModel
from paretoopt.recommenders.slates import served_requests

_K = 10
_N_REQUESTS = 512
_CANDIDATES = {"1 candidate": 1, "1,000 candidates": 1_000}


@dataclass(frozen=True)
class Subject:
    """A model with its data.

    Attributes:
        title: What the page is called.
        pipeline: Trains, compresses and measures it.
        width: ``embedding_dim`` of every row.
        metric: The metric of test data that is compared; more is better.
        answering: From the trained module to the one that answers requests, as it is exported.
        traffic: The requests whose latency is measured, by what they ask for.
    """

    title: str
    pipeline: po.Pipeline
    width: int
    metric: str
    answering: Callable[[nn.Module], nn.Module]
    traffic: Mapping[str, Requests]


@dataclass(frozen=True)
class Making:
    """How pipelines are made.

    Attributes:
        store: Folder of the stage store; None for the user's cache.
        most_epochs: At most this many for each training, whatever a model asks for.
    """

    store: Path | None
    most_epochs: int

    def settings(
        self, *, epochs: int, patience: int, learning_rate: float, weight_decay: float = 0.0
    ) -> po.TrainingSettings:
        """What a model asks for, within ``most_epochs``."""
        return po.TrainingSettings(min(epochs, self.most_epochs), patience, learning_rate, weight_decay)


def sasrec(data: Path, making: Making, *, long_histories: bool) -> Subject:
    """SASRec, which ranks the whole catalogue in every request.

    Args:
        data: File or folder of interactions.
        making: How the pipeline is made.
        long_histories: Whether users have long histories, as in MovieLens, or short ones, as in a shop.
    """
    split = po.leave_one_out(po.load_interactions(data))
    pipeline = recommenders.next_item(
        split,
        k=_K,
        length=100 if long_histories else 50,
        dropout=0.4 if long_histories else 0.5,
        batch_size=32 if long_histories else 128,
        full_catalogue=20_000 if long_histories else 5_000,
        training=making.settings(epochs=120, patience=10, learning_rate=1e-3),
        fine_tuning=making.settings(epochs=15, patience=5, learning_rate=5e-4),
        train_while_measuring=True,
        store=making.store,
    )
    traffic = {f"all {split.n_items:,} items": pipeline.requests}
    return Subject(
        f"SASRec on {split.name}", pipeline, 64, f"test_ndcg_at_{_K}", lambda model: recommender(model, _K), traffic
    )


def history_ranker(data: Path, making: Making) -> Subject:
    """The click-through ranker of user and history, on slates of 100."""
    slates = po.sampled_slates(po.leave_one_out(po.load_interactions(data)))
    training = making.settings(epochs=60, patience=8, learning_rate=1e-3, weight_decay=1e-2)
    return _slate_subject("History ranker", slates, recommenders.HistoryModel(), 32, training, making)


def neumf(data: Path, making: Making) -> Subject:
    """NeuMF, in the protocol and with the slates of He et al. 2017."""
    slates = po.load_ncf(data)
    training = making.settings(epochs=20, patience=4, learning_rate=1e-3)
    return _slate_subject("NeuMF", slates, recommenders.NeuMFModel(), 16, training, making)


def click_model(data: Path, making: Making, *, model: ClickModel) -> Subject:
    """DLRM or DeepFM, on Frappe's published validation part (to train on) and test part."""
    clicks = po.load_clicks(data / "frappe.validation.libfm.gz", test=data / "frappe.test.libfm.gz")
    pipeline = recommenders.click_through(
        clicks,
        model=model,
        training=making.settings(epochs=40, patience=8, learning_rate=0.003),
        fine_tuning=making.settings(epochs=10, patience=3, learning_rate=0.001),
        batch_size=2_048,
        embedding_penalty=1e-3,
        train_while_measuring=True,
        store=making.store,
    )
    random = np.random.default_rng(0)
    part = clicks.validation
    traffic = {
        name: requests_of(clicks, part, random.integers(len(part), size=(_N_REQUESTS, rows)))
        for name, rows in _CANDIDATES.items()
    }
    name = {"dlrm": "DLRM", "deepfm": "DeepFM"}[model]
    return Subject(f"{name} on Frappe", pipeline, 32, "test_auc", ClickProbability, traffic)


def _slate_subject(
    name: str,
    slates: SlateData,
    model: SlateModel,
    width: int,
    training: po.TrainingSettings,
    making: Making,
) -> Subject:
    pipeline = recommenders.slate_ranking(
        slates,
        model,
        k=_K,
        training=training,
        fine_tuning=making.settings(epochs=8, patience=3, learning_rate=training.learning_rate / 2),
        batch_size=1_024,
        train_while_measuring=True,
        store=making.store,
    )
    traffic = {
        words: served_requests(slates, length=model.length, n_candidates=n_candidates)
        for words, n_candidates in _CANDIDATES.items()
    }
    title = f"{name} on {slates.split.name}"
    return Subject(title, pipeline, width, f"test_ndcg_at_{_K}", SlateScorer, traffic)


def _on_movies(data: Path, making: Making) -> Subject:
    return sasrec(data, making, long_histories=True)


def _in_a_shop(data: Path, making: Making) -> Subject:
    return sasrec(data, making, long_histories=False)


def _dlrm(data: Path, making: Making) -> Subject:
    return click_model(data, making, model="dlrm")


def _deepfm(data: Path, making: Making) -> Subject:
    return click_model(data, making, model="deepfm")


SUBJECTS: Mapping[str, Callable[[Path, Making], Subject]] = MappingProxyType(
    {
        "sasrec": _on_movies,
        "sasrec-shop": _in_a_shop,
        "history": history_ranker,
        "neumf": neumf,
        "dlrm": _dlrm,
        "deepfm": _deepfm,
    }
)
"""Each model by its name on the command line."""
