"""From the fields of a table to ids and numbers, by rules that training rows alone decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.data.clicks import UNKNOWN, NumericField
from paretoopt.errors import DataError


@dataclass(frozen=True, eq=False)
class ClickTable:
    """Impressions as they stand in a source.

    Attributes:
        labels: 1 for a click, 0 for none; shape ``(n_rows,)``.
        table: The categorical fields as text, the numeric ones as float64, NaN where one is missing.
        numeric: The names of the numeric fields.
    """

    labels: NDArray[np.int64]
    table: pd.DataFrame
    numeric: tuple[str, ...]

    @property
    def categorical(self) -> tuple[str, ...]:
        """The names of the categorical fields."""
        return tuple(column for column in self.table.columns if column not in self.numeric)


def learn_vocabulary(values: pd.Series, *, least_count: int, name: str) -> tuple[str, ...]:
    """The values that occur at least ``least_count`` times, sorted.

    Raises:
        DataError: No value does.
    """
    counts = values.value_counts()
    kept = sorted(counts.index[counts >= least_count])
    if not kept:
        raise DataError(
            f"{name}: no value of field {values.name!r} occurs {least_count} times in training, as in a column of row "
            f"numbers. Leave it out: load_clicks(..., ignore=[{values.name!r}]); or lower least_count."
        )
    return tuple(kept)


def learn_numeric_field(values: pd.Series, *, name: str) -> NumericField:
    """The mean and standard deviation of the logarithms of ``values``; missing ones do not count.

    Raises:
        DataError: All are missing, or equal.
    """
    logarithms = _signed_logarithm(values.to_numpy(dtype=np.float64))
    known = logarithms[np.isfinite(logarithms)]
    if not len(known) or known.min() == known.max():
        raise DataError(
            f"{name}: numeric field {values.name!r} has no two different values in training. "
            f"Leave it out: load_clicks(..., ignore=[{values.name!r}])."
        )
    return NumericField(str(values.name), float(known.mean()), float(known.std()))


def category_ids(values: pd.Series, vocabulary: Sequence[str]) -> NDArray[np.int64]:
    """The id of each value: its place in ``vocabulary`` from 1 on, or ``UNKNOWN``."""
    ids: NDArray[np.int64] = pd.Index(vocabulary).get_indexer(pd.Index(values)).astype(np.int64) + 1
    return np.where(ids > 0, ids, UNKNOWN)


def transformed(values: pd.Series, numeric_field: NumericField) -> NDArray[np.float32]:
    """``values`` standardised as ``numeric_field`` says; 0, the mean, where one is missing."""
    logarithms = _signed_logarithm(values.to_numpy(dtype=np.float64))
    standardised = (logarithms - numeric_field.mean) / numeric_field.deviation
    return np.nan_to_num(standardised, nan=0.0).astype(np.float32)


def _signed_logarithm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts are skewed, and some (Criteo's I2) go below 0."""
    logarithms: NDArray[np.float64] = np.sign(values) * np.log1p(np.abs(values))
    return logarithms
