"""Training windows."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.training.windows import Windows, cut_windows, shuffled_batches

sequences = st.lists(st.integers(0, 40), min_size=1, max_size=12)


def cut(sizes: list[int], length: int, seed: int) -> tuple[np.ndarray, np.ndarray, Windows]:
    """Windows over sequences of these sizes, every event with an item id of its own."""
    items = np.arange(1, sum(sizes) + 1)
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return items, offsets, cut_windows(items, offsets, length, np.random.default_rng(seed))


@given(sizes=sequences, length=st.integers(1, 15), seed=st.integers(0, 99))
def test_every_event_but_the_first_is_a_target_once(sizes: list[int], length: int, seed: int) -> None:
    """No event is predicted twice, none is left out, and no user's first one is a target."""
    items, offsets, windows = cut(sizes, length, seed)

    wanted = set(items.tolist()) - {int(items[start]) for start, size in zip(offsets, sizes, strict=False) if size}
    targets = Counter(windows.targets[windows.targets > 0].tolist())
    assert set(targets) == wanted
    assert all(count == 1 for count in targets.values())


@given(sizes=sequences, length=st.integers(1, 15), seed=st.integers(0, 99))
def test_the_input_of_a_target_is_the_event_before_it(sizes: list[int], length: int, seed: int) -> None:
    """Each position holds the event right before its target, and padding where there is no target."""
    _, _, windows = cut(sizes, length, seed)

    real = windows.targets > 0
    assert (windows.inputs[real] == windows.targets[real] - 1).all()
    assert (windows.inputs[~real] == 0).all()


@given(sizes=sequences, length=st.integers(1, 15), seed=st.integers(0, 99))
def test_windows_are_padded_on_the_left_alone(sizes: list[int], length: int, seed: int) -> None:
    """Once a window has begun it holds events to its end, as a request does."""
    _, _, windows = cut(sizes, length, seed)

    assert (windows.inputs[:, -1:] > 0).all()
    assert (np.diff((windows.inputs > 0).astype(int), axis=1) >= 0).all()


@given(sizes=sequences, batch_size=st.integers(1, 7), seed=st.integers(0, 99))
def test_batches_hold_every_window_once(sizes: list[int], batch_size: int, seed: int) -> None:
    """Shuffling and trimming lose no target and repeat none."""
    _, _, windows = cut(sizes, 8, seed)

    batches = list(shuffled_batches(windows, batch_size, np.random.default_rng(seed)))

    kept = np.concatenate([batch.targets.ravel() for batch in batches]) if batches else np.array([])
    assert sorted(kept[kept > 0]) == sorted(windows.targets[windows.targets > 0])
    assert all(len(batch.inputs) <= batch_size for batch in batches)


def test_cuts_fall_elsewhere_in_every_epoch() -> None:
    """Long sequences are cut at other places when the generator has moved on."""
    items, offsets = np.arange(1, 101), np.array([0, 100])
    random = np.random.default_rng(0)

    first, second = (cut_windows(items, offsets, 10, random) for _ in range(2))

    assert first.inputs.shape != second.inputs.shape or not np.array_equal(first.inputs, second.inputs)
