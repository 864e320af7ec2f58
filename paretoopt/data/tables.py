"""Tables with named columns: CSV, RecBole's atomic files, Parquet and DataFrames."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from paretoopt.data.events import Attributes, Events
from paretoopt.errors import DataError, MissingExtraError

_KNOWN_NAMES: Mapping[str, tuple[str, ...]] = {
    "user": ("userid", "user", "sessionid", "session"),
    "item": ("itemid", "item", "movieid", "productid"),
    "timestamp": ("timestamp", "time"),
}
_SEPARATORS = ("\t", ",", ";", "|")


@dataclass(frozen=True)
class Columns:
    """The names of the columns to read; None for one that goes by a usual name."""

    user: str | None = None
    item: str | None = None
    timestamp: str | None = None


def events_in(table: pd.DataFrame, columns: Columns, name: str) -> Events:
    """The events of a table, a row each.

    Raises:
        DataError: A column is missing.
    """
    names = list(table.columns)
    return Events(*(table[_find(what, getattr(columns, what), names, name)] for what in ("user", "item", "timestamp")))


def attributes_in(table: pd.DataFrame, columns: Columns, name: str) -> Attributes:
    """The users of a table and everything else that it says of them.

    Raises:
        DataError: No column, nor the index, holds the users.
    """
    if table.index.name is not None:
        table = table.reset_index()
    user = _find("user", columns.user, list(table.columns), name)
    return Attributes(table[user], table.drop(columns=[user]))


def read_events(path: Path, content: bytes, columns: Columns) -> Events:
    """The events of a delimited text whose first line names the columns.

    Raises:
        DataError: A column is missing, or a row does not fit the header.
    """
    header = _header(path, content)
    named = {what: _find(what, getattr(columns, what), list(header), str(path)) for what in _KNOWN_NAMES}
    labels = {what: header[name] for what, name in named.items()}
    text = {labels["user"]: str, labels["item"]: str}
    table = _read(path, content, dtype=text)
    return Events(*(table[labels[what]] for what in _KNOWN_NAMES))


def read_attributes(path: Path, content: bytes, columns: Columns) -> Attributes:
    """The users of a delimited text and everything else that it says of them.

    What RecBole's header calls ``token`` stays text.
    """
    header = _header(path, content)
    user = header[_find("user", columns.user, list(header), str(path))]
    tokens = {label: str for label in header.values() if ":token" in label}
    table = _read(path, content, dtype={**tokens, user: str})
    return Attributes(table[user], table.drop(columns=[user]).rename(columns=lambda label: label.partition(":")[0]))


def read_parquet(path: Path) -> pd.DataFrame:
    """The whole table.

    Raises:
        DataError: The file is no readable Parquet.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        return pd.read_parquet(path)
    except ImportError as error:
        raise MissingExtraError(f"reading {path} needs pyarrow: pip install 'paretoopt[parquet]'.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as Parquet ({error}). Write it again.") from error


def has_known_columns(path: Path, content: bytes) -> bool:
    """Whether the first line names a column of users and one of items in a usual way."""
    plain = {_plain(label) for label in _labels(path, content)}
    return all(plain & set(_KNOWN_NAMES[what]) for what in ("user", "item"))


def _find(what: str, wanted: str | None, names: list[str], source: str) -> str:
    if wanted is not None:
        if wanted in names:
            return wanted
        raise DataError(f"{source} has no column {wanted!r}. It has {_listed(names)}.")
    plain = {_plain(name): name for name in reversed(names)}
    for known in _KNOWN_NAMES[what]:
        if known in plain:
            return plain[known]
    raise DataError(
        f"{source} has no column that is known to hold the {what}. It has {_listed(names)}. "
        f"Name it: load_interactions(..., {what}_column=...)."
    )


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names) or "none"


def _plain(name: Hashable) -> str:
    return re.sub(r"[^a-z]", "", str(name).lower())


def _header(path: Path, content: bytes) -> dict[str, str]:
    """Each column's name, and the label that it has in the file: ``user_id`` for ``user_id:token``."""
    labels = _labels(path, content)
    twice = {label for label in labels if labels.count(label) > 1}
    if twice:
        raise DataError(f"{path} has several columns called {min(twice)!r}. Rename all but one.")
    return {label.partition(":")[0] if ":" in label else label: label for label in labels}


def _labels(path: Path, content: bytes) -> list[str]:
    separator, quoting = _dialect(content)
    try:
        first = content.lstrip(b"\r\n").split(b"\n", 1)[0].decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}). Save it as UTF-8.") from error
    return next(csv.reader([first], delimiter=separator, quoting=quoting), [])


def _dialect(content: bytes) -> tuple[str, Literal[0, 3]]:
    """The separator, and `csv`'s code of what quotes mean: nothing (3) in RecBole's files."""
    first = content.lstrip(b"\r\n").split(b"\n", 1)[0].decode(errors="replace")
    separator = max(_SEPARATORS, key=first.count)
    return separator, 3 if ":token" in first else 0


def _read(path: Path, content: bytes, *, dtype: Mapping[str, type[str]]) -> pd.DataFrame:
    separator, quoting = _dialect(content)
    try:
        with warnings.catch_warnings():
            # Rows longer than the header would be cut off: pandas warns of it, but with usecols it does not.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                io.BytesIO(content),
                sep=separator,
                quoting=quoting,
                dtype=dict(dtype),
                keep_default_na=False,
                index_col=False,
                encoding="utf-8-sig",
                low_memory=False,
            )
    except (ValueError, pd.errors.ParserWarning) as error:
        raise DataError(f"{path} cannot be read as a table: {error}. Mend or drop the row.") from error
