"""Tables of impressions: libFM text, Criteo's tab-separated files, CSV with a header, Parquet and DataFrames."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.data.click_fields import ClickTable
from paretoopt.data.tables import read_parquet
from paretoopt.data.text import read_text
from paretoopt.errors import DataError

_CRITEO_NUMERIC = tuple(f"I{number}" for number in range(1, 14))
_CRITEO = ("label", *_CRITEO_NUMERIC, *(f"C{number}" for number in range(1, 27)))
_LABELS = ("label", "click", "clicked", "is_click")
_LIBFM = re.compile(r"\s*[+-]?[0-9.]+(\s+\S+:[^\s:]+)+\s*")
_NEGATIVE = ("0", "-1", "0.0", "-1.0", "false")
_POSITIVE = ("1", "+1", "1.0", "+1.0", "true")


@dataclass(frozen=True)
class ClickColumns:
    """Which columns of a table are what.

    Attributes:
        label: The column of labels; None for one that goes by a usual name.
        numeric: Columns that hold numbers; all others are categorical.
        ignore: Columns to leave out.
        header: The names of the columns where a file's first line may not hold them.
    """

    label: str | None = None
    numeric: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    header: tuple[str, ...] | None = None


def read_click_file(path: Path, columns: ClickColumns) -> pd.DataFrame:
    """All columns of a file as text; an empty cell is the empty text.

    Raises:
        DataError: The file cannot be read, or is in no format that is understood.
    """
    if path.name.endswith((".parquet", ".pq")):
        return read_parquet(path)
    try:
        text = read_text(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}). Save it as UTF-8.") from error
    first = text.lstrip("\r\n").split("\n", 1)[0].rstrip("\r")
    if _LIBFM.fullmatch(first):
        return _libfm(path, text)
    separator = "\t" if "\t" in first else ","
    cells = next(csv.reader([first], delimiter=separator), [])
    return _delimited(path, text, separator, _header(path, cells, columns))


def click_table(table: pd.DataFrame, columns: ClickColumns, name: str) -> ClickTable:
    """The labels and fields of ``table``.

    Raises:
        DataError: A column is missing, or holds what it may not.
    """
    names = [str(column) for column in table.columns]
    table = table.set_axis(names, axis=1).reset_index(drop=True)
    label = columns.label or next((each for each in names if each.lower() in _LABELS), None)
    for column in (label or _LABELS[0], *columns.numeric, *columns.ignore):
        if column not in names:
            raise DataError(f"{name} has no column {column!r}. It has {', '.join(map(repr, names))}.")
    # Criteo's files bear no names, so what is numeric in them cannot be told but from the format.
    numeric = columns.numeric or (_CRITEO_NUMERIC if tuple(names) == _CRITEO else ())
    numeric = tuple(column for column in numeric if column not in columns.ignore)
    fields = [column for column in names if column != label and column not in columns.ignore]
    converted = {
        column: _numbers(table[column], name) if column in numeric else _text(table[column]) for column in fields
    }
    return ClickTable(_labels(table[label], name), pd.DataFrame(converted, index=table.index), numeric)


def _header(path: Path, cells: Sequence[str], columns: ClickColumns) -> tuple[str, ...] | None:
    """The names of the columns where the first line holds data; None where it holds the names."""
    if columns.header is not None and len(cells) == len(columns.header):
        return None if tuple(cells) == columns.header else columns.header
    if len(cells) == len(_CRITEO) and cells[0] in ("0", "1"):
        return _CRITEO
    known = {columns.label} if columns.label else {*_LABELS}
    if not known & {cell if columns.label else cell.lower() for cell in cells}:
        shown = ", ".join(cells[:6])
        raise DataError(
            f"{path} starts with {shown!r}, which is no format that is understood. Understood are libFM's "
            "`label id:1 id:1 ...`, Criteo's 40 columns separated by tabs, and delimited text with the columns' names "
            "on its first line, each plain or gzipped, and .parquet. Name the labels: load_clicks(..., label=...)."
        )
    return None


def _delimited(path: Path, text: str, separator: str, header: tuple[str, ...] | None) -> pd.DataFrame:
    try:
        return pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=0 if header is None else None,
            names=header,
            dtype=str,
            keep_default_na=False,
            index_col=False,
        )
    except ValueError as error:
        raise DataError(f"{path} cannot be read as a table: {error}. Mend or drop the row.") from error


def _libfm(path: Path, text: str) -> pd.DataFrame:
    """One token per field on each line, always in the same order: field ``i`` is the token at place ``i``."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    width = len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise DataError(
                f"{path}, row {number}: {len(row) - 1} fields, but {width - 1} in row 1. Only files with one value of "
                "every field in every row are understood."
            )
    table = pd.DataFrame(rows, columns=["label", *(f"field_{number}" for number in range(width - 1))])
    for column in table.columns[1:]:
        parts = table[column].str.partition(":")
        broken = pd.to_numeric(parts[2], errors="coerce").to_numpy() != 1
        if broken.any():
            place = int(np.argmax(broken))
            raise DataError(
                f"{path}, row {place + 1}: {table[column].iloc[place]!r} has a value other than 1. "
                "Only categorical fields, written id:1, are understood; bring numbers as CSV."
            )
        table[column] = parts[0]
    return table


def _labels(column: pd.Series, name: str) -> NDArray[np.int64]:
    text = column.astype(str).str.strip().str.lower()
    clicked = text.isin(_POSITIVE).to_numpy()
    broken = ~clicked & ~text.isin(_NEGATIVE).to_numpy()
    if broken.any():
        row = int(np.argmax(broken)) + 1
        raise DataError(f"{name}: row {row} has label {str(column.iloc[row - 1])!r}. Labels are 1, and 0 or -1.")
    return clicked.astype(np.int64)


def _numbers(column: pd.Series, name: str) -> pd.Series:
    text = column.astype(object).where(column.notna(), "")
    missing = text == ""
    numbers = pd.to_numeric(text.where(~missing, "nan"), errors="coerce").astype(np.float64)
    broken = ~np.isfinite(numbers.to_numpy()) & ~missing.to_numpy()
    if broken.any():
        row = int(np.argmax(broken)) + 1
        raise DataError(f"{name}: row {row} has {column.iloc[row - 1]!r} in numeric field {column.name!r}.")
    return numbers


def _text(column: pd.Series) -> pd.Series:
    """Values as text; a missing one is the empty text, a value like any other."""
    return column.astype(object).where(column.notna(), "").astype(str)
