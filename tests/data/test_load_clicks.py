"""Loading impressions: formats, vocabularies learnt from training rows alone, numbers, and bad input."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paretoopt.data.click_fields import category_ids
from paretoopt.data.clicks import Clicks
from paretoopt.data.load_clicks import load_clicks
from paretoopt.errors import DataError


def make_table(n_rows: int = 100) -> pd.DataFrame:
    """Rows of two users on four pages."""
    numbers = np.arange(n_rows)
    return pd.DataFrame({"user": numbers % 2, "page": numbers // 2 % 4, "click": numbers // 8 % 2})


def write(path: Path, *lines: str) -> Path:
    """A text file of these lines, gzipped where its name says so."""
    text = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def libfm_lines(n_rows: int) -> list[str]:
    """Rows as Frappe has them: -1 or 1, then the same fields in the same order."""
    return [f"{1 if row % 3 else -1} {row % 5}:1 {100 + row % 2}:1" for row in range(n_rows)]


def criteo_line(row: int, *, first_count: str = "3") -> str:
    """40 cells between tabs: the label, 13 counts, 26 hashes."""
    counts = [first_count, str(row % 7), *["2" if row % 2 else "9"] * 10, ""]
    return "\t".join([str(row % 2), *counts[:12], str(row % 5), *[f"{row % 3:08x}"] * 25, ""])


def test_libfm_text_has_a_field_at_each_place(tmp_path: Path) -> None:
    """Frappe's -1 and 1 become 0 and 1, and each place of the line is a field with ids of its own."""
    clicks = load_clicks(write(tmp_path / "a.libfm.gz", *libfm_lines(60)), test=write(tmp_path / "b", *libfm_lines(30)))

    assert clicks.categorical_fields == ("field_0", "field_1")
    assert clicks.sizes == (6, 3)
    assert clicks.test.labels.tolist() == [int(row % 3 > 0) for row in range(30)]
    assert clicks.test.categories[:5].tolist() == [[1, 1], [2, 2], [3, 1], [4, 2], [5, 1]]


def test_criteo_text_has_13_counts_and_26_categories(tmp_path: Path) -> None:
    """Its columns have no names, so the format tells what they are; empty cells are missing values."""
    lines = [criteo_line(row, first_count="" if row % 10 == 0 else str(row % 4)) for row in range(200)]
    clicks = load_clicks(write(tmp_path / "train.tsv", *lines), least_count=1)

    assert [each.name for each in clicks.numeric_fields] == [f"I{number}" for number in range(1, 14)]
    assert clicks.categorical_fields == tuple(f"C{number}" for number in range(1, 27))
    assert clicks.vocabularies["C26"] == ("",)
    assert clicks.repairs["missing_numbers_filled"] == 20


def test_a_test_file_without_header_has_that_of_the_training_file(tmp_path: Path) -> None:
    """Avazu's sample names its columns in the training file only."""
    rows = [f"{row % 2},{row % 3},{row % 5}" for row in range(100)]
    train = write(tmp_path / "train.csv", "click,site,app", *rows)
    test = write(tmp_path / "test.csv", *rows[:20])

    clicks = load_clicks(train, test=test)

    assert clicks.categorical_fields == ("site", "app")
    assert len(clicks.test) == 20


def test_the_parts_are_rows_of_the_source_each_once() -> None:
    """Kept aside are the shares asked for; nothing is lost or repeated."""
    table = make_table(200).assign(row=np.arange(200))
    clicks = load_clicks(table, share=0.2, least_count=1, numeric=["row"])
    (scale,) = clicks.numeric_fields
    parts = [
        part.numbers[:, 0] * scale.deviation + scale.mean for part in (clicks.train, clicks.validation, clicks.test)
    ]

    assert [len(part) for part in parts] == [120, 40, 40]
    assert sorted(np.expm1(np.concatenate(parts)).round().astype(int)) == list(range(200))


def test_training_rows_alone_decide_the_vocabulary() -> None:
    """A value that occurs in the test rows only, however often, is the unknown one."""
    test = make_table(40).assign(page=9)

    clicks = load_clicks(make_table(), test=test)

    assert "9" not in clicks.vocabularies["page"]
    assert set(clicks.test.categories[:, 1]) == {0}


def test_rare_values_are_one() -> None:
    """What training rows hold less often than asked has id 0 there too, so that the model learns about it."""
    table = make_table()
    table["page"] = ["new", "newer", "newest", "twice", "twice", *table["page"].astype(str)[5:]]

    clicks = load_clicks(table, test=make_table(), validation=make_table(), least_count=2)

    assert (clicks.train.categories[:5, 1] > 0).tolist() == [False, False, False, True, True]
    assert clicks.repairs == {"rare_values_folded": 3}


def test_a_missing_category_is_a_value_like_others() -> None:
    """That nothing is known may tell something."""
    table = make_table()
    table["page"] = table["page"].where(table["page"] > 0)

    clicks = load_clicks(table)

    assert clicks.vocabularies["page"] == ("", "1.0", "2.0", "3.0")


def test_numbers_are_standardised_logarithms_of_training_rows() -> None:
    """By the closed form, negative numbers included; a missing one is the mean, 0."""
    random = np.random.default_rng(0)
    train, test = (make_table().assign(count=random.integers(-3, 50, size=100).astype(float)) for _ in range(2))
    test.loc[0, "count"] = np.nan
    clicks = load_clicks(train, test=test, validation=train, numeric=["count"])

    logarithms = np.sign(train["count"]) * np.log1p(np.abs(train["count"]))
    expected = (np.sign(test["count"]) * np.log1p(np.abs(test["count"])) - logarithms.mean()) / logarithms.std(ddof=0)
    assert clicks.test.numbers[1:, 0] == pytest.approx(expected.to_numpy()[1:], rel=1e-5, abs=1e-6)
    assert clicks.test.numbers[0, 0] == 0


def test_ids_lead_back_to_the_values() -> None:
    """Entry i of the vocabulary has id i + 1: what is served is encoded the same way."""
    table = make_table()
    clicks = load_clicks(table, validation=table, test=table)

    ids = category_ids(table["page"].astype(str), clicks.vocabularies["page"])

    assert ids.tolist() == clicks.test.categories[:, 1].tolist()
    assert [clicks.vocabularies["page"][each - 1] for each in ids] == table["page"].astype(str).tolist()


def test_the_content_has_a_fingerprint_and_cannot_change() -> None:
    """Equal content has one fingerprint, other labels have another, and a copy in another process is as fixed."""
    clicks, again = load_clicks(make_table()), load_clicks(make_table())
    other = load_clicks(make_table().assign(click=lambda table: 1 - table["click"]))
    copy: Clicks = pickle.loads(pickle.dumps(clicks))

    assert clicks.fingerprint == again.fingerprint == copy.fingerprint != other.fingerprint
    with pytest.raises(ValueError, match="read-only"):
        copy.train.categories[0, 0] = 3


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"click": 2}, {}, "row 1 has label '2'"),
        ({"click": 1}, {}, "must hold clicks"),
        ({"id": range(100)}, {}, "no value of field 'id' occurs 2 times.*ignore=\\['id'\\]"),
        ({"count": 3}, {"numeric": ["count"]}, "no two different values"),
        ({"count": "a"}, {"numeric": ["count"]}, "row 1 has 'a' in numeric field 'count'"),
        ({}, {"numeric": ["count"]}, "no column 'count'. It has 'user', 'page', 'click'"),
        ({}, {"label": "bought"}, "no column 'bought'"),
        ({}, {"ignore": ["user", "page"]}, "no categorical field"),
        ({}, {"share": 0.6}, "share must be above 0 and below 0.5"),
        ({}, {"least_count": 0}, "least_count must be a whole number from 1 on"),
    ],
)
def test_what_cannot_be_used_is_told(changes: dict[str, object], options: dict[str, object], message: str) -> None:
    """Each error names the place and the remedy."""
    with pytest.raises(DataError, match=message):
        load_clicks(make_table().assign(**changes), **options)  # type: ignore[arg-type]  # mistakes are tested


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1 3:1 4:1", "1 3:1"], "row 2: 1 fields, but 2 in row 1"),
        (["1 3:1 4:1", "0 3:1 4:0.5"], "row 2: '4:0.5' has a value other than 1"),
        (["a,b,c", "1,2,3"], "no format that is understood.*label="),
    ],
)
def test_a_file_that_is_not_understood_is_told(tmp_path: Path, lines: list[str], message: str) -> None:
    """With the row, or with what is understood."""
    with pytest.raises(DataError, match=message):
        load_clicks(write(tmp_path / "data.txt", *lines))


def test_parts_with_other_columns_are_refused() -> None:
    """A model cannot serve fields that it has not learnt."""
    with pytest.raises(DataError, match="the parts differ in 'place'"):
        load_clicks(make_table(), test=make_table().assign(place=1))
