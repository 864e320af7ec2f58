"""What browsing loads, and how the command line is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from paretoopt.store.store import Store

HEAVY = {"torch", "optuna", "onnxruntime", "onnx", "plotly", "pandas", "numpy", "sqlalchemy"}


@pytest.mark.parametrize("verb", ["list", "size", "verify", "prune --stage fit"])
def test_browsing_loads_nothing_heavy(store: Store, verb: str) -> None:
    """Neither torch nor Optuna is loaded, nor anything else that takes long."""
    program = (
        "import sys; from paretoopt.cli.main import run; "
        "status = run(sys.argv[1:]); print(status, *sys.modules, file=sys.stderr)"
    )

    command = [sys.executable, "-c", program, "store", *verb.split()]
    status, *loaded = subprocess.run(command, capture_output=True, text=True, check=True).stderr.split("\n")[-2].split()

    assert status == "0"
    assert HEAVY.isdisjoint(loaded)


def test_the_module_is_the_command_line(tmp_path: Path) -> None:
    """``python -m paretoopt.cli`` gives the exit status on."""
    command = [sys.executable, "-m", "paretoopt.cli", "store", "list", "--store", str(tmp_path)]

    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == 2
    assert result.stderr.startswith(f"Error: There is no store at {tmp_path}.")


def test_no_verb_shows_the_help() -> None:
    """Somebody who types nothing more learns what there is."""
    result = subprocess.run([sys.executable, "-m", "paretoopt.cli"], capture_output=True, text=True, check=False)

    assert result.returncode == 2
    assert "store" in result.stdout
    assert result.stderr == ""
