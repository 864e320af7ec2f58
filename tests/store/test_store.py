"""The store keeps each output once, whole or not at all, and never hands out a corrupt one."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from paretoopt.errors import StoreError
from paretoopt.store.store import Store

Make = Callable[[Path], float]


def test_an_output_is_made_once(store: Store, key: str, make: Make, made: list[Path]) -> None:
    """The second request finds what the first one made, with its cost and description."""
    first = store.get_or_make(key, make, {"stage": "fit"})
    second = store.get_or_make(key, make, {"stage": "fit"})

    assert len(made) == 1
    assert (first.reused, second.reused) == (False, True)
    assert (second.seconds, second.description, second.folder) == (1.5, {"stage": "fit"}, first.folder)
    assert (second.folder / "sub" / "notes.txt").read_text() == "kept"


def test_another_store_of_the_same_folder_has_it_too(store: Store, key: str, make: Make, made: list[Path]) -> None:
    """Outputs outlive the object that made them."""
    store.get_or_make(key, make, {})

    assert Store(store.folder).get_or_make(key, make, {}).reused
    assert len(made) == 1


def test_what_was_never_made_is_not_found(store: Store, key: str, make: Make) -> None:
    """Only the key itself finds an output."""
    store.get_or_make(key, make, {})

    assert store.find("0" * 64) is None


def test_making_starts_in_an_empty_folder(store: Store, key: str, make: Make, made: list[Path]) -> None:
    """What a killed process left of the same output is cleared away first."""
    leftover = store.folder / "scratch" / key
    leftover.mkdir()
    (leftover / "half-written").write_text("by the dead")

    entry = store.get_or_make(key, make, {})

    assert sorted(path.name for path in entry.folder.iterdir()) == ["entry.json", "sub", "weights.bin"]


def test_an_error_in_making_leaves_nothing(store: Store, key: str, make: Make) -> None:
    """The error comes out as it is, no half entry stays, and the next request makes it."""

    def fail(folder: Path) -> float:
        make(folder)
        raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError, match="out of luck"):
        store.get_or_make(key, fail, {})

    assert store.find(key) is None
    assert not [path for path in store.folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert not store.get_or_make(key, make, {}).reused


def _flip_a_bit(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"0123456788")


def _remove_a_file(folder: Path) -> None:
    (folder / "sub" / "notes.txt").unlink()


def _put_a_folder_in_place_of_a_file(folder: Path) -> None:
    (folder / "weights.bin").unlink()
    (folder / "weights.bin").mkdir()


def _remove_the_record(folder: Path) -> None:
    (folder / "entry.json").unlink()


def _truncate_the_record(folder: Path) -> None:
    record = folder / "entry.json"
    record.write_text(record.read_text()[:40])


def _empty_the_record(folder: Path) -> None:
    (folder / "entry.json").write_text("")


def _write_bytes_that_are_no_text(folder: Path) -> None:
    (folder / "entry.json").write_bytes(b"\xff\xfe\x00")


def _write_a_list(folder: Path) -> None:
    (folder / "entry.json").write_text("[]")


def _drop_the_description(folder: Path) -> None:
    record = json.loads((folder / "entry.json").read_text())
    del record["description"]
    (folder / "entry.json").write_text(json.dumps(record))


def _write_no_number_of_seconds(folder: Path) -> None:
    record = json.loads((folder / "entry.json").read_text())
    (folder / "entry.json").write_text(json.dumps(record | {"seconds": None}))


def _leave_an_empty_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        _flip_a_bit,
        _remove_a_file,
        _put_a_folder_in_place_of_a_file,
        _remove_the_record,
        _truncate_the_record,
        _empty_the_record,
        _write_bytes_that_are_no_text,
        _write_a_list,
        _drop_the_description,
        _write_no_number_of_seconds,
        _leave_an_empty_folder,
    ],
)
def test_a_corrupt_entry_is_made_again(
    damage: Callable[[Path], None],
    store: Store,
    key: str,
    make: Make,
    made: list[Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever is wrong with an entry, it is not used; it is made again, with a warning that names it."""
    damage(store.get_or_make(key, make, {}).folder)

    assert store.find(key) is None
    with caplog.at_level(logging.WARNING, logger="paretoopt"):
        entry = store.get_or_make(key, make, {})

    assert (len(made), entry.reused) == (2, False)
    assert (entry.folder / "weights.bin").read_bytes() == b"0123456789"
    assert [record.getMessage() for record in caplog.records] == [
        f"Store entry {key[:12]} is corrupt; it is removed and made again."
    ]
    assert store.get_or_make(key, make, {}).reused


def test_a_sound_entry_gives_no_warning(store: Store, key: str, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Warnings mean that something is wrong."""
    with caplog.at_level(logging.WARNING, logger="paretoopt"):
        store.get_or_make(key, make, {})
        store.get_or_make(key, make, {})

    assert not caplog.records


def test_an_entry_copied_under_another_key_is_not_used(store: Store, key: str, make: Make) -> None:
    """An entry says whose it is, so that a folder in the wrong place is no result."""
    folder = store.get_or_make(key, make, {}).folder
    other = "0" * 64
    shutil.copytree(folder, store.folder / "objects" / other[:2] / other)

    assert store.find(other) is None


def test_only_looking_changes_nothing(store: Store, key: str, make: Make) -> None:
    """A corrupt entry is removed by the process that makes it anew, or it might remove another's new one."""
    folder = store.get_or_make(key, make, {}).folder
    _flip_a_bit(folder)

    store.find(key)

    assert (folder / "weights.bin").exists()


def test_a_store_below_a_file_cannot_be_opened(tmp_path: Path) -> None:
    """The error names the folder and the ways out, before anything is computed."""
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(StoreError, match=r"file/store cannot be written: .*Pass store= a folder that can be"):
        Store(tmp_path / "file" / "store")


def test_a_store_that_goes_away_says_so(store: Store, key: str, make: Make) -> None:
    """A disk that is unmounted between two candidates is an error of the store, and not of the candidate."""
    shutil.rmtree(store.folder)
    store.folder.write_text("not a folder any more")

    with pytest.raises(StoreError, match="could not keep an output"):
        store.get_or_make(key, make, {})


def test_an_error_in_a_nested_output_is_told_once(store: Store, key: str) -> None:
    """Stages make their inputs in turn; the innermost message is the one that helps."""

    def outer(folder: Path) -> float:
        store.get_or_make("0" * 64, inner, {})
        return 0.0

    def inner(folder: Path) -> float:
        raise OSError("no space left")

    with pytest.raises(StoreError) as caught:
        store.get_or_make(key, outer, {})

    assert str(caught.value).count("could not keep an output") == 1


def test_an_output_may_not_overwrite_the_record(store: Store, key: str) -> None:
    """A file of the record's name would make the entry corrupt for ever."""

    def make(folder: Path) -> float:
        (folder / "entry.json").write_text("mine")
        return 0.0

    with pytest.raises(StoreError, match=r"may not hold a file named entry\.json.*Rename it"):
        store.get_or_make(key, make, {})


def test_the_default_store_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``PARETOOPT_STORE`` moves the store of every study; an argument goes before it."""
    monkeypatch.setenv("PARETOOPT_STORE", str(tmp_path / "elsewhere"))

    assert Store().folder == tmp_path / "elsewhere"
    assert Store(tmp_path / "here").folder == tmp_path / "here"
