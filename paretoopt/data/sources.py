"""Which format a file is in, and which file of a folder holds the data."""

from __future__ import annotations

import re
from pathlib import Path

from paretoopt.data.events import Attributes, Events
from paretoopt.data.numeric_text import read_ratings, read_sequences
from paretoopt.data.tables import (
    Columns,
    attributes_in,
    events_in,
    has_known_columns,
    read_attributes,
    read_events,
    read_parquet,
)
from paretoopt.data.text import read_text
from paretoopt.errors import DataError

_PARQUET = (".parquet", ".pq")
_DELIMITED = (".csv", ".tsv", ".inter")
_RATINGS = ("u.data", "ratings.dat")
_BARE_NUMBERS = re.compile(rb"\s*[+-]?\d+([ \t]+[+-]?\d+)*\s*")
_UNDERSTOOD = (
    "Understood are RecBole's .inter, MovieLens' u.data, ratings.dat and ratings.csv, `user item` text, "
    "delimited text with the columns' names on its first line, each plain or gzipped, and .parquet."
)
_MOVIELENS_USERS = {
    "u.user": ("user_id", "age", "gender", "occupation", "zip_code"),
    "users.dat": ("user_id", "gender", "age", "occupation", "zip_code"),
}


def read_events_file(path: Path, columns: Columns) -> Events:
    """The events of ``path``, by its name where that tells the format and by its first line otherwise.

    Raises:
        DataError: The format is not understood, or the content is not what the format asks for.
    """
    name = _plain_name(path)
    if name.endswith(_PARQUET):
        return events_in(read_parquet(path), columns, str(path))
    content = read_text(path)
    first_line = content.lstrip().split(b"\n", 1)[0]
    if name.endswith(_DELIMITED) or b":token" in first_line:
        return read_events(path, content, columns)
    if name in _RATINGS or b"::" in first_line:
        _refuse_columns(path, columns)
        return read_ratings(path, content)
    if _BARE_NUMBERS.fullmatch(first_line):
        _refuse_columns(path, columns)
        return read_sequences(path, content)
    if columns != Columns() or has_known_columns(path, content):
        return read_events(path, content, columns)
    shown = first_line[:60].decode(errors="replace")
    raise DataError(f"{path} starts with {shown!r}, which is no format that is understood. {_UNDERSTOOD}")


def read_attributes_file(path: Path, columns: Columns) -> Attributes:
    """What ``path`` says of users.

    Raises:
        DataError: It cannot be read, or has no column of users.
    """
    name = _plain_name(path)
    if name.endswith(_PARQUET):
        return attributes_in(read_parquet(path), columns, str(path))
    content = read_text(path)
    if name in _MOVIELENS_USERS:
        header = "|".join(_MOVIELENS_USERS[name]).encode()
        return read_attributes(path, header + b"\n" + content.replace(b"::", b"|"), Columns())
    return read_attributes(path, content, columns)


def data_file_in(folder: Path) -> Path:
    """The one file of ``folder`` that holds events.

    Files named as RecBole or MovieLens name them go first; without one, the only table or text.

    Raises:
        DataError: There is none, or more than one.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file())
    named = [path for path in files if _plain_name(path).endswith(".inter") or _plain_name(path) in _RATINGS]
    named += [path for path in files if _plain_name(path) == "ratings.csv"]
    others = [path for path in files if _plain_name(path).endswith((*_PARQUET, ".csv", ".tsv", ".txt"))]
    found = named or others
    if len(found) == 1:
        return found[0]
    if not found:
        raise DataError(f"{folder} holds no file of events. {_UNDERSTOOD}")
    listed = ", ".join(path.name for path in found)
    raise DataError(f"{folder} holds several files that may be the events: {listed}. Pass the path of one of them.")


def attributes_beside(path: Path) -> Path | None:
    """The file of users that belongs to ``path`` and lies beside it, if there is one."""
    name = _plain_name(path)
    if name.endswith(".inter"):
        wanted = name.removesuffix(".inter") + ".user"
    elif name in _RATINGS:
        wanted = {"u.data": "u.user", "ratings.dat": "users.dat"}[name]
    else:
        return None
    beside = (path.with_name(wanted), path.with_name(wanted + ".gz"))
    return next((each for each in beside if each.is_file()), None)


def stem_of(path: Path) -> str:
    """What the data in ``path`` are called: the file's name, or its folder's where all are named alike."""
    name = _plain_name(path)
    if name in (*_RATINGS, "ratings.csv"):
        return path.absolute().parent.name or name
    return Path(name).stem


def _plain_name(path: Path) -> str:
    return path.name.removesuffix(".gz")


def _refuse_columns(path: Path, columns: Columns) -> None:
    if columns != Columns():
        raise DataError(f"{path} has no named columns, so that {columns} cannot be found in it. Leave them out.")
