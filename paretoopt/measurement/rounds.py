"""Rounds of traffic through workers that stay alive in between."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = "round.json"


@dataclass(frozen=True)
class Round:
    """How the workers serve what is in their queue.

    Attributes:
        number: Of the round.
        active_workers: Workers that serve; the others sit this round out.
        stop_ns: When workers stop to take requests, on the machine's monotonic clock.
        least_requests: Requests that each worker serves even later than that, while there are any.
        spin_ns: How long before an arrival a worker wakes up to look for it.
    """

    number: int
    active_workers: int
    stop_ns: int
    least_requests: int
    spin_ns: int


def write_round(folder: Path, traffic: Round | None) -> None:
    """Write the next round where ``read_round`` finds it; None when there is no more."""
    (folder / _FILE).write_text(json.dumps(asdict(traffic) if traffic else None))


def read_round(folder: Path) -> Round | None:
    """The next round; None when there is no more."""
    fields = json.loads((folder / _FILE).read_text())
    return Round(**fields) if fields else None
