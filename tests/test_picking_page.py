"""What docs/picking.md shows is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_the_examples_of_the_page_print_what_it_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each example is followed by its output."""
    page = (ROOT / "docs" / "picking.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", page, flags=re.DOTALL)
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}

    assert len(examples) == page.count("```python") == 6
    for code, output in examples:
        exec(compile(code, "docs/picking.md", "exec"), names)
        assert capsys.readouterr().out == output
