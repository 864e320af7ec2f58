"""From events as they were read to interactions in dense ids: checks, stated repairs, order."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.data.content import Ids
from paretoopt.data.interactions import Interactions
from paretoopt.errors import DataError

Ties = Literal["item", "source"]
"""What decides the order of a user's events at one time: the item id, or the order in the source."""

_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")


@dataclass(frozen=True, eq=False)
class Events:
    """Events as they stand in a source, one per row, nothing checked yet.

    Attributes:
        users: Original user ids.
        items: Original item ids.
        timestamps: When; None where the order of the rows is the order in time.
    """

    users: pd.Series
    items: pd.Series
    timestamps: pd.Series | None = None


@dataclass(frozen=True, eq=False)
class Attributes:
    """What is known of users, as it stands in a source.

    Attributes:
        users: Original user ids, one per row of ``table``.
        table: The attributes.
    """

    users: pd.Series
    table: pd.DataFrame


def interactions_from(
    events: Events, name: str, attributes: Attributes | None = None, *, ties: Ties = "source"
) -> Interactions:
    """Number users and items in the order of their original ids, and sort the events.

    Events that agree in user, item and timestamp are one event: the others are dropped and counted
    as ``duplicate_events_dropped``. Users without a row of attributes get missing values, counted
    as ``users_without_attributes``.

    Args:
        events: What was read.
        name: What the data are called in messages.
        attributes: What is known of users; rows of users without events are left out.
        ties: What decides the order of a user's events at one time.

    Raises:
        DataError: There is no event, an id is missing, or a timestamp is no finite number, or ``ties`` is
            unknown.
    """
    if ties not in ("item", "source"):
        raise DataError(f"ties={ties!r} is not known. Use 'item' or 'source'.")
    if not len(events.users):
        raise DataError(f"{name} holds no events. Give it at least one.")
    users, user_ids = dense_ids(events.users, "user", name)
    items, item_ids = dense_ids(events.items, "item", name)
    timestamps = _timestamps(events.timestamps, len(users), name)
    order = np.lexsort((items, timestamps, users) if ties == "item" else (timestamps, users))
    users, items, timestamps = users[order], items[order], timestamps[order]
    is_new = _is_new(users, items, timestamps)
    table, n_unknown = _attribute_table(attributes, user_ids, name)
    return Interactions(
        users=users[is_new],
        items=items[is_new],
        timestamps=timestamps[is_new],
        user_ids=user_ids,
        item_ids=item_ids,
        name=name,
        user_attributes=table,
        repairs={"duplicate_events_dropped": int((~is_new).sum()), "users_without_attributes": n_unknown},
    )


def _is_new(
    users: NDArray[np.int64], items: NDArray[np.int64], timestamps: NDArray[np.int64] | NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether no event before agrees in all three."""
    return ~pd.DataFrame({"user": users, "item": items, "timestamp": timestamps}).duplicated().to_numpy()


def dense_ids(column: pd.Series, what: str, name: str) -> tuple[NDArray[np.int64], Ids]:
    """Each row's place in the sorted distinct ids, and these ids.

    Ids that are all whole numbers, also where they were read as text, become int64 and are sorted
    as numbers; otherwise all ids become text. Text such as ``007`` stays text.

    Raises:
        DataError: An id is missing, or neither a whole number nor text.
    """
    missing = column.isna() | (column == "")
    if missing.any():
        raise DataError(f"{name}: row {_first(missing)} has no {what} id. Fill it in, or leave the row out.")
    kind = column.dtype.kind if isinstance(column.dtype, np.dtype) else "O"
    if kind in "bcmM":
        raise DataError(f"{name}: {what} ids are of type {column.dtype}. Give whole numbers or text.")
    if kind == "f":
        broken = ~np.isfinite(column) | (column != np.round(column))
        if broken.any():
            row = _first(broken)
            raise DataError(f"{name}: row {row} has {what} id {column.iloc[row - 1]}. Give whole numbers or text.")
        column = column.astype(np.int64)
    codes, distinct = pd.factorize(column)
    ids = _whole_numbers_or_text(distinct)
    order = np.argsort(ids, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    if len(set(ids.tolist())) < len(ids):
        raise DataError(f"{name}: a {what} id stands both as a number and as text. Give all of them in one type.")
    return place[codes], ids[order]


def _whole_numbers_or_text(distinct: pd.Index) -> Ids:
    if pd.api.types.is_integer_dtype(distinct.dtype):
        return distinct.to_numpy(dtype=np.int64)
    text = [str(value) for value in distinct]
    if all(_WHOLE_NUMBER.fullmatch(value) for value in text):
        return np.array([int(value) for value in text], dtype=np.int64)
    return np.array(text, dtype=object)


def _timestamps(column: pd.Series | None, n_rows: int, name: str) -> NDArray[np.int64] | NDArray[np.float64]:
    if column is None:
        return np.arange(n_rows, dtype=np.int64)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _nanoseconds(column, name)
    numbers = pd.to_numeric(column, errors="coerce")
    if pd.api.types.is_signed_integer_dtype(numbers.dtype) and not numbers.isna().any():
        return numbers.to_numpy(dtype=np.int64)
    values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    broken = ~np.isfinite(values)
    if broken.any():
        row = _first(broken)
        raise DataError(
            f"{name}: row {row} has timestamp {column.iloc[row - 1]!r}. "
            "Timestamps are finite numbers, for example Unix seconds; "
            "for dates, pass a DataFrame whose column went through pandas.to_datetime."
        )
    # Beyond 2**53 a float64 has lost digits already, and int64 would only feign them.
    is_whole = bool((values == np.round(values)).all()) and float(np.abs(values).max()) < 2**53
    return values.astype(np.int64) if is_whole else values


def _nanoseconds(column: pd.Series, name: str) -> NDArray[np.int64]:
    missing = column.isna()
    if missing.any():
        raise DataError(f"{name}: row {_first(missing)} has no timestamp. Fill it in, or leave the row out.")
    moments = pd.to_datetime(column, utc=True)
    return moments.to_numpy(dtype="datetime64[ns]").astype(np.int64)


def _attribute_table(attributes: Attributes | None, user_ids: Ids, name: str) -> tuple[pd.DataFrame | None, int]:
    if attributes is None:
        return None, 0
    rows, ids = dense_ids(attributes.users, "user", f"the user attributes of {name}")
    twice = np.flatnonzero(np.bincount(rows, minlength=len(ids)) > 1)
    if len(twice):
        raise DataError(f"the user attributes of {name} have user {ids[twice[0]]} more than once. Keep one row each.")
    by_id: dict[Hashable, int] = {str(ids[code]): row for row, code in enumerate(rows)}
    places = np.array([by_id.get(str(user), -1) for user in user_ids], dtype=np.int64)
    known = places >= 0
    if not known.any():
        raise DataError(
            f"none of the users of {name} has attributes: events name users like {user_ids[0]}, "
            f"the attributes like {ids[0]}. Use the same ids in both."
        )
    table = attributes.table.reset_index(drop=True).reindex(np.where(known, places, -1))
    return table.reset_index(drop=True).rename_axis("user"), int((~known).sum())


def _first(mask: pd.Series | NDArray[np.bool_]) -> int:
    """The number of the first row where ``mask`` holds, counted from 1."""
    return int(np.argmax(np.asarray(mask, dtype=bool))) + 1
