"""The studies that a newcomer runs first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

STUDIES = Path(__file__).resolve().parents[2] / "studies"


def run_study(name: str, *arguments: str, folder: Path) -> str:
    """Run a study as its own process in ``folder``; gives what it printed."""
    finished = subprocess.run(
        [sys.executable, str(STUDIES / name), *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3_000:]
    return finished.stdout


@pytest.mark.slow
@pytest.mark.timeout(1_500)
def test_the_quickstart_shows_a_front_and_goes_on_where_it_was(tmp_path: Path) -> None:
    """The first run prints the front and a pick with its reason and writes the report; the second measures nothing."""
    first = run_study("quickstart.py", folder=tmp_path)
    second = run_study("quickstart.py", folder=tmp_path)

    assert "Pareto front:" in first
    assert "satisfies ndcg_at_10" in first
    assert (tmp_path / "report.html").stat().st_size < 6_000_000
    assert re.findall(r"Pareto front: \d+ of \d+", first) == re.findall(r"Pareto front: \d+ of \d+", second)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_model_of_ones_own_takes_under_sixty_lines(tmp_path: Path) -> None:
    """It is described before it trains, and pruned, quantised, measured and searched."""
    printed = run_study("bring_your_own_model.py", folder=tmp_path)

    assert len((STUDIES / "bring_your_own_model.py").read_text().splitlines()) < 60
    assert re.search(r"hidden +64 -> 64 +MatMulInteger +8", printed)
    assert re.search(r"items +2,000 rows x 32 +GatherBlockQuantized +8", printed)
    front = printed[printed.index("linear_bits") :]
    assert all(float(line.split()[4]) > 0.85 for line in front.splitlines()[1:]), front


@pytest.mark.realdata
@pytest.mark.timeout(900)
def test_the_movielens_study_writes_its_table(tmp_path: Path, real_data: Path) -> None:
    """Two configurations, one epoch: the table names the baselines and every column has its values."""
    run_study(
        "movielens.py",
        *("--data", str(real_data / "ml-100k"), "--n-trials", "2", "--epochs", "1"),
        *("--store", "store", "--output", "table.md"),
        folder=tmp_path,
    )

    table = (tmp_path / "table.md").read_text()
    assert "| popularity |" in table
    assert "| uncompressed" in table
    assert {line.count("|") for line in table.splitlines() if line.startswith("|")} == {16}
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 3
