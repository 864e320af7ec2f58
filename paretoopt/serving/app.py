"""The application that every worker runs: ``POST /recommend``, ``GET /healthz`` and ``GET /metrics``."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from paretoopt.serving.metrics import Metrics, exposition
from paretoopt.serving.model import ServedModel
from paretoopt.serving.requests import RefusalError, parse_inputs
from paretoopt.serving.settings import ServingSettings, from_environment

_JSON = "application/json"
# nginx's status of a client that went away; nobody reads it but the metrics.
_CLIENT_LEFT = 499
# A client that is refused while it still sends may never read why, so what is too long is read to its end, and dropped.
_MOST_DRAINED_BYTES = 16 << 20


class Worker:
    """A worker's model, its queue and its metrics."""

    def __init__(self, settings: ServingSettings) -> None:
        """Load the bundle.

        Raises:
            ArtifactError: The bundle cannot be served.
        """
        self._settings = settings
        self._n_queued = 0
        self._metrics = Metrics()
        self.model = ServedModel(settings.folder)

    async def recommend(self, request: Request) -> Response:
        """Answer, or say why not."""
        began = time.perf_counter()
        try:
            response = await self._answered(request)
        except RefusalError as refusal:
            response = _refused(refusal)
        except ClientDisconnect:
            response = Response(status_code=_CLIENT_LEFT)
        self._metrics.answered(response.status_code, time.perf_counter() - began)
        return response

    async def _answered(self, request: Request) -> Response:
        # A request takes its place before its body is read, so that bodies in memory are bounded, too.
        if self._n_queued >= self._settings.queue:
            raise RefusalError(503, f"{self._n_queued} requests wait already; come again later", retry_after=1)
        self._queue(+1)
        try:
            body = await self._body(request)
            inputs = parse_inputs(body, self.model.ports, max_rows=self._settings.max_rows)
            with self._metrics.running_model():
                return _json(await self.model.answer(inputs))
        finally:
            self._queue(-1)

    def _queue(self, change: int) -> None:
        self._n_queued += change
        self._metrics.queued(self._n_queued)

    async def _body(self, request: Request) -> bytes:
        limit = self._settings.max_body_bytes
        too_long = RefusalError(413, f"the body may have {limit} bytes")
        if _told_length(request) > _MOST_DRAINED_BYTES:
            raise too_long
        body, n_bytes = bytearray(), 0
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                async for chunk in request.stream():
                    n_bytes += len(chunk)
                    if n_bytes <= limit:
                        body += chunk
                    elif n_bytes > _MOST_DRAINED_BYTES:
                        raise too_long
        except TimeoutError as error:
            raise RefusalError(408, f"the body took more than {self._settings.body_seconds:g} s") from error
        if n_bytes > limit:
            raise too_long
        return bytes(body)


def create_app() -> Starlette:
    """The application of a worker, by the settings that its parent left in the environment.

    The bundle is loaded when the worker starts up: where that fails, the server stops instead of trying again.
    """
    settings = from_environment()
    workers: list[Worker] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        workers.append(Worker(settings))
        yield
        workers.pop().model.close()

    async def recommend(request: Request) -> Response:
        return await workers[0].recommend(request)

    async def healthz(request: Request) -> Response:
        return _json({"status": "ok", "model_sha256": workers[0].model.checksum})

    async def metrics(request: Request) -> Response:
        return Response(exposition(), media_type=CONTENT_TYPE_LATEST)

    routes = [
        Route("/recommend", recommend, methods=["POST"]),
        Route("/healthz", healthz, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _told_length(request: Request) -> int:
    """The length that the client told; 0 where it told none."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0


def _refused(refusal: RefusalError) -> Response:
    response = _json({"error": refusal.message}, refusal.status)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    if refusal.status in (408, 413):  # some of the body may be unread
        response.headers["Connection"] = "close"
    return response


def _json(content: object, status: int = 200) -> Response:
    return Response(json.dumps(content, separators=(",", ":")), status, media_type=_JSON)
