"""What a verb prints: a table for people, JSON or CSV for programs."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar

import typer
from rich.console import Console
from rich.table import Table

Row = TypeVar("Row")


class Format(StrEnum):
    """How to print."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, JSON or CSV for programs.")]


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column of what is printed.

    Attributes:
        title: Its title in the table.
        name: Its name in JSON and CSV; with the unit, where the value has one.
        value: The value, ready for JSON.
        text: What the table shows; the value itself where left out.
        is_number: Whether the table sets it to the right.
        is_shown: Whether the table has it; JSON and CSV have every column.
    """

    title: str
    name: str
    value: Callable[[Row], Any]
    text: Callable[[Row], str] | None = None
    is_number: bool = False
    is_shown: bool = True

    def shown(self, row: Row) -> str:
        """What the table shows."""
        return str(self.value(row)) if self.text is None else self.text(row)


def print_rows(rows: Sequence[Row], columns: Sequence[Column[Row]], form: Format, *, note: str = "") -> None:
    """Print one line per row to standard output; ``note`` stands beneath the table alone."""
    match form:
        case Format.TABLE:
            _print_table(rows, [column for column in columns if column.is_shown], note)
        case Format.JSON:
            print_json([{column.name: column.value(row) for column in columns} for row in rows])
        case Format.CSV:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow([column.name for column in columns])
            writer.writerows([_cell(column.value(row)) for column in columns] for row in rows)


def print_json(value: object) -> None:
    """Print JSON to standard output; numbers that JSON has not, such as NaN, are null."""
    sys.stdout.write(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def say(text: str) -> None:
    """Write a line for the person to standard error, where it is in no program's way."""
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)


def _print_table(rows: Sequence[Row], columns: Sequence[Column[Row]], note: str) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            no_wrap=column.is_number,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(column.shown(row) for column in columns))
    if rows:
        console.print(table, markup=False, highlight=False)
    if note:
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def _finite(value: object) -> object:
    match value:
        case dict():
            return {name: _finite(one) for name, one in value.items()}
        case list() | tuple():
            return [_finite(one) for one in value]
        case float() if not math.isfinite(value):
            return None
    return value


def _cell(value: object) -> object:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value
