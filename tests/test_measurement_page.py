"""The example of the page on measurements is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "measurement.md"


@pytest.mark.timeout(400)
def test_the_example_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example runs as it stands, on a small shop and its attributes instead of a download."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    for shown, small in {
        'po.load_interactions("ml-100k")': "po.synthetic_shop(users=300, items=60)",
        'po.by_attribute("gender")': 'po.by_attribute("device")',
        'po.by_attribute("age", edges=(18, 25, 35, 50))': 'po.by_attribute("age_band")',
        "n_trials=4": "n_trials=2",
    }.items():
        assert shown in code
        code = code.replace(shown, small)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARETOOPT_STORE", str(tmp_path / "store"))

    exec(compile(code, str(PAGE), "exec"), {})

    assert "item_popularity" in capsys.readouterr().out
