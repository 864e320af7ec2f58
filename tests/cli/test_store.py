"""``paretoopt store``: what it prints, removes and refuses."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from paretoopt.store.keys import content_key
from paretoopt.store.store import Store

Ask = Callable[..., tuple[int, str, str]]
KEY = content_key("fit", 16)


def names(printed: str) -> list[str]:
    """The names of the outputs that were printed as JSON, sorted."""
    return sorted(one["name"] for one in json.loads(printed))


@pytest.mark.parametrize("width", [80, 120])
def test_the_list_shows_what_each_output_is(store: Store, ask: Ask, columns: Callable[[int], None], width: int) -> None:
    """Nothing is cut off at 80 columns; the sum stands beneath."""
    columns(width)

    status, printed, _ = ask("store", "list")

    assert status == 0
    (row,) = [line.split() for line in printed.splitlines() if "embedding_dim=32" in line]
    assert row[:5] == [content_key("fit", 32)[:8], "fit", "embedding_dim=32", "32.3", "KiB"]
    assert row[-2:] == ["32", "min"]
    assert "3 outputs" in printed.splitlines()[-1]
    assert "…" not in printed
    assert max(map(len, printed.splitlines())) <= width


def test_json_and_csv_hold_the_same(store: Store, ask: Ask) -> None:
    """Programs get whole keys, bytes and seconds; parameters are JSON in CSV."""
    listed = json.loads(ask("store", "list", "--format", "json")[1])
    rows = list(csv.DictReader(io.StringIO(ask("store", "list", "--format", "csv")[1])))

    assert [row | {"params": json.loads(row["params"])} for row in rows] == [
        {name: value if name == "params" else str(value) for name, value in one.items()} for one in listed
    ]
    assert {one["key"]: one["seconds"] for one in listed}[KEY] == 960.0


def test_the_list_can_be_of_one_stage(store: Store, ask: Ask) -> None:
    """--stage takes the name of a stage or a measure."""
    assert names(ask("store", "list", "--stage", "fit", "--format", "json")[1]) == ["fit", "fit"]


def test_size_sums_up_by_stage(store: Store, ask: Ask) -> None:
    """Two models took 48 minutes together."""
    (fit, latency) = json.loads(ask("store", "size", "--format", "json")[1])

    assert (fit["name"], fit["n_outputs"], fit["seconds"]) == ("fit", 2, 2880.0)
    assert latency["name"] == "latency"


def test_verify_finds_no_fault_in_a_sound_store(store: Store, ask: Ask) -> None:
    """The exit status says it, and the line counts what was read."""
    assert ask("store", "verify")[:2] == (0, "3 outputs, 0 faults.\n")


def test_verify_fails_where_an_output_is_corrupt(store: Store, ask: Ask) -> None:
    """Status 1, and the file is named."""
    (store.folder / "objects" / KEY[:2] / KEY / "weights.bin").write_text("damaged")

    status, printed, _ = ask("store", "verify", "--format", "json")

    assert status == 1
    assert json.loads(printed) == [{"key": KEY, "name": "fit", "problem": "corrupt: weights.bin has changed"}]


def test_prune_only_lists_unless_told_yes(store: Store, ask: Ask) -> None:
    """Without --yes everything stays; with it, what was listed is gone."""
    status, listed, told = ask("store", "prune", "--stage", "fit", "--format", "json")
    assert (status, names(listed)) == (0, ["fit", "fit"])
    assert "Nothing was removed. Say --yes to remove 2 outputs." in told
    assert store.find(KEY) is not None

    assert names(ask("store", "prune", "--stage", "fit", "--yes", "--format", "json")[1]) == ["fit", "fit"]
    assert names(ask("store", "list", "--format", "json")[1]) == ["latency"]


def test_prune_by_age_keeps_what_was_just_used(store: Store, ask: Ask) -> None:
    """Everything in the store is some seconds old."""
    assert "0 outputs" in ask("store", "prune", "--unused-for", "1h", "--yes")[1]


def test_prune_by_size_makes_the_store_fit(store: Store, ask: Ask) -> None:
    """40 KiB are too little for 16 + 32 + 1 KiB and their records."""
    ask("store", "prune", "--max-size", "40KiB", "--yes")

    assert 0 < sum(one["n_bytes"] for one in json.loads(ask("store", "size", "--format", "json")[1])) <= 40 * 1024


def test_prune_keeps_what_is_in_use(store: Store, ask: Ask) -> None:
    """Whoever holds an entry keeps its output; the others go, and the person is told."""
    held = store.find(KEY)

    status, removed, told = ask("store", "prune", "--stage", "fit", "--yes", "--format", "json")

    assert held is not None
    assert (status, len(json.loads(removed))) == (0, 1)
    assert "Made or used at this moment, and kept: 1 output." in told


@pytest.mark.parametrize(
    ("arguments", "cause", "remedy"),
    [
        (["prune"], "prune was not told what to remove.", "Give --unused-for TIME"),
        (["prune", "--stage", "fitt"], "The store has no output of 'fitt'.", "It has fit, latency."),
        (["prune", "--max-size", "many"], "'many' is no size.", "Write a number and one of B, KiB"),
        (["prune", "--unused-for", "3 GiB"], "'3 GiB' is no time.", "Write a number and one of s, min"),
        (["list", "--store", "nowhere"], "There is no store at", "Name its folder with --store"),
        (["list", "--format", "xml"], "Invalid value for '--format'", "See paretoopt store list --help."),
        (["list", "--stor", "x"], "No such option: --stor", "See paretoopt store list --help."),
        (["lst"], "No such command 'lst'", "Did you mean 'list'?"),
    ],
)
def test_a_mistake_has_a_cause_and_a_remedy(
    store: Store, ask: Ask, arguments: list[str], cause: str, remedy: str
) -> None:
    """Exit status 2, nothing on standard output, and two lines on standard error."""
    status, printed, told = ask("store", *arguments)

    assert (status, printed) == (2, "")
    first, second = told.splitlines()
    assert first.startswith(f"Error: {cause}")
    assert second.startswith(remedy)


def test_a_store_that_was_never_made_is_not_made_by_looking(ask: Ask, tmp_path: Path) -> None:
    """A typing error in a folder's name leaves no folder behind."""
    assert ask("store", "size", "--store", str(tmp_path / "typo"))[0] == 2
    assert not (tmp_path / "typo").exists()
