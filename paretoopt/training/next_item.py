"""Learning to predict each user's next item, against the whole catalogue or a sample of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from paretoopt.data.popularity import popularity_baseline
from paretoopt.data.requests import model_histories, model_seen
from paretoopt.data.split import Split
from paretoopt.models.recommender import Recommender
from paretoopt.models.sasrec import SASRec
from paretoopt.training.distillation import softmax_divergence
from paretoopt.training.ranking import discounted_gains
from paretoopt.training.windows import Windows, cut_windows, shuffled_batches

_EVALUATION_BATCH = 256


@dataclass(frozen=True)
class NextItemSettings:
    """How next items are learnt.

    Attributes:
        length: Number of most recent items that the model reads.
        batch_size: Windows per batch.
        full_catalogue: The softmax runs over all items up to this catalogue size; beyond it, over
            the target and up to ``negatives`` others.
        negatives: Items drawn uniformly for each batch of a large catalogue.
    """

    length: int = 50
    batch_size: int = 32
    full_catalogue: int = 20_000
    negatives: int = 1_024


class NextItemTask:
    """Cross-entropy on the next item; quality is NDCG@10 on validation by full ranking."""

    def __init__(self, split: Split, settings: NextItemSettings, *, k: int = 10) -> None:
        """Prepare the task for ``split``."""
        self._settings = settings
        self._items = split.train_items + 1
        self._offsets = split.train_offsets
        self._n_items = split.n_items
        self._k = k
        self._histories = torch.from_numpy(model_histories(split, "validation", settings.length))
        self._seen = torch.from_numpy(model_seen(split, "validation"))
        self._targets = split.validation_items + 1
        self._popularity = popularity_baseline(split, k=k, phase="validation").ndcg

    def batches(self, random: np.random.Generator) -> Iterator[Windows]:
        """One epoch of windows, cut and shuffled anew."""
        windows = cut_windows(self._items, self._offsets, self._settings.length, random)
        return shuffled_batches(windows, self._settings.batch_size, random)

    def loss(self, model: SASRec, batch: Windows) -> Tensor:
        """Mean cross-entropy over the batch's targets."""
        targets, hidden = _targets_of(batch), _states_of(model, batch)
        return functional.cross_entropy(*self._classes(hidden, model.items.weight, targets, self._drawn()))

    def taught_losses(
        self, model: SASRec, teacher: SASRec, batch: Windows, temperature: float
    ) -> tuple[Tensor, Tensor]:
        """The cross-entropy, and the divergence from the teacher's probabilities of the same items."""
        targets, hidden = _targets_of(batch), _states_of(model, batch)
        drawn = self._drawn()
        logits, labels = self._classes(hidden, model.items.weight, targets, drawn)
        taught, _ = self._classes(_states_of(teacher, batch), teacher.items.weight, targets, drawn)
        divergence = softmax_divergence(logits, taught, temperature=temperature)
        return functional.cross_entropy(logits, labels), divergence

    def quality(self, model: SASRec) -> float:
        """NDCG@k on validation by full ranking."""
        return float(self.gains(model).mean())

    def gains(self, model: SASRec) -> NDArray[np.float64]:
        """What each user adds to :meth:`quality`; shape ``(n_users,)``."""
        recommender = Recommender(model, self._k)
        lists = [
            recommender(histories, seen)[0]
            for histories, seen in zip(
                torch.split(self._histories, _EVALUATION_BATCH), torch.split(self._seen, _EVALUATION_BATCH), strict=True
            )
        ]
        return discounted_gains(torch.cat(lists).numpy(), self._targets)

    def measured(self, quality: float) -> dict[str, float]:
        """The quality, which the pipeline measures of the same users."""
        return {f"ndcg_at_{self._k}": quality}

    def describe(self, quality: float) -> str:
        """The quality beside that of recommending what is popular."""
        return f"NDCG@{self._k} {quality:.4f} (popularity {self._popularity:.4f})"

    def _drawn(self) -> Tensor | None:
        """The items that stand in for a large catalogue; None where all its items are classes."""
        if self._n_items <= self._settings.full_catalogue:
            return None
        # Sampled softmax (Jean et al. 2015): uniformly drawn items stand in for the others of the
        # catalogue. Uniform draws shift all logits alike, so that none needs a correction.
        drawn: Tensor = torch.unique(torch.randint(1, self._n_items + 1, (self._settings.negatives,)))
        return drawn

    def _classes(self, hidden: Tensor, table: Tensor, targets: Tensor, drawn: Tensor | None) -> tuple[Tensor, Tensor]:
        """The logits of each target's classes, and which class is right."""
        if drawn is None:
            return hidden @ table[1:].T, targets - 1
        own = (hidden * table[targets]).sum(1, keepdim=True)
        others = (hidden @ table[drawn].T).masked_fill(drawn == targets[:, None], float("-inf"))
        return torch.cat([own, others], dim=1), torch.zeros_like(targets)


def _targets_of(batch: Windows) -> Tensor:
    targets = torch.from_numpy(batch.targets)
    return targets[targets != 0]


def _states_of(model: SASRec, batch: Windows) -> Tensor:
    """The states after each position that has a target; shape ``(n_targets, width)``."""
    return model.encode(torch.from_numpy(batch.inputs))[torch.from_numpy(batch.targets != 0)]
