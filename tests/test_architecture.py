"""The shape of the house, held up by tests: floors, sizes, and what an import costs."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import paretoopt

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "paretoopt").rglob("*.py"))
LONGEST_MODULE = 300
LONGEST_FUNCTION = 60
HEAVY = ("torch", "onnxruntime", "optuna", "plotly", "pandas")
MACHINE_PATH = re.compile(r"(?<![\w.~}])/(?:root|home|work|Users|tmp)/\w")


def test_imports_respect_the_floors() -> None:
    """The contracts of pyproject.toml hold: every import goes downwards, and both walls stand."""
    # Not the lint-imports script: it need not be on the path of whoever runs the tests.
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"

    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_are_short(module: Path) -> None:
    """A module holds one idea, in at most 300 lines; a function at most 60, docstring included."""
    text = module.read_text(encoding="utf-8")

    too_long = [name for name, n_lines in functions(ast.parse(text)) if n_lines > LONGEST_FUNCTION]

    assert len(text.splitlines()) <= LONGEST_MODULE
    assert too_long == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_imports_the_package_root(module: Path) -> None:
    """Modules import each other by full path; through the root, everything would depend on everything."""
    tree = ast.parse(module.read_text(encoding="utf-8"))

    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert "paretoopt" not in imported


def test_importing_the_package_is_light() -> None:
    """`import paretoopt` loads no heavy library; each comes with the first name that needs it."""
    program = "import sys, paretoopt; print(*sys.modules)"

    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert set(HEAVY).isdisjoint(result.stdout.split())


@pytest.mark.parametrize("name", paretoopt.__all__)
def test_public_names_exist(name: str) -> None:
    """Every name that the package announces can be used."""
    assert getattr(paretoopt, name) is not None


def test_files_name_no_machine() -> None:
    """No file of the repository holds an absolute path of someone's machine."""
    leaks = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in repository_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="ignore").splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]

    assert leaks == []


def functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The name and length in lines of every function in ``tree``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def repository_files() -> list[Path]:
    """The files that are, or would be, committed."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git repository")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]
