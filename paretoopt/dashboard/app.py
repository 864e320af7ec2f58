"""The dashboard's pages. All of them only look: nothing that a browser sends changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from paretoopt.dashboard.live_report import LiveReport
from paretoopt.errors import MissingExtraError, StudyError

try:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
    from starlette.routing import Route
except ImportError as missing:
    raise MissingExtraError("the dashboard needs starlette and uvicorn: pip install 'paretoopt[serve]'.") from missing

_SHELL = files("paretoopt.dashboard").joinpath("shell.html")
# The report is made of inline scripts and styles, and fetches nothing from elsewhere; nor may anything embed it.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(report: LiveReport, *, hosts: Sequence[str]) -> Starlette:
    """The application that shows ``report``.

    ``/`` is the page that keeps itself up to date, ``/report`` the report alone, and ``/version`` says what the study
    is at.

    Args:
        report: What to show.
        hosts: Names under which browsers may ask. A page from elsewhere whose name was made to point to this machine
            sends its own name, and gets nothing.
    """

    def shell(request: Request) -> Response:
        return HTMLResponse(_SHELL.read_text(encoding="utf-8"), headers=_HEADERS)

    def page(request: Request) -> Response:
        edition = report.edition()
        return HTMLResponse(edition.page, headers={**_HEADERS, "X-Version": edition.version})

    def version(request: Request) -> Response:
        return JSONResponse({"study_name": report.study_name, "version": report.version()}, headers=_HEADERS)

    def unreadable(request: Request, error: Exception) -> Response:
        return PlainTextResponse(str(error), status_code=503, headers=_HEADERS)

    return Starlette(
        routes=[Route("/", shell), Route("/report", page), Route("/version", version)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
        exception_handlers={StudyError: unreadable},
    )
