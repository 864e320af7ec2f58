"""The parent process of a server: it holds the socket, starts the workers, and ends with them."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from paretoopt.errors import MissingExtraError
from paretoopt.serving.preflight import check_bundle
from paretoopt.serving.settings import ServingSettings, to_environment

try:
    import prometheus_client  # noqa: F401 (the workers need it)
    import starlette  # noqa: F401 (the workers need it)
    import uvicorn
    from uvicorn.config import STARTUP_FAILURE
    from uvicorn.supervisors import Multiprocess
except ImportError as error:
    raise MissingExtraError(
        f"serving needs {error.name or 'starlette, uvicorn and prometheus-client'}, which is not installed. "
        "Install it with: pip install 'paretoopt[serve]'"
    ) from error

# One thread each: workers are the way to use more cores.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_BACKLOG = 2048


def serve(settings: ServingSettings) -> int:
    """Serve a bundle until SIGTERM or SIGINT; requests that were accepted by then are answered.

    A worker that dies is replaced.

    Returns:
        The exit status: 1 where a worker could not start, or else 0.

    Raises:
        ArtifactError: The bundle is not what its manifest says, or cannot answer.
        OSError: The address cannot be listened on.
    """
    check_bundle(settings.folder)
    config = uvicorn.Config(
        "paretoopt.serving.app:create_app",
        factory=True,
        workers=settings.workers,
        backlog=_BACKLOG,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=settings.graceful_seconds,
    )
    with (
        _listening(settings) as listener,
        tempfile.TemporaryDirectory(prefix="paretoopt-metrics-") as metrics,
        _environment({**to_environment(settings), **_ONE_THREAD, "PROMETHEUS_MULTIPROC_DIR": metrics}),
    ):
        # Apart from this process even where there is one alone: a worker that dies is replaced.
        supervisor = Multiprocess(config, sockets=[listener])
        supervisor.run()
    failed = any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes)
    return 1 if failed else 0


@contextmanager
def _listening(settings: ServingSettings) -> Iterator[socket.socket]:
    """The socket that all workers share, once it is known which address it has."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG) as listener:
        # Accepted connections inherit it. asyncio sets it on sockets that know their protocol alone; without it, an
        # answer's head and body go apart, and the second waits 40 ms for the client to acknowledge the first.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host = f"[{settings.host}]" if family == socket.AF_INET6 else settings.host
        address = f"http://{host}:{listener.getsockname()[1]}"
        sys.stderr.write(f"Serving {settings.folder} at {address} with {settings.workers} worker(s)\n")
        sys.stderr.flush()
        yield listener


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, which the workers inherit."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
