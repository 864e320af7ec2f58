"""Which study a verb looks at: the options that say it, and the study itself."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from paretoopt.cli.output import say
from paretoopt.search.storage import DEFAULT_STORAGE
from paretoopt.search.stored_study import StoredStudy, open_stored_study

StorageOption = Annotated[
    str | None,
    typer.Option("--storage", metavar="URL", help=f"The studies' database; left out, {DEFAULT_STORAGE}."),
]
StudyNameOption = Annotated[
    str | None,
    typer.Option("--study-name", metavar="NAME", help="The study; left out, the only one of the database."),
]


def opened(storage: str | None, study_name: str | None) -> StoredStudy:
    """The study that the options name."""
    return open_stored_study(study_name=study_name, storage=storage)


@contextmanager
def warnings_told() -> Iterator[None]:
    """Tell the person of warnings in a line each, on standard error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        yield
    for text in dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, UserWarning)):
        say(f"Warning: {text}")
