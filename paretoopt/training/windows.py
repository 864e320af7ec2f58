"""Cutting item sequences into windows of fixed length, so that every event is predicted once an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BATCHES_PER_POOL = 16


@dataclass(frozen=True)
class Windows:
    """Training examples: each position's item and the one that comes next.

    Attributes:
        inputs: Item ids of shape ``(n_windows, length)``, padded with 0 on the left.
        targets: The next item at each position, 0 where there is none; same shape.
    """

    inputs: NDArray[np.int64]
    targets: NDArray[np.int64]


def cut_windows(
    items: NDArray[np.int64], offsets: NDArray[np.int64], length: int, random: np.random.Generator
) -> Windows:
    """Cut every user's sequence into windows at places drawn anew at each call.

    Every event but a user's first is a target exactly once.

    Args:
        items: Item ids from 1, all users' sequences one after the other.
        offsets: Where each user's sequence starts, and the end of the last; shape ``(n_users + 1,)``.
        length: Positions in a window.
        random: Draws where the cuts fall.
    """
    sizes = np.diff(offsets)
    n_targets = np.maximum(sizes - 1, 0)
    users = np.repeat(np.arange(len(sizes)), n_targets)
    # Targets counted from the end of the user's sequence: 0 is the last event.
    first_target = np.repeat(np.cumsum(n_targets) - n_targets, n_targets)
    from_end = n_targets[users] - 1 - (np.arange(len(users)) - first_target)
    # The newest window holds between 1 and `length` targets, the older ones `length` each.
    newest = np.where(n_targets > length, random.integers(1, length + 1, size=len(sizes)), length)[users]
    window = np.where(from_end < newest, 0, 1 + (from_end - newest) // length)
    column = length - 1 - np.where(from_end < newest, from_end, (from_end - newest) % length)
    rows = _row_numbers(users, window)
    inputs = np.zeros((rows[-1] + 1 if len(rows) else 0, length), dtype=np.int64)
    targets = np.zeros_like(inputs)
    positions = offsets[1:][users] - 1 - from_end
    inputs[rows, column] = items[positions - 1]
    targets[rows, column] = items[positions]
    return Windows(inputs, targets)


def shuffled_batches(windows: Windows, batch_size: int, random: np.random.Generator) -> Iterator[Windows]:
    """Batches in random order, windows of like length together and trimmed to the longest of them."""
    order = random.permutation(len(windows.inputs))
    filled = (windows.targets != 0).sum(1)
    pools = [
        pool[np.argsort(filled[pool], kind="stable")]
        for pool in np.array_split(order, max(1, len(order) // (batch_size * _BATCHES_PER_POOL)))
    ]
    batches = [pool[i : i + batch_size] for pool in pools for i in range(0, len(pool), batch_size)]
    for index in random.permutation(len(batches)):
        rows = batches[index]
        longest = filled[rows].max()
        yield Windows(windows.inputs[rows, -longest:], windows.targets[rows, -longest:])


def _row_numbers(users: NDArray[np.int64], window: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the runs of equal (user, window)."""
    starts = np.empty(len(users), dtype=bool)
    starts[:1] = True
    starts[1:] = (users[1:] != users[:-1]) | (window[1:] != window[:-1])
    rows: NDArray[np.int64] = np.cumsum(starts) - 1
    return rows
