"""What ranking slates by popularity achieves: the least that a ranker has to beat."""

from __future__ import annotations

import numpy as np

from paretoopt.data.requests import histories
from paretoopt.data.slate_metrics import SlateQuality, slate_quality
from paretoopt.data.slates import SlateData, slates_of


def slate_popularity(data: SlateData, k: int = 10, *, phase: str = "test") -> SlateQuality:
    """Rank each slate by how often the candidates were taken before ``phase``.

    Args:
        data: The slates.
        k: Length of the list that counts.
        phase: Whether ``"validation"`` or ``"test"`` items are to be found.

    Raises:
        DataError: ``k`` is below 1, or ``phase`` is unknown.
    """
    slates = slates_of(data, phase)
    counts = np.bincount(histories(data.split, phase).items, minlength=data.split.n_items)
    return slate_quality(counts[slates.candidates].astype(np.float64), slates, k)
