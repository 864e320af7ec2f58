"""What README shows is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"


@pytest.mark.timeout(400)
def test_the_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example runs as it stands, on a small shop instead of a download and for two trials instead of sixty."""
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    for shown, small in {
        'po.load_interactions("ml-100k")': "po.synthetic_shop(users=120, items=60)",
        "n_trials=60": "n_trials=2",
    }.items():
        assert shown in code
        code = code.replace(shown, small)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARETOOPT_STORE", str(tmp_path / "store"))

    exec(compile(code, str(README), "exec"), {})

    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "deploy" / "shop" / "model.onnx").exists()
