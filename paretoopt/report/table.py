"""A table of texts that a browser can sort."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: What is shown.
        order: What it is sorted by.
        note: A smaller text beneath; often empty.
    """

    text: str
    order: float | str
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Column titles and rows."""

    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
