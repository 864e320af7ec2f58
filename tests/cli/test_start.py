"""What each verb loads, and how the command line is started."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
import typer.main

from paretoopt.cli.main import VERBS
from paretoopt.store.store import Store

MODELS = {"torch", "onnxruntime", "onnx"}
SEARCHING = {"sklearn", "scipy", "pandas"}
HEAVY = MODELS | SEARCHING | {"optuna", "plotly", "numpy", "sqlalchemy"}


def loaded_by(*arguments: str) -> set[str]:
    """Everything that a command line loads; it must succeed."""
    program = (
        "import sys; from paretoopt.cli.main import run; "
        "status = run(sys.argv[1:]); print(status, *sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, *arguments]
    status, *loaded = subprocess.run(command, capture_output=True, text=True, check=True).stderr.split("\n")[-2].split()
    assert status == "0"
    return set(loaded)


@pytest.mark.parametrize("verb", ["store list", "store size", "store verify", "store prune --stage fit", "--help"])
def test_looking_at_the_store_loads_nothing_heavy(store: Store, verb: str) -> None:
    """Neither torch nor Optuna is loaded, nor anything else that takes long; the same goes for the help."""
    assert HEAVY.isdisjoint(loaded_by(*verb.split()))


@pytest.mark.parametrize("verb", ["studies", "trials", "best-trials", "pick"])
def test_browsing_loads_neither_models_nor_samplers(study_url: str, verb: str) -> None:
    """A table in the terminal waits for Optuna's storage and nothing more."""
    assert (MODELS | SEARCHING | {"plotly"}).isdisjoint(loaded_by(verb, "--storage", study_url))


@pytest.mark.parametrize("verb", ["plot", "report"])
def test_drawing_loads_no_models(study_url: str, verb: str) -> None:
    """A plot waits for plotly, too; a report, which ranks the dimensions, for scikit-learn beside."""
    never = MODELS | ({"sklearn"} if verb == "plot" else set())
    assert never.isdisjoint(loaded_by(verb, "--storage", study_url))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: str(verb.name))
def test_the_list_of_verbs_says_what_each_says(verb: typer.core.TyperCommand) -> None:
    """The list is written apart, so that it loads no verb; the first line of a verb's own help is the same."""
    app = import_module(f"paretoopt.cli.{str(verb.name).replace('-', '_')}").app

    assert inspect.cleandoc(str(typer.main.get_command(app).help)).splitlines()[0] == verb.help


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


def test_help_of_a_verb_is_its_own(ask: Callable[..., tuple[int, str, str]]) -> None:
    """The verb is loaded, and its usage names the whole command."""
    status, printed, _ = ask("best-trials", "--help")

    assert status == 0
    assert "Usage: paretoopt best-trials [OPTIONS]" in printed
