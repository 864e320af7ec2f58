"""Every format that is understood, plain and gzipped."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paretoopt.data.interactions import Interactions
from paretoopt.data.load import load_interactions
from paretoopt.errors import DataError, MissingExtraError

# The same five events in every format that has timestamps; item 10 comes after 9, as numbers do.
EVENTS = [(2, 9, 60), (1, 10, 200), (2, 10, 50), (2, 4, 60), (1, 9, 100)]
RECBOLE = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + "".join(
    f"{user}\t{item}\t3\t{time}\n" for user, item, time in EVENTS
)
TEXTS = {
    "shop.inter": RECBOLE,
    "u.data": "".join(f"{user}\t{item}\t3\t{time}\n" for user, item, time in EVENTS),
    "ratings.dat": "".join(f"{user}::{item}::3.5::{time}\n" for user, item, time in EVENTS),
    "ratings.csv": "userId,movieId,rating,timestamp\n" + "".join(f"{u},{i},3.5,{t}\n" for u, i, t in EVENTS),
    "clicks.txt": "SessionId\tItemId\tTime\n" + "".join(f"{u}\t{i}\t{t}.0\n" for u, i, t in EVENTS),
    "german.csv": "user;item;time\r\n" + "".join(f'"{u}";{i};{t}\r\n' for u, i, t in EVENTS),
    "bom.csv": "\ufeffuser_id,item_id,timestamp\n" + "".join(f"{u},{i},{t}\n" for u, i, t in EVENTS),
}


def events_of(interactions: Interactions) -> list[tuple[int, int, int]]:
    """The events in original ids, in their order."""
    columns = (
        interactions.user_ids[interactions.users],
        interactions.item_ids[interactions.items],
        interactions.timestamps,
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", TEXTS)
def test_texts_with_timestamps_give_the_same_events(name: str, zipped: bool, tmp_path: Path) -> None:
    """Sorted by user, then time, then the order of the rows."""
    content = TEXTS[name].encode()
    path = tmp_path / (f"{name}.gz" if zipped else name)
    path.write_bytes(gzip.compress(content) if zipped else content)

    interactions = load_interactions(path)

    assert events_of(interactions) == [(1, 9, 100), (1, 10, 200), (2, 10, 50), (2, 9, 60), (2, 4, 60)]
    assert interactions.timestamps.dtype == np.int64


def test_ties_keep_the_order_of_the_source_unless_told_otherwise() -> None:
    """Where times are equal, the order of the rows decides, or the item id where that is asked for."""
    table = pd.DataFrame({"user": [1, 1, 1], "item": [9, 4, 7], "timestamp": [5, 5, 5]})

    by_source, by_item = load_interactions(table), load_interactions(table, ties="item")

    assert by_source.item_ids[by_source.items].tolist() == [9, 4, 7]
    assert by_item.item_ids[by_item.items].tolist() == [4, 7, 9]


def test_user_item_text_is_in_the_order_of_time(tmp_path: Path) -> None:
    """Without timestamps a later line is a later event, and repeats stay."""
    (tmp_path / "beauty.txt").write_text("1 30\n1 10\n2 10\n\n1 30\n")

    interactions = load_interactions(tmp_path / "beauty.txt")

    assert [(user, item) for user, item, _ in events_of(interactions)] == [(1, 30), (1, 10), (1, 30), (2, 10)]


def test_a_line_per_user_is_a_sequence(tmp_path: Path) -> None:
    """`user item item ...` gives one event per item, in the order of the line."""
    (tmp_path / "sequences.txt").write_text("5 3 1 2\n4 1\n")

    interactions = load_interactions(tmp_path / "sequences.txt")

    assert [(user, item) for user, item, _ in events_of(interactions)] == [(4, 1), (5, 3), (5, 1), (5, 2)]


def test_parquet_and_frames_are_read_alike(tmp_path: Path) -> None:
    """A Parquet file gives what its table gives; dates count as times."""
    table = pd.DataFrame({"user": ["x", "x"], "item": ["b", "a"], "time": pd.to_datetime(["2024-01-02", "2024-01-01"])})
    table.to_parquet(tmp_path / "shop.parquet")

    interactions = load_interactions(tmp_path / "shop.parquet")

    assert interactions.item_ids[interactions.items].tolist() == ["a", "b"]
    assert interactions.fingerprint == load_interactions(table).fingerprint


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who lacks pyarrow is told what to install."""
    (tmp_path / "shop.parquet").touch()
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'paretoopt\[parquet\]'"):
        load_interactions(tmp_path / "shop.parquet")


def test_columns_can_be_named() -> None:
    """Any column can hold the users, items and times."""
    table = pd.DataFrame({"who": [1], "what": [2], "when": [3.5], "user": [9]})

    interactions = load_interactions(table, user_column="who", item_column="what", timestamp_column="when")

    assert events_of(interactions) == [(1, 2, 3.5)]


def test_text_ids_stay_apart_from_numbers(tmp_path: Path) -> None:
    """`007` and `7` are two ids, and `NA` is an id like any other."""
    (tmp_path / "shop.csv").write_text("user,item,timestamp\n007,NA,1\n7,null,2\n")

    interactions = load_interactions(tmp_path / "shop.csv")

    assert interactions.user_ids.tolist() == ["007", "7"]
    assert interactions.item_ids.tolist() == ["NA", "null"]


@pytest.mark.parametrize(
    ("events", "users"),
    [
        ("shop.inter", "shop.user"),
        ("u.data", "u.user"),
        ("ratings.dat", "users.dat"),
    ],
)
def test_user_attributes_beside_the_data_are_read(events: str, users: str, tmp_path: Path) -> None:
    """A folder's file of users becomes the attributes, a row per dense user id."""
    texts = {
        "shop.user": "user_id:token\tage:float\tgender:token\n2\t30\tF\n1\t20\tM\n3\t9\tF\n",
        "u.user": "2|30|F|writer|07030\n1|20|M|none|85711\n",
        "users.dat": "2::F::30::1::07030\n1::M::20::2::85711\n",
    }
    (tmp_path / events).write_text(TEXTS[events])
    (tmp_path / users).write_text(texts[users])

    attributes = load_interactions(tmp_path).user_attributes

    assert attributes is not None
    assert attributes.index.tolist() == [0, 1]
    assert attributes["gender"].tolist() == ["M", "F"]
    assert attributes["age"].tolist() == [20, 30]


def test_user_attributes_can_be_given_and_gaps_are_counted() -> None:
    """Users without a row of attributes have missing values, and the repair says how many."""
    table = pd.DataFrame({"user": [1, 2], "item": [1, 1], "timestamp": [1, 1]})
    known = pd.DataFrame({"user": ["2", "5"], "plan": ["pro", "free"]})

    interactions = load_interactions(table, user_attributes=known)

    assert interactions.user_attributes is not None
    assert interactions.user_attributes["plan"].isna().tolist() == [True, False]
    assert interactions.repairs == {"users_without_attributes": 1}


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (pd.DataFrame({"user": [1, 1], "plan": ["a", "b"]}), "user 1 more than once"),
        (pd.DataFrame({"user": [8], "plan": ["a"]}), "none of the users"),
        (pd.DataFrame({"plan": ["a"]}), "known to hold the user"),
    ],
)
def test_user_attributes_that_do_not_fit_are_refused(known: pd.DataFrame, message: str) -> None:
    """Attributes name each user once, by the ids of the events."""
    table = pd.DataFrame({"user": [1, 2], "item": [1, 1], "timestamp": [1, 1]})

    with pytest.raises(DataError, match=message):
        load_interactions(table, user_attributes=known)
