"""A hold on a stored output: as long as somebody has one, nobody removes the output.

It is a shared ``flock`` on the output's record. The kernel gives it up when its process dies, so that no hold
outlives the one who needs it.
"""

from __future__ import annotations

import fcntl
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Lease:
    """Keeps an output from being removed for as long as this object lives."""

    def __init__(self, descriptor: int) -> None:
        """Own the file ``descriptor`` that holds the lock."""
        weakref.finalize(self, os.close, descriptor)


def lease(record: Path) -> Lease:
    """A hold on the output whose record is the file ``record``.

    Raises:
        FileNotFoundError: The output is not there, or was removed meanwhile.
        OSError: The record cannot be opened.
    """
    descriptor = os.open(record, os.O_RDONLY)
    hold = Lease(descriptor)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    # Whoever removes the output has the lock while the record moves away, and another record may be in its place.
    if not os.path.samestat(os.fstat(descriptor), record.stat()):
        raise FileNotFoundError(f"{record} was removed.")
    return hold


@contextmanager
def all_to_myself(record: Path) -> Iterator[bool]:
    """Whether nobody holds the output; meanwhile nobody gets hold of it either."""
    try:
        descriptor = os.open(record, os.O_RDONLY)
    except FileNotFoundError:
        yield True  # without a record nobody can use it
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)
