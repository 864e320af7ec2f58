"""Texts of bare numbers: SASRec's ``user item``, a sequence per user, and MovieLens' ratings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.data.events import Events
from paretoopt.data.text import numbers_in
from paretoopt.errors import DataError

_RATING_FIELDS = 4


def read_ratings(path: Path, content: bytes) -> Events:
    """Events of MovieLens' ``u.data`` or ``ratings.dat``: user, item, rating and timestamp on each line.

    Raises:
        DataError: A line has other than four numbers, or an id that is not whole.
    """
    values, lines = numbers_in(path, content, separators=b":")
    numbers, widths = np.unique(lines, return_counts=True)
    wrong = np.flatnonzero(widths != _RATING_FIELDS)
    if len(wrong):
        raise DataError(
            f"{path}, line {numbers[wrong[0]]}: {widths[wrong[0]]} numbers, "
            "but this format has four on each line: user, item, rating and timestamp."
        )
    table = values.reshape(-1, _RATING_FIELDS)
    users, items = (_whole(path, table[:, column], numbers) for column in (0, 1))
    return Events(pd.Series(users), pd.Series(items), pd.Series(table[:, 3]))


def read_sequences(path: Path, content: bytes) -> Events:
    """Events of ``user item`` lines, or of one line ``user item item ...`` per user, oldest first.

    The order in the file is the order in time. Lines of two numbers mean the same in both layouts.
    Longer lines are taken as sequences only where no user has two lines and the lines differ in
    length: a table without a header looks alike otherwise.

    Raises:
        DataError: A line has fewer than two numbers, an id is not whole, or the layout is not clear.
    """
    values, lines = numbers_in(path, content)
    ids = _whole(path, values, lines)
    numbers, first, widths = np.unique(lines, return_index=True, return_counts=True)
    if widths.min() < 2:
        line = numbers[np.argmax(widths < 2)]
        raise DataError(f"{path}, line {line}: one number, but each line needs a user and at least one item.")
    if widths.max() > 2:
        _refuse_a_table(path, ids[first], numbers, widths)
    is_item = np.ones(len(ids), dtype=bool)
    is_item[first] = False
    return Events(pd.Series(np.repeat(ids[first], widths - 1)), pd.Series(ids[is_item]))


def _refuse_a_table(
    path: Path, users: NDArray[np.int64], numbers: NDArray[np.int64], widths: NDArray[np.int64]
) -> None:
    remedy = "For a table, write the columns' names on its first line."
    if widths.min() == widths.max():
        raise DataError(
            f"{path}: every line has {widths[0]} numbers, so it may be a table as well as one sequence per user. "
            f"{remedy} For sequences, write one `user item` per line."
        )
    again = np.flatnonzero(pd.Series(users).duplicated())
    if len(again):
        raise DataError(
            f"{path}, line {numbers[again[0]]}: {users[again[0]]} starts a line for the second time, but with more "
            f"than two numbers on a line each user has one line, `user item item ...`. {remedy}"
        )


def _whole(path: Path, values: NDArray[np.float64], lines: NDArray[np.int64]) -> NDArray[np.int64]:
    broken = np.flatnonzero(values != np.round(values))
    if len(broken):
        raise DataError(
            f"{path}, line {lines[broken[0]]}: {values[broken[0]]:g} is no id; this format has whole numbers for ids."
        )
    return values.astype(np.int64)
