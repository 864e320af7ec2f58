"""The page of results that a benchmark writes: what was asked, by which command, what came out, and where."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path


def results_page(
    title: str, command: str, about: str | None, lines: Sequence[str], environment: Mapping[str, object]
) -> str:
    """The page as Markdown.

    Args:
        title: Its heading.
        command: What makes it, as typed in the repository's root.
        about: What is asked and how: the program's docstring, whose line with the command is left out.
        lines: The tables and what is said of them.
        environment: Where it was measured.
    """
    explained = re.sub(r"\n\n    python [^\n]*\n", "\n", str(about)).strip()
    machine = [f"- {name}: {value}" for name, value in environment.items()]
    made = f"Made by `{command}`. {explained}"
    return "\n".join([f"# {title}", "", made, "", *lines, "", "## Environment", "", *machine, ""])


def publish(page: str, path: Path) -> None:
    """Print the page and write it to ``path``."""
    print(page)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
