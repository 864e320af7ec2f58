"""Who evaluates a trial, so that one whose process died can be told from one that still runs."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any


def this_process() -> dict[str, Any]:
    """Names this process so that no later one is taken for it, as JSON."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": _start_tick(os.getpid())}


def has_died(process: dict[str, Any]) -> bool:
    """Whether the process that :func:`this_process` named is gone; False for one on another host, which is unseen."""
    if process["host"] != socket.gethostname():
        return False
    started = _start_tick(process["pid"])
    return started is None or started != process["started"]


def _start_tick(pid: int) -> int | None:
    """When the process started, in clock ticks after boot; None where there is none, or only its remains."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name stands in brackets and may itself hold brackets and spaces.
    state, *fields = text.rpartition(")")[2].split()
    return None if state in ("Z", "X") else int(fields[18])
