"""Candidates from a table: a DataFrame, or a CSV file, with one configuration a row."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from paretoopt.candidate import Candidate
from paretoopt.errors import TableError
from paretoopt.front.named_numbers import named_measurements
from paretoopt.space import Params

_NUMBER, _PROBABILITY = "number", "probability_nondominated"


def read_csv(path: str | os.PathLike[str]) -> pd.DataFrame:
    """The table of a CSV file, gzipped or not.

    Raises:
        TableError: There is no such file, or no table in it.
    """
    try:
        header = pd.read_csv(path, header=None, nrows=1, dtype=str).iloc[0].tolist()
        frame = pd.read_csv(path)
    except FileNotFoundError as error:
        raise TableError(f"there is no file {os.fspath(path)}. Give the path of a CSV file.") from error
    except (OSError, ValueError) as error:  # pandas' errors of parsing are ValueErrors
        raise TableError(
            f"{os.fspath(path)} cannot be read as CSV: {error}. It needs a header line and one configuration a line."
        ) from error
    if len(header) == len(frame.columns):
        frame.columns = pd.Index(header)  # pandas renames the second column of a name, so that none would be missed
    return frame


def read_table(frame: pd.DataFrame, wanted: Collection[str], params: Collection[str] | None = None) -> list[Candidate]:
    """One candidate a row.

    Args:
        frame: Parameters and metrics by column, with ``<metric>_low`` and ``<metric>_high`` for the ends of 95 %
            intervals; ``number`` where rows are numbered, ``probability_nondominated`` where that is known.
        wanted: The metrics that there must be, the first of which stands after the parameters.
        params: The columns that are parameters; None for those before the first wanted metric, where ``to_frame`` puts
            them, and those that hold text or truth values.

    Raises:
        TableError: A column is missing or there twice, a metric is no number, or rows are the same configuration.
    """
    _check_columns(frame, [*wanted, *(params or ())])
    names = _parameters(frame, wanted) if params is None else list(params)
    metrics = [name for name in frame.columns if name not in {_NUMBER, _PROBABILITY, *names}]
    for metric in metrics:
        _check_numeric(frame[metric])
    for metric in wanted:
        if metric in names:
            raise TableError(f"{metric!r} is a parameter and a metric at once. Leave it out of params=.")
        if len(frame) and frame[metric].isna().all():
            raise TableError(f"column {metric!r} is empty in every row. Fill it in, or do without it.")
    numbers = _numbers(frame)
    candidates = [
        Candidate(
            number,
            {name: _plain(row[name]) for name in names if not pd.isna(row[name])},
            named_measurements({metric: float(row[metric]) for metric in metrics}, f"row {position}"),
            probability_nondominated=_probability(row),
        )
        for position, (number, row) in enumerate(zip(numbers, frame.to_dict("records"), strict=True))
    ]
    _refuse_repeated(candidates)
    return candidates


def _check_columns(frame: pd.DataFrame, needed: Collection[str]) -> None:
    columns = list(frame.columns)
    for name in columns:
        if not isinstance(name, str):
            raise TableError(f"a column is named {name!r}, which is no text. Name it: frame.rename(columns=str).")
        if columns.count(name) > 1:
            raise TableError(f"column {name!r} is there {columns.count(name)} times. Rename one, or leave it out.")
    for name in needed:
        if name not in columns:
            raise TableError(f"column {name!r} is missing. The columns are: {', '.join(columns)}.")


def _parameters(frame: pd.DataFrame, wanted: Collection[str]) -> list[str]:
    """The columns before the first metric, and all that cannot be metrics."""
    columns = [name for name in frame.columns if name not in (_NUMBER, _PROBABILITY)]
    first = min((columns.index(metric) for metric in wanted), default=0)
    return [
        name
        for position, name in enumerate(columns)
        if name not in wanted and (position < first or not _is_numeric(frame[name]))
    ]


def _is_numeric(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _check_numeric(column: pd.Series[Any]) -> None:
    if _is_numeric(column):
        return
    readable = pd.to_numeric(column, errors="coerce").notna()
    # One word in a column of a file makes text of all its numbers: the word is to blame, where there is one.
    unread = [place for place, is_read in enumerate(readable) if not is_read and not pd.isna(column.iloc[place])]
    for position, value in [(place, column.iloc[place]) for place in unread] or enumerate(column):
        if not pd.isna(value) and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise TableError(
                f"row {position}: {column.name} is {value!r}, which is no number. "
                f"Mend the cell, or name {column.name!r} in params= if it is a parameter."
            )


def _numbers(frame: pd.DataFrame) -> Sequence[int]:
    if _NUMBER not in frame.columns:
        return range(len(frame))
    column = pd.to_numeric(frame[_NUMBER], errors="coerce")
    for position, (value, number) in enumerate(zip(frame[_NUMBER], column, strict=True)):
        if math.isnan(number) or number != int(number):
            raise TableError(f"row {position}: number is {value!r}, which is no whole number. Leave the column out.")
    repeated = column[column.duplicated()]
    if len(repeated):
        raise TableError(f"number {int(repeated.iloc[0])} is there twice. Number the rows anew, or drop the column.")
    return [int(number) for number in column]


def _probability(row: Mapping[Any, Any]) -> float | None:
    value = row.get(_PROBABILITY)
    return None if value is None or pd.isna(value) else float(value)


def _refuse_repeated(candidates: Sequence[Candidate]) -> None:
    """Of two measurements of one configuration, a front would keep the luckier."""
    seen: dict[Params, int] = {}
    for position, candidate in enumerate(candidates):
        before = seen.setdefault(frozenset(candidate.params.items()), position)  # type: ignore[arg-type]  # hashable
        if before != position and candidate.params:
            listed = ", ".join(f"{name}={value}" for name, value in candidate.params.items())
            raise TableError(
                f"rows {before} and {position} are the same configuration ({listed}). Keep one or their mean, "
                "or name in params= the columns that tell them apart."
            )


def _plain(value: Any) -> Any:  # noqa: ANN401 (a cell of a table)
    """A number as Python's own."""
    return value.item() if hasattr(value, "item") else value
