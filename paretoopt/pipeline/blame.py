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
        # Where one step asked another for its output, the one that failed is the inner one.
        stage = error.stage or step
        raise type(error)(f"{step}: {error}", stage=stage, training_cost=error.training_cost) from error
    except ParetooptError:
        raise
    except OSError as error:
        if error.errno in _FULL_DISK:
            raise  # no fault of the candidate: the store says so
        raise CandidateError(f"{step}: {type(error).__name__}: {error}", stage=step) from error
    except Exception as error:
        raise CandidateError(f"{step}: {type(error).__name__}: {error}", stage=step) from error
