"""How a measured process talks to the one that measures it; this is the measured process's side.

Its job and its result are files in a folder of its own. At a checkpoint it writes one byte to a pipe of
its own and waits for one byte on standard input. Standard output and error are never read for results,
so whatever a library prints does no harm.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JOB_FILE = "job.json"
RESULT_FILE = "result.json"

# What ONNX Runtime, C++ and numpy say when an allocation fails.
_MEMORY_WORDS = ("bad_alloc", "bad allocation", "failed to allocate memory", "out of memory")

# Values are whatever JSON holds: the two sides of one measurement agree on them.
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Channel:
    """The measured process's end.

    Attributes:
        folder: Where the job is, and where the result goes.
        checkpoint_fd: The pipe that tells of checkpoints.
    """

    folder: Path
    checkpoint_fd: int


def checkpoint(channel: Channel) -> None:
    """Say that this phase is done and wait until all processes of the deployment are as far."""
    os.write(channel.checkpoint_fd, b".")
    if not os.read(sys.stdin.fileno(), 1):
        raise SystemExit("the measuring process closed the channel")


def run_task(task: Callable[[Channel, Json], Json]) -> None:
    """Do ``task`` with the job of this process and leave its result, or its error, for the measuring process."""
    channel = Channel(Path(sys.argv[1]), int(sys.argv[2]))
    job = json.loads((channel.folder / JOB_FILE).read_text())
    try:
        result = task(channel, job)
    except Exception as error:  # The boundary of the process: whatever went wrong is reported to the other side.
        _leave(channel, {"error": f"{type(error).__name__}: {error}", "is_memory": _is_memory(error)})
        raise SystemExit(1) from error
    _leave(channel, result)


def _is_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in _MEMORY_WORDS)


def _leave(channel: Channel, result: Json) -> None:
    unfinished = channel.folder / f"{RESULT_FILE}.unfinished"
    unfinished.write_text(json.dumps(result))
    unfinished.replace(channel.folder / RESULT_FILE)
