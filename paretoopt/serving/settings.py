"""How a bundle is served, as the parent process hands it to its workers."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

SETTINGS_VARIABLE = "PARETOOPT_SERVING"
"""The environment variable that a worker finds its settings in."""


@dataclass(frozen=True)
class ServingSettings:
    """How a bundle is served.

    Attributes:
        folder: The bundle.
        host: Address to listen on; the loopback interface reaches this machine alone.
        port: Port to listen on; 0 for any free one.
        workers: Processes, each with a copy of the model and one thread to run it.
        queue: Requests that a worker accepts before it has answered them; further ones are told to come later.
        max_body_bytes: The longest body of a request.
        max_rows: Requests that one body may hold.
        body_seconds: How long a client may take to send a body.
        graceful_seconds: How long requests that were accepted may take to be answered after the order to stop.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    queue: int = 64
    max_body_bytes: int = 256 * 1024
    max_rows: int = 64
    body_seconds: float = 10.0
    graceful_seconds: int = 30

    def __post_init__(self) -> None:
        """Refuse settings that nothing can be served with."""
        for name in ("workers", "queue", "max_body_bytes", "max_rows", "body_seconds", "graceful_seconds"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, but got {getattr(self, name)}. Raise it.")
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port must be from 0 to 65535, but got {self.port}. Give another one.")


def to_environment(settings: ServingSettings) -> dict[str, str]:
    """The environment variable that ``from_environment`` reads."""
    return {SETTINGS_VARIABLE: json.dumps({**asdict(settings), "folder": str(settings.folder)})}


def from_environment() -> ServingSettings:
    """The settings that the parent process left."""
    values = json.loads(os.environ[SETTINGS_VARIABLE])
    return ServingSettings(**{**values, "folder": Path(values["folder"])})
