"""``paretoopt serve``: a bundle behind HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paretoopt.cli.mistakes import UserError

app = typer.Typer()


@app.command()
def serve(
    folder: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    workers: Annotated[int, typer.Option(min=1, help="Processes, each with a copy of the model.")] = 1,
    host: Annotated[str, typer.Option(help="Address to listen on; left out, this machine alone reaches it.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 for any free one.")] = 8000,
    queue: Annotated[int, typer.Option(min=1, help="Requests that a worker accepts before it has answered.")] = 64,
    max_body_kib: Annotated[int, typer.Option(min=1, help="The longest body of a request, in KiB.")] = 256,
    max_rows: Annotated[int, typer.Option(min=1, help="Requests that one body may hold.")] = 64,
) -> None:
    """Serve a bundle over HTTP until SIGTERM: POST /recommend, GET /healthz, GET /metrics.

    There is no authentication and no encryption: put a proxy in front before others can reach it.
    """
    # Whoever browses shall not wait for a web server.
    from paretoopt.serving.server import serve as serve_bundle  # noqa: PLC0415
    from paretoopt.serving.settings import ServingSettings  # noqa: PLC0415

    settings = ServingSettings(
        folder.expanduser().absolute(),
        host=host,
        port=port,
        workers=workers,
        queue=queue,
        max_body_bytes=max_body_kib * 1024,
        max_rows=max_rows,
    )
    try:
        status = serve_bundle(settings)
    except OSError as error:
        raise UserError(f"{host}:{port} cannot be listened on: {error}.", "Give another --host or --port.") from error
    raise typer.Exit(status)
