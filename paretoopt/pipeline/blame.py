"""Errors within a step, made those of the candidate, with the step's name."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from paretoopt.errors import CandidateError, ParetooptError

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def blaming(step: str) -> Iterator[None]:
    """Name the step in any error that it raises."""
    try:
        yield
    except CandidateError as error:
        raise type(error)(f"{step}: {error}") from error
    except ParetooptError:
        raise
    except OSError as error:
        if error.errno in _FULL_DISK:
            raise  # no fault of the candidate: the store says so
        raise CandidateError(f"{step}: {type(error).__name__}: {error}") from error
    except Exception as error:
        raise CandidateError(f"{step}: {type(error).__name__}: {error}") from error
