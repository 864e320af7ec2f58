"""Sizes and times as people type and read them."""

from __future__ import annotations

import re

from paretoopt.cli.mistakes import UserError

_BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_QUANTITY = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-z]+)\s*")


def parse_size(text: str) -> int:
    """The number of bytes.

    Raises:
        UserError: It is no size.

    >>> parse_size("1.5KiB"), parse_size("2 GiB") == 2**31
    (1536, True)
    """
    return round(_parse(text, _BYTES, "size", "500MiB or 20GiB"))


def parse_age(text: str) -> float:
    """The number of seconds.

    Raises:
        UserError: It is no time.

    >>> parse_age("90min"), parse_age("30d")
    (5400.0, 2592000.0)
    """
    return _parse(text, _SECONDS, "time", "12h or 30d")


def size_text(n_bytes: float) -> str:
    """A size with three digits.

    >>> size_text(12), size_text(1536), size_text(5 * 2**30)
    ('12 B', '1.5 KiB', '5 GiB')
    """
    unit = max((one for one in _BYTES.items() if one[1] <= max(n_bytes, 1)), key=lambda one: one[1])
    return f"{n_bytes / unit[1]:.3g} {unit[0]}" if n_bytes / unit[1] < 1000 else f"{n_bytes / unit[1]:.0f} {unit[0]}"


def age_text(seconds: float) -> str:
    """A time in its largest unit.

    >>> age_text(0.4), age_text(80), age_text(3 * 86_400)
    ('0.4 s', '1 min', '3 d')
    """
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f} s"
    name, length = max((one for one in _SECONDS.items() if one[1] <= seconds), key=lambda one: one[1])
    return f"{seconds // length:.0f} {name}"


def _parse(text: str, units: dict[str, int], noun: str, examples: str) -> float:
    match = _QUANTITY.fullmatch(text)
    by_lower = {unit.lower(): factor for unit, factor in units.items()}
    if match is None or match["unit"].lower() not in by_lower:
        raise UserError(f"{text!r} is no {noun}.", f"Write a number and one of {', '.join(units)}: {examples}.")
    return float(match["number"]) * by_lower[match["unit"].lower()]
