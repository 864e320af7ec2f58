"""Making room: the oldest go first, and what somebody makes or uses stays."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from paretoopt.store.inventory import StoredOutput, inventory
from paretoopt.store.layout import Layout
from paretoopt.store.pruning import removable, remove
from paretoopt.store.store import Store

Make = Callable[[Path], float]


def output(key: str, *, name: str = "fit", n_bytes: int = 10, last_used: float = 0.0) -> StoredOutput:
    """An output of which only what pruning looks at is set."""
    return StoredOutput(key, Path(key), name, {}, n_bytes, last_used, last_used, 1.0)


OUTPUTS = [output("new", last_used=30), output("old", last_used=10), output("other", name="prune", last_used=20)]


def test_what_was_unused_for_long_goes() -> None:
    """Age counts from the last use."""
    assert [one.key for one in removable(OUTPUTS, unused_since=25)] == ["old", "other"]


def test_the_least_recently_used_go_until_the_rest_fits() -> None:
    """Of three outputs of 10 bytes one has to go to get to 20, and all for less than 10."""
    assert [one.key for one in removable(OUTPUTS, most_bytes=20)] == ["old"]
    assert [one.key for one in removable(OUTPUTS, most_bytes=9)] == ["old", "other", "new"]


def test_a_stage_alone_means_all_of_its_outputs() -> None:
    """With a time or a size beside it, it only limits what may go."""
    assert [one.key for one in removable(OUTPUTS, names=["fit"])] == ["old", "new"]
    assert [one.key for one in removable(OUTPUTS, names=["fit"], unused_since=15)] == ["old"]
    assert [one.key for one in removable(OUTPUTS, names=["prune"], most_bytes=0)] == ["other"]


def test_nothing_said_removes_nothing() -> None:
    """Without a criterion everything stays."""
    assert removable(OUTPUTS) == ()


@given(
    used=st.lists(st.tuples(st.floats(0, 100), st.integers(1, 50)), max_size=8),
    most_bytes=st.integers(0, 200),
    since=st.none() | st.floats(0, 100),
)
def test_what_is_left_fits_and_was_used_later(
    used: list[tuple[float, int]], most_bytes: int, since: float | None
) -> None:
    """Whatever the outputs: the rest is within the size, and nothing that goes was used after something that stays."""
    outputs = [output(str(i), last_used=when, n_bytes=n_bytes) for i, (when, n_bytes) in enumerate(used)]

    gone = removable(outputs, most_bytes=most_bytes, unused_since=since)

    left = [one for one in outputs if one not in gone]
    assert sum(one.n_bytes for one in left) <= most_bytes
    assert all(one.last_used <= other.last_used for one in gone for other in left)
    assert since is None or all(one.last_used >= since for one in left)


def test_an_output_that_somebody_has_is_not_removed(store: Store, key: str, make: Make) -> None:
    """An entry in use holds the output; once it is let go, the output can be removed."""
    entry = store.get_or_make(key, make, {})
    layout = Layout(store.folder)
    (listed,) = inventory(layout)

    assert not remove(layout, listed)
    assert (entry.folder / "weights.bin").exists()

    del entry
    gc.collect()
    assert remove(layout, listed)
    assert store.find(key) is None
    assert inventory(layout) == ()


def test_a_found_output_is_held_too(store: Store, key: str, make: Make) -> None:
    """It makes no difference whether the entry was made or found."""
    store.get_or_make(key, make, {})
    found = store.find(key)
    layout = Layout(store.folder)

    assert found is not None
    assert not remove(layout, inventory(layout)[0])


def test_an_output_that_is_being_made_is_not_removed(store: Store, key: str, make: Make) -> None:
    """While its maker is at work, its folder stays; the maker then finishes it."""
    layout = Layout(store.folder)
    answers: list[bool] = []

    def watched(folder: Path) -> float:
        answers.extend(remove(layout, one) for one in inventory(layout))
        return make(folder)

    store.get_or_make(key, watched, {})

    assert answers == [False]
    assert store.find(key) is not None


def test_what_the_dead_left_is_removed(store: Store, key: str) -> None:
    """Nobody holds the lock of a half-written output whose process died."""
    layout = Layout(store.folder)
    layout.scratch_of(key).mkdir()
    (layout.scratch_of(key) / "half").write_text("written")

    assert remove(layout, inventory(layout)[0])
    assert inventory(layout) == ()


def test_a_removed_output_is_made_again(store: Store, key: str, make: Make, made: list[Path]) -> None:
    """Pruning costs time, never results."""
    store.get_or_make(key, make, {})
    gc.collect()
    layout = Layout(store.folder)
    remove(layout, inventory(layout)[0])

    assert not store.get_or_make(key, make, {}).reused
    assert len(made) == 2
