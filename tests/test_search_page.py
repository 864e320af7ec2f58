"""What docs/search.md shows is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "search.md"


def test_the_plain_optuna_study_of_the_page_runs() -> None:
    """The example runs as it stands, and proposes a different candidate in each of its eight trials."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, Any] = {}

    exec(compile(code, str(PAGE), "exec"), names)

    assert len({tuple(trial.params.values()) for trial in names["study"].trials}) == 8
