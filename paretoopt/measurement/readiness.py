"""What a worker under load tells when it is ready."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = "ready.json"


@dataclass(frozen=True)
class Readiness:
    """How a worker is when traffic begins.

    Attributes:
        cores: The cores that it really runs on, which may be more where pinning is not permitted.
        is_warmed_up: Whether its warm-up became stable.
    """

    cores: tuple[int, ...]
    is_warmed_up: bool


def write_readiness(folder: Path, readiness: Readiness) -> None:
    """Write it where ``read_readiness`` finds it."""
    (folder / _FILE).write_text(json.dumps(asdict(readiness)))


def read_readiness(folder: Path) -> Readiness:
    """What the worker of this folder told."""
    fields = json.loads((folder / _FILE).read_text())
    return Readiness(tuple(fields["cores"]), fields["is_warmed_up"])
