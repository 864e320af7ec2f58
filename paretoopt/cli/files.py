"""Files that a verb writes for a person to look at."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from paretoopt.cli.mistakes import UserError

OpenOption = Annotated[bool, typer.Option("--open", help="Open it in the browser.")]


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a path that cannot be written to into the person's mistake."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror or error}.", "Name a file with --output."
        ) from error


def tell_written(path: Path, *, is_opened: bool) -> None:
    """Print where the file is, and open it where that is wanted."""
    sys.stdout.write(f"{path}\n")
    if is_opened:
        webbrowser.open(path.absolute().as_uri())
