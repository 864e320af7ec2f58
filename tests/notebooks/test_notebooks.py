"""The notebooks run, and are committed with what they show."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from notebooks.execute import HERE, executed

FEWER_TRIALS = {
    "bring_your_own_model": {"n_trials = 8": "n_trials = 3"},
    "choosing_a_configuration": {},
    "quickstart": {"n_trials = 16": "n_trials = 3", "users=800, items=1_500": "users=120, items=60"},
}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", FEWER_TRIALS)
def test_a_notebook_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cell raises an error, with fewer trials than are shown; and the one that is committed stays as it is."""
    monkeypatch.setenv("PLOTLY_RENDERER", "plotly_mimetype")
    path = HERE / f"{name}.ipynb"
    before = path.read_bytes()

    notebook = executed(path, FEWER_TRIALS[name])

    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert path.read_bytes() == before


@pytest.mark.parametrize("path", sorted(HERE.glob("*.ipynb")), ids=lambda path: str(path.stem))
def test_a_notebook_is_committed_as_it_ran(path: Path) -> None:
    """Every code cell ran once, in order and without errors or warnings; nothing says when or where."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]

    assert path.stem in FEWER_TRIALS
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert {output.output_type for output in outputs} <= {"stream", "display_data", "execute_result"}
    assert all(output.name == "stdout" for output in outputs if output.output_type == "stream")
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 1
    assert all(not cell.metadata for cell in notebook.cells)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
