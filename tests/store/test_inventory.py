"""What a store holds, by output and in sums."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from paretoopt.store.inventory import UNFINISHED, UNREADABLE, Holdings, holdings, inventory
from paretoopt.store.layout import Layout
from paretoopt.store.store import Store

Make = Callable[[Path], float]


def test_an_output_says_what_it_is_and_what_it_cost(store: Store, key: str, make: Make) -> None:
    """Name, parameters and cost are the maker's; the size is that of all files, the record included."""
    entry = store.get_or_make(key, make, {"stage": "fit", "params": {"embedding_dim": 16}})

    (output,) = inventory(Layout(store.folder))

    assert (output.key, output.name, output.params, output.seconds) == (key, "fit", {"embedding_dim": 16}, 1.5)
    assert output.n_bytes == 10 + 4 + (entry.folder / "entry.json").stat().st_size


def test_using_an_output_makes_it_the_last_used(store: Store, make: Make) -> None:
    """What is found again comes before what was made later, and keeps its age."""
    first, second = "1" * 64, "2" * 64
    for age, key in enumerate((second, first)):
        record = store.get_or_make(key, make, {"stage": "fit"}).folder / "entry.json"
        os.utime(record, (1_000 - age, 1_000 - age))

    store.find(first)

    assert [one.key for one in inventory(Layout(store.folder))] == [first, second]


def test_only_looking_uses_nothing(store: Store, key: str, make: Make) -> None:
    """The inventory itself is no use of an output."""
    os.utime(store.get_or_make(key, make, {}).folder / "entry.json", (1_000, 1_000))

    inventory(Layout(store.folder))

    assert inventory(Layout(store.folder))[0].last_used == 1_000


def test_what_cannot_be_read_still_takes_up_room(store: Store, key: str, make: Make) -> None:
    """An output without a sound record, and one left half-written, are listed with their size."""
    (store.get_or_make(key, make, {}).folder / "entry.json").write_text("[]")
    (store.folder / "scratch" / ("0" * 64)).mkdir()
    (store.folder / "scratch" / ("0" * 64) / "half").write_bytes(b"1234")

    sizes = {one.name: one.n_bytes for one in inventory(Layout(store.folder))}

    assert sizes == {UNREADABLE: 10 + 4 + 2, UNFINISHED: 4}


def test_outputs_are_summed_by_stage(store: Store, make: Make) -> None:
    """Two outputs of one stage and one of another give two rows, the larger first."""
    for key, stage in (("1" * 64, "fit"), ("2" * 64, "fit"), ("3" * 64, "prune")):
        store.get_or_make(key, make, {"stage": stage})
    outputs = inventory(Layout(store.folder))

    sums = holdings(outputs)

    assert [(one.name, one.n_outputs, one.seconds) for one in sums] == [("fit", 2, 3.0), ("prune", 1, 1.5)]
    assert sum(one.n_bytes for one in sums) == sum(one.n_bytes for one in outputs)
    assert isinstance(sums[0], Holdings)
