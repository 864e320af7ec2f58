"""Learning to tell the item that a user took from items drawn at random."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from paretoopt.data.negatives import draw_negatives, pair_keys, refuse_users_without_negatives
from paretoopt.data.slate_metrics import slate_quality
from paretoopt.data.slate_popularity import slate_popularity
from paretoopt.data.slates import SlateData, slate_requests
from paretoopt.training.distillation import bernoulli_divergence

_EVALUATION_BATCH = 256

Inputs = Mapping[str, Tensor]
"""What a ranker is called with: ``user``, ``candidates`` and, where it reads one, ``history``."""


@dataclass(frozen=True)
class SlateSettings:
    """How slates are learnt.

    Attributes:
        length: Most recent items that the model reads; 0 for none.
        negatives: Random items for each item that was taken.
        batch_size: Events per batch, each with its negatives.
    """

    length: int = 100
    negatives: int = 4
    batch_size: int = 256


class SlateTask:
    """Log loss on every training event and random items that the user does not have in training.

    New negatives are drawn in each epoch (He et al. 2017, with 4 for each event). An event and its negatives make a
    slate with the item that was taken in front, so that user and history are computed once for all of them; the
    history of an event is what the user took before it. Quality is NDCG@k on the validation slates.
    """

    def __init__(self, data: SlateData, settings: SlateSettings, *, k: int = 10) -> None:
        """Prepare the task for ``data``.

        Raises:
            DataError: A user has every item of the catalogue.
        """
        split = data.split
        self._settings = settings
        self._items = split.train_items
        self._offsets = split.train_offsets
        self._users = np.repeat(np.arange(split.n_users), np.diff(split.train_offsets))
        self._n_items = split.n_items
        self._known = pair_keys(self._users, split.train_items, split.n_items)
        refuse_users_without_negatives(split.n_users, self._known, split.n_items)
        self._validation = data.validation
        self._requests = _tensors(slate_requests(data, "validation", length=settings.length))
        self._k = k
        self._popularity = slate_popularity(data, k, phase="validation").ndcg

    def batches(self, random: np.random.Generator) -> Iterator[Inputs]:
        """Every training event once, in an order drawn anew, with negatives drawn anew."""
        order = random.permutation(len(self._items))
        for first in range(0, len(order), self._settings.batch_size):
            yield self._slates(order[first : first + self._settings.batch_size], random)

    def loss(self, model: nn.Module, batch: Inputs) -> Tensor:
        """Mean log loss over the candidates of a batch, those in the first column being clicked."""
        return _log_loss(model(**batch))

    def taught_losses(
        self, model: nn.Module, teacher: nn.Module, batch: Inputs, temperature: float
    ) -> tuple[Tensor, Tensor]:
        """The log loss, and the divergence from the teacher's probabilities of the same candidates."""
        logits = model(**batch)
        with torch.no_grad():
            taught = teacher(**batch)
        return _log_loss(logits), bernoulli_divergence(logits, taught, temperature=temperature)

    def quality(self, model: nn.Module) -> float:
        """NDCG@k on the validation slates."""
        n_users = len(self._requests["user"])
        logits = [
            model(**{name: inputs[first : first + _EVALUATION_BATCH] for name, inputs in self._requests.items()})
            for first in range(0, n_users, _EVALUATION_BATCH)
        ]
        return slate_quality(torch.cat(logits).numpy(), self._validation, self._k).ndcg

    def measured(self, quality: float) -> dict[str, float]:
        """The quality, which the pipeline measures on the same slates."""
        return {f"ndcg_at_{self._k}": quality}

    def describe(self, quality: float) -> str:
        """The quality beside that of ranking by popularity."""
        return f"NDCG@{self._k} {quality:.4f} (popularity {self._popularity:.4f})"

    def _slates(self, events: NDArray[np.int64], random: np.random.Generator) -> Inputs:
        users = self._users[events]
        wanted = np.repeat(users[:, None], self._settings.negatives, axis=1)
        negatives = draw_negatives(wanted, self._known, self._n_items, random)
        candidates = np.concatenate([self._items[events, None], negatives], axis=1)
        inputs = {"user": users + 1, "candidates": candidates + 1}
        return _tensors(inputs | ({"history": self._histories(events)} if self._settings.length else {}))

    def _histories(self, events: NDArray[np.int64]) -> NDArray[np.int64]:
        """What each event's user took before it, as model ids, 0 on the left."""
        places = events[:, None] - np.arange(self._settings.length, 0, -1)
        exists = places >= self._offsets[self._users[events], None]
        return np.where(exists, self._items[places] + 1, 0)


def _log_loss(logits: Tensor) -> Tensor:
    clicked = torch.zeros_like(logits)
    clicked[:, 0] = 1
    return functional.binary_cross_entropy_with_logits(logits, clicked)


def _tensors(arrays: Mapping[str, NDArray[np.int64]]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
