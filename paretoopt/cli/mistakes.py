"""The user's mistakes: one line says what is wrong, the next what to do, and the exit status is 2."""

from __future__ import annotations

import sys

STATUS = 2


class UserError(Exception):
    """Something that whoever typed the command can put right."""

    def __init__(self, cause: str, remedy: str) -> None:
        """Say what is wrong in one sentence, and what to do in another."""
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy


def told(mistake: UserError) -> int:
    """Write the mistake to standard error; gives the exit status."""
    print(f"Error: {_one_line(mistake.cause)}\n{_one_line(mistake.remedy)}", file=sys.stderr)  # noqa: T201 (its job)
    return STATUS


def as_mistake(message: str, remedy: str) -> UserError:
    """The mistake that ``message`` tells of, which may end with a remedy of its own.

    >>> as_mistake("The disk is full: no space left. Free some space.", "").remedy
    'Free some space.'
    >>> as_mistake("No such option: --stor", "See --help.").remedy
    'See --help.'
    """
    cause, end, own_remedy = message.strip().partition(". ")
    return UserError(f"{cause}.", own_remedy) if end else UserError(cause, remedy)


def _one_line(text: str) -> str:
    return " ".join(text.split())
