"""Where the labels of a few marked points go, so that they cover neither points nor each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Across the plot, about the width of one character, the height of a line, and the radius of a mark.
_CHARACTER = 0.011
_LINE = 0.05
_RADIUS = 0.026
_PLACES = {
    "top center": (0, 1),
    "bottom center": (0, -1),
    "middle right": (1, 0),
    "middle left": (-1, 0),
    "top right": (1, 1),
    "top left": (-1, 1),
    "bottom right": (1, -1),
    "bottom left": (-1, -1),
}


def text_positions(labels: Sequence[str], marked: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[str, ...]:
    """Plotly's ``textposition`` for each label, the freest place for each in turn.

    Args:
        labels: The texts.
        marked: The points that they belong to, of shape ``(n_labels, 2)``, in [0, 1] across the plot.
        others: Points to keep clear of, of shape ``(n_others, 2)``.
    """
    taken = np.vstack([others, marked])
    chosen = []
    for label, point in zip(labels, marked, strict=True):
        texts = {place: _text_points(label, point, *sides) for place, sides in _PLACES.items()}
        best = max(texts, key=lambda place: _clearance(texts[place], taken))
        taken = np.vstack([taken, texts[best]])
        chosen.append(best)
    return tuple(chosen)


def _text_points(label: str, point: NDArray[np.float64], right: int, up: int) -> NDArray[np.float64]:
    """Points along the middle of the text that stands on that side of ``point``."""
    half = _CHARACTER * len(label) / 2
    beside = _RADIUS if up == 0 else 0.0
    centre = point + np.array([right * (half + beside), up * _LINE])
    along = np.linspace(-half, half, 5)
    result: NDArray[np.float64] = centre + np.column_stack([along, np.zeros_like(along)])
    return result


def _clearance(text: NDArray[np.float64], taken: NDArray[np.float64]) -> float:
    """Distance to the nearest of ``taken``, but never more than a line; much less outside the plot."""
    # A label is wider than high, so that what is above or below may be nearer.
    distances = np.linalg.norm((text[:, None, :] - taken[None, :, :]) * np.array([2.0, 1.0]), axis=2)
    outside = float(np.maximum(-text, 0).max() + np.maximum(text - 1, 0).max())
    return min(float(distances.min()), _LINE) - 10 * outside
