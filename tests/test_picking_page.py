"""What docs/picking.md shows is what comes out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "picking.md"


def test_the_examples_of_the_page_print_what_it_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both examples, one after the other, from the table that the repository holds."""
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    pairs = re.findall(r"```python\n(.*?)```\n\n((?:    [^\n]*\n)+)", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)

    for code, output in pairs:
        exec(compile(code, str(PAGE), "exec"), names)
        assert capsys.readouterr().out.splitlines() == [line[4:] for line in output.splitlines()]
    assert len(pairs) == 2
