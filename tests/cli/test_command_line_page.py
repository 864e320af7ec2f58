"""What docs/command_line.md shows is run."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "command_line.md"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_study_file_and_the_commands_of_the_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., tuple[int, str, str]]
) -> None:
    """They run as they stand, on a small shop instead of a download and for three trials instead of sixty."""
    text = PAGE.read_text(encoding="utf-8").replace("--n-trials 60", "--n-trials 3")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert 'po.load_interactions("ml-100k")' in code
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARETOOPT_STORE", str(tmp_path / "store"))
    Path("shop.py").write_text(
        code.replace('po.load_interactions("ml-100k")', "po.synthetic_shop(users=120, items=60)")
    )

    for command in re.findall(r"^\$ paretoopt (.*)$", text, flags=re.MULTILINE):
        assert ask(*shlex.split(command))[0] == 0, command

    assert len(json.loads(ask("trials", "--format", "json")[1])) == 3
    assert all(Path(name).exists() for name in ("pareto-front.html", "report.html", "deploy/shop/model.onnx"))
