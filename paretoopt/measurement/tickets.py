"""One queue for several workers: a file of tickets, read through one open file that all of them share.

A ticket is the number of a request and the moment at which it arrives. Reading a ticket moves the position
that all workers share, and the kernel lets one of them read at a time, so each ticket goes to one worker, in
order. A worker that is free takes the next ticket, and waits when the request has not arrived yet: this
is a queue that is served first come, first served, with no process that hands requests out.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_TICKET = struct.Struct("qq")


@contextmanager
def ticket_queue(folder: Path) -> Iterator[int]:
    """An empty queue, as the file descriptor that the workers inherit."""
    queue = os.open(folder / "tickets", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        yield queue
    finally:
        os.close(queue)


def issue_tickets(queue: int, arrivals: NDArray[np.int64]) -> None:
    """Put new tickets into the queue, in place of all that were in it; no worker may take any meanwhile.

    Args:
        queue: The queue.
        arrivals: When each request arrives, in nanoseconds of the machine's monotonic clock, ascending.
    """
    tickets = memoryview(np.stack([np.arange(len(arrivals)), arrivals], axis=1).astype(np.int64).tobytes())
    os.ftruncate(queue, 0)
    os.lseek(queue, 0, os.SEEK_SET)
    while tickets:
        tickets = tickets[os.write(queue, tickets) :]
    os.lseek(queue, 0, os.SEEK_SET)


def take_ticket(queue: int) -> tuple[int, int] | None:
    """The next request's number and arrival; None when there is no more."""
    ticket = os.read(queue, _TICKET.size)
    return _TICKET.unpack(ticket) if ticket else None
