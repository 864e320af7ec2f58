"""``paretoopt store``: what the stage store holds, whether it is sound, and making room in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from paretoopt.cli.mistakes import UserError
from paretoopt.cli.output import Column, Format, FormatOption, print_rows, say
from paretoopt.cli.units import age_text, parse_age, parse_size, size_text
from paretoopt.store.inventory import Holdings, StoredOutput, holdings, inventory
from paretoopt.store.layout import STORE_VARIABLE, Layout, default_folder
from paretoopt.store.pruning import removable, remove
from paretoopt.store.verification import Fault, faults

app = typer.Typer(no_args_is_help=True, help="The outputs of stages and measures that are kept on disk.")

_StoreOption = Annotated[
    Path | None,
    typer.Option("--store", help=f"The store's folder; left out, ${STORE_VARIABLE} or the one in the user's cache."),
]
_StageOption = Annotated[
    list[str] | None, typer.Option("--stage", help="Only outputs of this stage or measure; may be given repeatedly.")
]

_NAME: Column[StoredOutput] = Column("what", "name", lambda one: one.name)
_SIZE: Column[StoredOutput] = Column(
    "size", "n_bytes", lambda one: one.n_bytes, lambda one: size_text(one.n_bytes), is_number=True
)
_LAST_USED: Column[StoredOutput] = Column(
    "last used", "last_used", lambda one: _moment(one.last_used), lambda one: _ago(one.last_used), is_number=True
)
_COST: Column[StoredOutput] = Column(
    "cost", "seconds", lambda one: round(one.seconds, 4), lambda one: age_text(one.seconds), is_number=True
)
_OUTPUTS = (
    Column[StoredOutput]("key", "key", lambda one: one.key, lambda one: one.key[:8]),
    _NAME,
    Column[StoredOutput](
        "params",
        "params",
        lambda one: dict(one.params),
        lambda one: " ".join(f"{name}={value}" for name, value in one.params.items()),
    ),
    _SIZE,
    Column[StoredOutput](
        "age", "created", lambda one: _moment(one.created), lambda one: _ago(one.created), is_number=True
    ),
    _LAST_USED,
    _COST,
)
_HOLDINGS = (
    Column[Holdings]("what", "name", lambda one: one.name),
    Column[Holdings]("outputs", "n_outputs", lambda one: one.n_outputs, is_number=True),
    Column[Holdings]("size", "n_bytes", lambda one: one.n_bytes, lambda one: size_text(one.n_bytes), is_number=True),
    Column[Holdings](
        "cost", "seconds", lambda one: round(one.seconds, 4), lambda one: age_text(one.seconds), is_number=True
    ),
)
_FAULTS = (
    Column[Fault]("key", "key", lambda one: one.key, lambda one: one.key[:8]),
    Column[Fault]("what", "name", lambda one: one.name),
    Column[Fault]("problem", "problem", lambda one: one.problem),
)


@app.command("list")
def list_outputs(stage: _StageOption = None, store: _StoreOption = None, form: FormatOption = Format.TABLE) -> None:
    """List every output: what it is, its size and age, when it was last used, and what making it took."""
    outputs = [one for one in inventory(_opened(store)) if not stage or one.name in stage]
    print_rows(outputs, _OUTPUTS, form, note=_total(outputs))


@app.command()
def size(store: _StoreOption = None, form: FormatOption = Format.TABLE) -> None:
    """Sum up, by stage and measure, how many outputs there are, their size, and what making them took."""
    layout = _opened(store)
    outputs = inventory(layout)
    print_rows(holdings(outputs), _HOLDINGS, form, note=f"{_total(outputs)}, in {layout.folder}")


@app.command()
def verify(store: _StoreOption = None, form: FormatOption = Format.TABLE) -> None:
    """Read every file and compare checksums; the exit status is 1 where an output is corrupt or half-written."""
    layout = _opened(store)
    found = list(faults(layout))
    n_outputs = sum(1 for _ in layout.finished())
    print_rows(found, _FAULTS, form, note=f"{_count(n_outputs, 'output')}, {_count(len(found), 'fault')}.")
    if found:
        say("Faulty outputs are never used: they are made again when they are wanted.")
        raise typer.Exit(1)


@app.command()
def prune(
    unused_for: Annotated[
        str | None, typer.Option("--unused-for", metavar="TIME", help="What nobody used for so long, e.g. 30d.")
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option("--max-size", metavar="SIZE", help="The least recently used, until the rest fits, e.g. 20GiB."),
    ] = None,
    stage: _StageOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove them; without it they are only listed.")] = False,
    store: _StoreOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Remove outputs by age, size or stage; those that a process makes or uses at this moment stay."""
    if unused_for is None and max_size is None and not stage:
        raise UserError(
            "prune was not told what to remove.", "Give --unused-for TIME, --max-size SIZE, or --stage NAME."
        )
    layout = _opened(store)
    outputs = inventory(layout)
    _refuse_unknown(stage, outputs)
    chosen = removable(
        outputs,
        names=stage or (),
        unused_since=None if unused_for is None else time.time() - parse_age(unused_for),
        most_bytes=None if max_size is None else parse_size(max_size),
    )
    if not yes:
        print_rows(chosen, _OUTPUTS, form, note=_total(chosen))
        say(
            f"Nothing was removed. Say --yes to remove {_count(len(chosen), 'output')}."
            if chosen
            else "Nothing to remove."
        )
        return
    removed = [one for one in chosen if remove(layout, one)]
    print_rows(removed, _OUTPUTS, form, note=f"Removed {_total(removed)}.")
    if len(removed) < len(chosen):
        say(f"Made or used at this moment, and kept: {_count(len(chosen) - len(removed), 'output')}.")


def _opened(folder: Path | None) -> Layout:
    layout = Layout((folder or default_folder()).expanduser().absolute())
    if not (layout.objects.is_dir() and layout.scratch.is_dir()):
        raise UserError(
            f"There is no store at {layout.folder}.",
            f"Name its folder with --store or {STORE_VARIABLE}; a pipeline makes it when it is first used.",
        )
    return layout


def _refuse_unknown(stages: Sequence[str] | None, outputs: Sequence[StoredOutput]) -> None:
    known = sorted({one.name for one in outputs})
    for stage in stages or ():
        if stage not in known:
            raise UserError(f"The store has no output of {stage!r}.", f"It has {', '.join(known) or 'none at all'}.")


def _total(outputs: Sequence[StoredOutput]) -> str:
    n_bytes, seconds = sum(one.n_bytes for one in outputs), sum(one.seconds for one in outputs)
    return f"{_count(len(outputs), 'output')}, {size_text(n_bytes)}, made in {age_text(seconds)}"


def _moment(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds")


def _ago(timestamp: float) -> str:
    return age_text(time.time() - timestamp)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
