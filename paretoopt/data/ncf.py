"""The files of He et al. 2017, "Neural Collaborative Filtering": training pairs, test items, test negatives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paretoopt.data.events import Events
from paretoopt.data.negatives import draw_distinct_negatives, is_repeated, pair_keys
from paretoopt.data.numeric_text import read_ratings
from paretoopt.data.slate_sampling import mixed
from paretoopt.data.slates import SlateData
from paretoopt.data.split import Split, count_repeated
from paretoopt.data.text import numbers_in, read_text
from paretoopt.errors import DataError


def load_ncf(folder: str | Path, *, seed: int = 0) -> SlateData:
    """Read ``NAME.train.rating``, ``NAME.test.rating`` and ``NAME.test.negative``, each plain or gzipped.

    Test slates are the published ones. A negative that is the test item itself, or occurs twice, is left out (the
    paper's own evaluation holds scores by item, so that duplicates collapse); such slates are shorter, and
    ``repairs`` of the split counts them. As in the paper one training pair of each user, drawn at random, is
    held out for validation, here among as many negatives drawn with ``seed``.

    Args:
        folder: Where the files are.
        seed: Of the validation items and slates.

    Raises:
        DataError: A file is missing or not of this form, or a user has fewer than two training pairs.
    """
    paths = {ending: _file(Path(folder), ending) for ending in ("train.rating", "test.rating", "test.negative")}
    train, test = (read_ratings(paths[each], read_text(paths[each])) for each in ("train.rating", "test.rating"))
    targets = _test_items(paths["test.rating"], test)
    negatives = _negatives(paths["test.negative"], test)
    users, items = _by_user(paths["train.rating"], train, len(targets))
    n_items = 1 + int(max(items.max(), targets.max(), negatives.max()))
    random = np.random.default_rng(seed)
    known = pair_keys(np.append(users, np.arange(len(targets))), np.append(items, targets), n_items)
    is_dropped = (negatives == targets[:, None]) | is_repeated(negatives)
    split = _split(
        paths["train.rating"].name.split(".")[0],
        (users, items, targets),
        n_items,
        {"duplicate_negatives_dropped": int(is_dropped.sum())},
        random,
    )
    drawn = draw_distinct_negatives(len(targets), known, n_items, negatives.shape[1], random)
    return SlateData(
        split=split,
        validation=mixed(split.validation_items, drawn, random),
        test=mixed(targets, _closed_up(negatives, is_dropped), random),
    )


def _split(
    name: str,
    events: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    n_items: int,
    repairs: dict[str, int],
    random: np.random.Generator,
) -> Split:
    users, items, targets = events
    sizes = np.bincount(users, minlength=len(targets))
    held_out = np.cumsum(sizes) - sizes + random.integers(sizes)
    train = np.delete(items, held_out)
    return Split(
        train_items=train,
        train_offsets=np.concatenate([[0], np.cumsum(sizes - 1)]),
        validation_items=items[held_out],
        test_items=targets,
        user_ids=np.arange(len(targets)),
        item_ids=np.arange(n_items),
        n_repeated_targets=count_repeated(train, sizes - 1, items[held_out], targets),
        name=name,
        repairs=repairs,
    )


def _file(folder: Path, ending: str) -> Path:
    found = sorted(path for path in folder.glob("*") if path.name.removesuffix(".gz").endswith(f".{ending}"))
    if len(found) != 1:
        listed = ", ".join(path.name for path in found) or "none"
        raise DataError(f"{folder} needs one file *.{ending}, plain or gzipped, but has {listed}.")
    return found[0]


def _test_items(path: Path, test: Events) -> NDArray[np.int64]:
    users = test.users.to_numpy()
    if not np.array_equal(users, np.arange(len(users))):
        raise DataError(f"{path} must have one line per user, in the order of their numbers 0, 1, 2, ...")
    return test.items.to_numpy()


def _negatives(path: Path, test: Events) -> NDArray[np.int64]:
    """The published negatives, one row per line of the test file."""
    values, lines = numbers_in(path, read_text(path), separators=b"(),")
    numbers, widths = np.unique(lines, return_counts=True)
    if widths.min() != widths.max() or widths[0] < 3:
        line = int(numbers[np.argmax(widths != widths[0])])
        raise DataError(f"{path}, line {line}: every line needs `(user,item)` and then the same number of negatives.")
    table = values.reshape(len(numbers), -1).astype(np.int64)
    if not np.array_equal(table[:, :2], np.stack([test.users, test.items], axis=1)):
        raise DataError(f"{path} does not name the test items' users and items in their order: get both files anew.")
    return table[:, 2:]


def _by_user(path: Path, train: Events, n_users: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Users and items of the training pairs, sorted by user, then time; the file's order where times are equal."""
    users, items = train.users.to_numpy(), train.items.to_numpy()
    order = np.lexsort((np.asarray(train.timestamps), users))
    counts = np.bincount(users, minlength=n_users)
    if len(counts) > n_users or counts.min() < 2:
        user = n_users if len(counts) > n_users else int(counts.argmin())
        raise DataError(f"{path}: user {user} needs two training pairs or more, and a test item.")
    return users[order], items[order]


def _closed_up(negatives: NDArray[np.int64], is_dropped: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The negatives with those that are dropped replaced by -1 on the right."""
    order = np.argsort(is_dropped, axis=1, kind="stable")
    return np.take_along_axis(np.where(is_dropped, -1, negatives), order, axis=1)
