"""Loading interactions from whatever holds them."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from paretoopt.data.events import Attributes, Ties, interactions_from
from paretoopt.data.interactions import Interactions
from paretoopt.data.known import KNOWN, unpacked
from paretoopt.data.sources import attributes_beside, data_file_in, read_attributes_file, read_events_file, stem_of
from paretoopt.data.tables import Columns, attributes_in, events_in
from paretoopt.errors import DataError

Source = str | os.PathLike[str] | pd.DataFrame


def load_interactions(
    source: Source,
    *,
    user_column: str | None = None,
    item_column: str | None = None,
    timestamp_column: str | None = None,
    user_attributes: Source | None = None,
    ties: Ties = "source",
) -> Interactions:
    """Read interactions from a file, a folder, a DataFrame, or a data set known by name.

    Understood, each plain or gzipped: RecBole's atomic files (``.inter``, with ``.user`` beside
    it), MovieLens' ``u.data``, ``ratings.dat`` and ``ratings.csv`` (with ``u.user`` or ``users.dat``
    beside it), SASRec's ``user item`` text or one line ``user item item ...`` per user, and
    delimited text with the columns' names on the first line; and Parquet. A folder has to hold one
    of them. Text without timestamps is in the order of time.

    Each user's events are sorted by time, those at one time by ``ties``. Duplicates and missing
    attributes are repaired, and counted in ``Interactions.repairs``; anything else that is wrong is
    an error.

    Args:
        source: A path, a table, or one of ``"ml-100k"``, ``"ml-1m"`` and ``"ml-latest-small"``,
            which are fetched once into the user's cache. A path of the same name goes first.
        user_column: The column of the users; None where it goes by a usual name, such as ``user_id``.
        item_column: The column of the items; None as above, such as ``item_id``.
        timestamp_column: The column of the times; None as above, such as ``timestamp``.
        user_attributes: A table of users or its file; None for the one beside the data, if any.
        ties: What decides between a user's events at one time: ``"source"``, their order in the
            source, or ``"item"``, the item id. Where many events share a time this decides which
            item is held out, so say which one you used. An order by item id is easier to learn
            than what users did: ascending ids are a pattern of their own.

    Raises:
        DataError: Something cannot be read, understood or fetched.
        MissingExtraError: A Parquet file is given, but pyarrow is not installed.

    >>> table = pd.DataFrame({"user": ["ann", "bob"], "item": ["tea", "tea"], "time": [1.5, 2.0]})
    >>> load_interactions(table)
    <Interactions 'table': 2 users, 1 items, 2 events>
    """
    columns = Columns(user_column, item_column, timestamp_column)
    attributes = None if user_attributes is None else _attributes_from(user_attributes, columns)
    if isinstance(source, pd.DataFrame):
        return interactions_from(events_in(source, columns, "table"), "table", attributes, ties=ties)
    path = Path(source)
    if path.exists():
        return _load_path(path, columns, attributes, ties)
    if str(source) in KNOWN:
        with unpacked(KNOWN[str(source)]) as folder:
            return _load_path(folder, columns, attributes, ties)
    raise DataError(
        f"{source} is neither a file, nor a folder, nor a known data set. Known are {', '.join(KNOWN)}; "
        "a path is taken from the current folder."
    )


def _load_path(path: Path, columns: Columns, attributes: Attributes | None, ties: Ties) -> Interactions:
    file = data_file_in(path) if path.is_dir() else path
    events = read_events_file(file, columns)
    if attributes is None:
        beside = attributes_beside(file)
        attributes = None if beside is None else read_attributes_file(beside, Columns())
    return interactions_from(events, stem_of(file), attributes, ties=ties)


def _attributes_from(source: Source, columns: Columns) -> Attributes:
    if isinstance(source, pd.DataFrame):
        return attributes_in(source, columns, "user_attributes")
    return read_attributes_file(Path(source), columns)
