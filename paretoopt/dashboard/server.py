"""Serving the dashboard until somebody ends it."""

from __future__ import annotations

import socket

from paretoopt.dashboard.app import make_app
from paretoopt.dashboard.live_report import LiveReport
from paretoopt.errors import MissingExtraError

try:
    import uvicorn
except ImportError as missing:
    raise MissingExtraError("the dashboard needs starlette and uvicorn: pip install 'paretoopt[serve]'.") from missing

LOOPBACK = ("127.0.0.1", "localhost")
_GRACE_S = 3


def serve(report: LiveReport, listening: socket.socket, *, host: str) -> None:
    """Answer at a socket that listens already, until SIGINT or SIGTERM.

    Args:
        report: What to show.
        listening: The socket.
        host: Its address, as it was asked for. Anything but this machine's own is reached under names that nobody here
            knows, so then every name is answered to.
    """
    pages = make_app(report, hosts=LOOPBACK if host in LOOPBACK else ["*"])
    server = uvicorn.Server(uvicorn.Config(pages, log_level="warning", timeout_graceful_shutdown=_GRACE_S))
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        return
