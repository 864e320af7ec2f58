"""The version of a build function."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import pytest

from paretoopt.pipeline.source import source_version

MODULE = """
from math import sqrt

WIDTH = 8
SHOWN = "never used by the model"


def helper(x):
    return x + 1


class Layer:
    def forward(self, x):
        return helper(x) * WIDTH


class Net(Layer):
    def forward(self, x):
        return super().forward(sqrt(x))


def build(params, data):
    return Net()


def unrelated():
    return 1
"""
_numbers = itertools.count()


def version_of(text: str, folder: Path) -> str:
    """The version of ``build`` in a module with this text."""
    name = f"study_{next(_numbers)}"
    path = folder / f"{name}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return source_version(module.build)


def test_the_same_text_gives_the_same_version(tmp_path: Path) -> None:
    """Two modules with the same content build the same."""
    assert version_of(MODULE, tmp_path) == version_of(MODULE, tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return Net()", "return  Net()"),
        ("sqrt(x)", "sqrt(2 * x)"),
        ("return helper(x) * WIDTH", "return WIDTH"),
        ("x + 1", "x + 2"),
        ("WIDTH = 8", "WIDTH = 16"),
    ],
    ids=["the function", "its class", "a base class", "a function of a class", "a constant"],
)
def test_an_edit_of_what_the_model_is_made_of_changes_the_version(old: str, new: str, tmp_path: Path) -> None:
    """Whatever the build function reaches in its own module counts."""
    assert MODULE.count(old) == 1

    assert version_of(MODULE, tmp_path) != version_of(MODULE.replace(old, new), tmp_path)


@pytest.mark.parametrize(("old", "new"), [("return 1", "return 2"), ("never used", "not used")])
def test_an_edit_elsewhere_in_the_module_keeps_the_version(old: str, new: str, tmp_path: Path) -> None:
    """What the model does not use may change without training anew."""
    assert version_of(MODULE, tmp_path) == version_of(MODULE.replace(old, new), tmp_path)


def test_a_function_that_calls_itself_has_a_version(tmp_path: Path) -> None:
    """References in a circle end."""
    text = "def build(params, data):\n    return build if params else other()\n\ndef other():\n    return build(1, 2)\n"

    assert version_of(text, tmp_path)
