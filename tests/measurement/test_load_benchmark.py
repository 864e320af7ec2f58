"""The benchmark of the load generator runs and writes what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_BENCHMARK = Path(__file__).parents[2] / "studies" / "benchmarks" / "load_generator.py"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_benchmark_compares_ten_runs_with_theory(tmp_path: Path) -> None:
    """A short run gives both tables, a row for each utilisation with the known mean wait, and the environment."""
    page = tmp_path / "results" / "load_generator.md"

    subprocess.run([sys.executable, str(_BENCHMARK), "--seconds", "0.3", "--output", str(page)], check=True)

    text = page.read_text()
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| 0.")]
    assert [row[0] for row in rows] == 2 * ["| 0.3", "| 0.5", "| 0.7", "| 0.8", "| 0.9"]
    assert [row[3] for row in rows[:5]] == ["0.214", "0.500", "1.167", "2.000", "4.500"]
    assert "load_generator.py --seconds 0.3" in text
    assert "cpu_model" in text
    assert "share_of_others (greatest): " in text
    assert "share_of_others (median): None" not in text
