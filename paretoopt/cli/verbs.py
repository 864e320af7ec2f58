"""Verbs whose modules are loaded when they are asked for, so that each verb loads what it needs and no more."""

from __future__ import annotations

import importlib
from typing import Any

import typer
import typer.core
import typer.main


class Verb(typer.core.TyperCommand):
    """A verb, or a group of verbs, that stands for the ``app`` of a module."""

    def __init__(self, name: str, module: str, help: str) -> None:
        """Stand for ``module``; ``help`` is the first line of its help, for the list of all verbs."""
        super().__init__(name, help=help)
        self._module = module

    def make_context(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 (passed on as they are)
        """Load the verb, and read its arguments."""
        app: typer.Typer = importlib.import_module(self._module).app
        loaded = typer.main.get_command(app)
        loaded.name = self.name
        return loaded.make_context(*args, **extra)
