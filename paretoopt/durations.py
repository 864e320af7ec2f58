"""Times in words."""

from __future__ import annotations


def duration_text(seconds: float) -> str:
    """A time for a person.

    >>> duration_text(0.4), duration_text(75), duration_text(7260)
    ('0.4 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
