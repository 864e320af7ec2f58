"""What cannot be read is an error that says where and what to do; what is repaired is counted."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import cast

import pandas as pd
import pytest

from paretoopt.data.events import Ties
from paretoopt.data.load import load_interactions
from paretoopt.errors import DataError

GOOD = {"user": [1, 2], "item": [3, 4], "timestamp": [5, 6]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "1 2\n1 x\n", r"a\.txt, line 2: 'x' is no number"),
        ("a.txt", "1 2\n1.5 2\n", r"line 2: 1\.5 is no id"),
        ("a.txt", "1 2\n\n3\n", "line 3: one number"),
        ("a.txt", "1 2\n1 99999999999999999999\n", "line 2: '99999999999999999999' is no number"),
        ("a.txt", "1 2 5 100\n1 3 4 200\n", "every line has 4 numbers"),
        ("a.txt", "1 2 3\n1 4\n", "line 2: 1 starts a line for the second time"),
        ("a.txt", "hello world\n", "no format that is understood. Understood are RecBole's"),
        ("a.json", '{"1": [2, 3]}\n', "no format that is understood"),
        ("u.data", "1\t2\t3\t4\n1\t2\t3\n", r"line 2: 3 numbers, but this format has four"),
        ("u.data", "1\t2\t3\tyesterday\n", "line 1: 'yesterday' is no number"),
        ("ratings.dat", "1::a::3::4\n", "line 1: 'a' is no number"),
        ("a.csv", "user,item\n1,2\n", r"hold the timestamp\. It has 'user', 'item'\. Name it"),
        ("a.csv", "user,item,timestamp\n", "holds no events"),
        ("a.csv", "user,item,timestamp\n1,2,3\n,2,4\n", "row 2 has no user id"),
        ("a.csv", "user,item,timestamp\n1,2,3\n1,,4\n", "row 2 has no item id"),
        ("a.csv", "user,item,timestamp\n1,2,3\n1,2,noon\n", "row 2 has timestamp 'noon'"),
        ("a.csv", "user,item,timestamp\n1,2,nan\n", "row 1 has timestamp"),
        ("a.csv", "user,item,timestamp\n1,2,inf\n", "row 1 has timestamp"),
        ("a.csv", "user,item,timestamp\n1,2,\n", "row 1 has timestamp"),
        ("a.csv", "user,item,timestamp\n1,2\n", "row 1 has timestamp"),
        ("a.csv", "user,item,timestamp\n1,2,3,4\n1,2,3,4\n", "cannot be read as a table"),
        ("a.csv", "user,item,timestamp\n1,2,3\n1,2,3,4\n", "cannot be read as a table"),
        ("a.csv", "user,user,item,timestamp\n1,2,3,4\n", "several columns called 'user'"),
        ("a.inter", "user_id:token\titem_id_list:token_seq\n1\t2 3\n", "known to hold the item"),
        ("a.txt", "", "is empty"),
        ("a.csv", " \n\n", "is empty"),
    ],
)
def test_text_that_cannot_be_read_says_where(name: str, content: str, message: str, tmp_path: Path) -> None:
    """The message has the file, the line or row, the value, and what the format asks for."""
    (tmp_path / name).write_text(content)

    with pytest.raises(DataError, match=message):
        load_interactions(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"1 2\0\x03\x04", "binary data"),
        ("a.csv", bytes(range(256)), "binary data"),
        ("a.csv", b"user,item,timestamp\n\xff\xfe,1,2\n", "cannot be read as a table"),
        ("a.txt", b"\xff\xfe\x80\n", "not UTF-8"),
        ("a.inter.gz", gzip.compress(b"user_id:token" * 500)[:-20], "damaged gzip"),
        ("a.txt.gz", b"\x1f\x8bjunk", "damaged gzip"),
        ("a.txt.gz", gzip.compress(b""), "is empty"),
        ("a.parquet", b"PAR1 no table", "cannot be read as Parquet"),
    ],
)
def test_damaged_files_are_refused(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    """Junk is told apart from text, and a half file from a whole one."""
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DataError, match=message):
        load_interactions(tmp_path / name)


def test_a_source_that_is_nothing_lists_the_known() -> None:
    """A name that is no path and no data set is told with those that are."""
    with pytest.raises(DataError, match="ml-100k, ml-1m, ml-latest-small"):
        load_interactions("ml-100m")


def test_a_folder_with_two_candidates_names_them(tmp_path: Path) -> None:
    """Nobody guesses between two files of events."""
    for name in ("a.inter", "b.inter"):
        (tmp_path / name).write_text("user_id:token\titem_id:token\ttimestamp:float\n1\t2\t3\n")

    with pytest.raises(DataError, match=r"a\.inter, b\.inter\. Pass the path of one"):
        load_interactions(tmp_path)


def test_a_folder_without_events_says_what_is_understood(tmp_path: Path) -> None:
    """An empty folder holds nothing to read."""
    with pytest.raises(DataError, match=r"holds no file of events\. Understood are"):
        load_interactions(tmp_path)


def test_columns_of_a_format_without_names_are_refused(tmp_path: Path) -> None:
    """Bare numbers have no column to name."""
    (tmp_path / "a.txt").write_text("1 2\n")

    with pytest.raises(DataError, match="has no named columns"):
        load_interactions(tmp_path / "a.txt", user_column="user")


def test_a_named_column_that_is_missing_is_told_with_those_there() -> None:
    """The message lists the columns to choose from."""
    with pytest.raises(DataError, match=r"no column 'customer'\. It has 'user', 'item', 'timestamp'"):
        load_interactions(pd.DataFrame(GOOD), user_column="customer")


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("user", [1, None], "row 2 has no user id"),
        ("user", [1.5, 2.0], r"row 1 has user id 1\.5"),
        ("item", [True, False], "item ids are of type bool"),
        ("item", [1, "1"], "both as a number and as text"),
        ("timestamp", [1, None], "row 2 has timestamp"),
        ("timestamp", [pd.Timestamp("2024-01-01"), None], "row 2 has no timestamp"),
    ],
)
def test_frames_are_checked_like_files(column: str, values: list[object], message: str) -> None:
    """A DataFrame is no more trusted than a file."""
    with pytest.raises(DataError, match=message):
        load_interactions(pd.DataFrame({**GOOD, column: values}))


def test_whole_floats_are_ids() -> None:
    """A column that pandas made float is read as the whole numbers that it holds."""
    assert load_interactions(pd.DataFrame({**GOOD, "user": [1.0, 2.0]})).user_ids.tolist() == [1, 2]


@pytest.mark.parametrize("ties", ["item", "source"])
def test_duplicate_rows_are_dropped_and_counted(ties: Ties) -> None:
    """Rows that agree in user, item and time are one event, also where others stand between them."""
    table = pd.DataFrame({"user": [1, 1, 1, 1], "item": [3, 4, 3, 3], "timestamp": [5, 5, 5, 6]})

    interactions = load_interactions(table, ties=ties)

    assert interactions.n_events == 3
    assert interactions.repairs == {"duplicate_events_dropped": 1}


def test_an_unknown_rule_for_ties_is_refused() -> None:
    """Only the two rules that are documented exist."""
    with pytest.raises(DataError, match="ties='random' is not known"):
        load_interactions(pd.DataFrame(GOOD), ties=cast(Ties, "random"))
