"""A study file: a Python file whose names say what is searched, and by which pipeline.

``space`` and ``objectives`` are needed; ``constraints``, ``study_name``, ``storage``, ``sampler`` and ``seed`` may
be there. They mean what the arguments of `create_study` mean. ``pipeline`` is what `Study.optimize` takes, or a
function without arguments that gives it; ``enqueue`` lists the candidates to evaluate first.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretoopt.cli.mistakes import UserError
from paretoopt.errors import ParetooptError
from paretoopt.search.create import create_study
from paretoopt.search.study import Study

_MODULE = "paretoopt_study"
_NEEDED = {
    "space": "space = po.SearchSpace(...)",
    "objectives": "objectives = [po.maximize('ndcg_at_10'), ...]",
    "pipeline": "def pipeline(): return po.Pipeline(...)",
}
_OPTIONAL = ("constraints", "costs", "study_name", "storage", "sampler", "seed")


@dataclass(frozen=True)
class StudyFile:
    """What a study file says.

    Attributes:
        path: The file.
        names: What it defines.
    """

    path: Path
    names: Mapping[str, Any]

    @property
    def study_name(self) -> str:
        """The study's name: what the file says, else the name of the file."""
        return str(self.names.get("study_name") or self.path.stem)

    def study(self, *, storage: str | None, study_name: str | None) -> Study:
        """Create the study, or reopen it; what is given here goes before what the file says."""
        settings = {name: self.names[name] for name in _OPTIONAL if self.names.get(name) is not None}
        settings["study_name"] = study_name or self.study_name
        if storage is not None:
            settings["storage"] = storage
        study = create_study(self.names["space"], objectives=self.names["objectives"], load_if_exists=True, **settings)
        for params in self.names.get("enqueue", ()):
            study.enqueue(params)
        return study

    def pipeline(self) -> Any:  # noqa: ANN401 (a pipeline, another evaluator, or a function of the candidate)
        """The pipeline, built where the file gives a function without arguments."""
        given = self.names["pipeline"]
        if inspect.isfunction(given) and not inspect.signature(given).parameters:
            with _naming_line(self.path):
                return given()
        return given


@contextmanager
def _naming_line(path: Path) -> Iterator[None]:
    """Turn an error of the file's own code into the person's mistake, with its line."""
    try:
        yield
    except (ParetooptError, UserError):
        raise
    except SyntaxError as error:
        raise _broken(path, error.lineno, error) from error
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename) == path.absolute()]
        raise _broken(path, lines[-1] if lines else None, error) from error


def _broken(path: Path, line: int | None, error: Exception) -> UserError:
    place = f"{path}, line {line}" if line else str(path)
    return UserError(f"{place}: {type(error).__name__}: {error}.", f"Mend it; python {path} shows the whole traceback.")


def read_study_file(path: Path) -> StudyFile:
    """Run a study file, as ``python`` would import it.

    Raises:
        UserError: There is no such file, it raises an error, or a name is missing.
    """
    if not path.is_file():
        raise UserError(f"There is no study file {path}.", "Name a Python file; docs/command_line.md shows one.")
    spec = importlib.util.spec_from_file_location(_MODULE, path.absolute())
    if spec is None or spec.loader is None:
        raise UserError(f"{path} is no Python file.", "A study file ends with .py; docs/command_line.md shows one.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module  # where `inspect` and `pickle` look for what the file defines
    sys.path.insert(0, str(path.absolute().parent))
    with _naming_line(path):
        spec.loader.exec_module(module)
    for name, example in _NEEDED.items():
        if not hasattr(module, name):
            raise UserError(f"{path} does not define {name}.", f"Write, for example: {example}")
    return StudyFile(path, vars(module))
