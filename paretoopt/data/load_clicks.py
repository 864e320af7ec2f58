"""Loading impressions with clicks from whatever holds them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.data.click_fields import (
    ClickTable,
    category_ids,
    learn_numeric_field,
    learn_vocabulary,
    transformed,
)
from paretoopt.data.click_tables import ClickColumns, click_table, read_click_file
from paretoopt.data.clicks import UNKNOWN, Clicks, Impressions
from paretoopt.errors import DataError

Source = str | os.PathLike[str] | pd.DataFrame


def load_clicks(
    source: Source,
    *,
    validation: Source | None = None,
    test: Source | None = None,
    label: str | None = None,
    numeric: Sequence[str] = (),
    ignore: Sequence[str] = (),
    least_count: int = 2,
    share: float = 0.1,
    seed: int = 0,
) -> Clicks:
    """Read impressions, clicked or not, from files or DataFrames.

    Understood, each plain or gzipped: libFM's ``label id:1 id:1 ...`` with the fields in one order (Frappe), Criteo's
    40 columns separated by tabs, and delimited text with the columns' names on the first line (Avazu); and Parquet.
    Fields are categorical but for those in ``numeric`` and Criteo's I1 to I13.

    Ids and scales come from training rows alone. A value that occurs less than ``least_count`` times there, or never,
    has its field's id 0, so that training prepares that id for new values. A missing category is a value like any
    other; a missing number is the mean. Numbers become ``sign(x) log(1 + |x|)``, standardised.

    Args:
        source: What is trained on, less the parts that are kept aside.
        validation: What searches see; None keeps ``share`` of the rows of ``source`` aside, drawn at random.
        test: What is reported; None as above. Where it has no header, that of ``source`` holds.
        label: The column of labels; None where it goes by a usual name, such as ``label`` or ``click``.
        numeric: Columns of numbers.
        ignore: Columns to leave out, such as row numbers.
        least_count: Rows of training in which a value must occur to have an id of its own.
        share: Share of the rows that is kept aside, from 0 to below 0.5.
        seed: Of the draw.

    Raises:
        DataError: Something cannot be read or understood.
        MissingExtraError: A Parquet file is given, but pyarrow is not installed.

    >>> table = pd.DataFrame({"user": ["ann", "bob"] * 50, "page": ["a", "a", "b", "b"] * 25, "click": [1, 0] * 50})
    >>> load_clicks(table)
    <Clicks 'table': 80 + 10 + 10 rows, 2 categorical and 0 numeric fields, 6 ids>
    """
    if type(least_count) is not int or least_count < 1:
        raise DataError(f"least_count must be a whole number from 1 on, but is {least_count!r}.")
    if not 0 < share < 0.5:
        raise DataError(f"share must be above 0 and below 0.5, but is {share!r}.")
    columns = ClickColumns(label, tuple(numeric), tuple(ignore))
    name = _name_of(source)
    first, columns = _read(source, columns)
    given = [None if each is None else _read(each, columns)[0] for each in (validation, test)]
    train, *kept = _parts(first, given, share, seed)
    for part in kept:
        _refuse_other_columns(train, part, name)
    return clicks_from(train, *kept, least_count=least_count, name=name)


def clicks_from(train: ClickTable, validation: ClickTable, test: ClickTable, *, least_count: int, name: str) -> Clicks:
    """The three parts in ids and numbers, by rules learnt from ``train``.

    Raises:
        DataError: A field has nothing to learn from, or a part cannot be measured on.
    """
    vocabularies = {
        column: learn_vocabulary(train.table[column], least_count=least_count, name=name)
        for column in train.categorical
    }
    numeric_fields = tuple(learn_numeric_field(train.table[column], name=name) for column in train.numeric)

    def impressions(part: ClickTable) -> Impressions:
        n_rows = len(part.labels)
        ids = [category_ids(part.table[column], vocabulary) for column, vocabulary in vocabularies.items()]
        numbers = [transformed(part.table[each.name], each) for each in numeric_fields]
        return Impressions(
            labels=part.labels,
            categories=np.stack(ids, axis=1) if ids else np.zeros((n_rows, 0), np.int64),
            numbers=np.stack(numbers, axis=1) if numbers else np.zeros((n_rows, 0), np.float32),
        )

    parts = [impressions(part) for part in (train, validation, test)]
    return Clicks(
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        vocabularies=vocabularies,
        numeric_fields=numeric_fields,
        name=name,
        repairs={
            "rare_values_folded": int((parts[0].categories == UNKNOWN).sum()),
            "missing_numbers_filled": sum(
                int(part.table[[*part.numeric]].isna().to_numpy().sum()) for part in (train, validation, test)
            ),
        },
    )


def _read(source: Source, columns: ClickColumns) -> tuple[ClickTable, ClickColumns]:
    """The table of ``source``, and the columns with the header that it has."""
    name = _name_of(source)
    table = source if isinstance(source, pd.DataFrame) else read_click_file(Path(source), columns)
    header = columns.header or tuple(str(column) for column in table.columns)
    return click_table(table, columns, name), ClickColumns(columns.label, columns.numeric, columns.ignore, header)


def _parts(
    first: ClickTable, given: Sequence[ClickTable | None], share: float, seed: int
) -> tuple[ClickTable, ClickTable, ClickTable]:
    """Training, validation and test rows; what is not given is drawn from ``first``."""
    n_rows = len(first.labels)
    order = np.random.default_rng(seed).permutation(n_rows)
    n_kept = round(share * n_rows)
    parts: list[ClickTable] = []
    for part in given:
        if part is None:
            parts.append(_rows(first, order[:n_kept]))
            order = order[n_kept:]
        else:
            parts.append(part)
    return _rows(first, np.sort(order)), parts[0], parts[1]


def _rows(table: ClickTable, rows: NDArray[np.int64]) -> ClickTable:
    return ClickTable(table.labels[rows], table.table.iloc[rows].reset_index(drop=True), table.numeric)


def _refuse_other_columns(train: ClickTable, part: ClickTable, name: str) -> None:
    missing = sorted({*train.table.columns} ^ {*part.table.columns})
    if missing:
        raise DataError(f"{name}: the parts differ in {', '.join(map(repr, missing))}. Give all of them one header.")


def _name_of(source: Source) -> str:
    return "table" if isinstance(source, pd.DataFrame) else Path(source).name.removesuffix(".gz").rpartition(".")[0]
