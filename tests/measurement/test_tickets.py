"""One queue for several processes gives each ticket to one of them, in order."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np

from paretoopt.measurement.tickets import issue_tickets, take_ticket, ticket_queue

_TAKE_ALL = """
import json, sys
from paretoopt.measurement.tickets import take_ticket
taken = []
while (ticket := take_ticket(int(sys.argv[1]))) is not None:
    taken.append(ticket)
print(json.dumps(taken))
"""


def test_every_ticket_goes_to_one_process(tmp_path: Path) -> None:
    """Three processes that take as fast as they can get every ticket once, each in ascending order."""
    n_tickets = 100_000
    with ticket_queue(tmp_path) as queue:
        issue_tickets(queue, np.arange(n_tickets) * 7)
        command = [sys.executable, "-c", _TAKE_ALL, str(queue)]
        takers = [subprocess.Popen(command, pass_fds=(queue,), stdout=subprocess.PIPE) for _ in range(3)]
        taken = [json.loads(taker.communicate()[0]) for taker in takers]

    assert all(tickets == sorted(tickets) for tickets in taken)
    assert sorted(chain.from_iterable(taken)) == [[number, 7 * number] for number in range(n_tickets)]


def test_new_tickets_replace_those_that_nobody_took(tmp_path: Path) -> None:
    """After a round that was stopped, the next one starts with its own first ticket."""
    with ticket_queue(tmp_path) as queue:
        issue_tickets(queue, np.array([10, 20, 30]))
        assert take_ticket(queue) == (0, 10)

        issue_tickets(queue, np.array([40]))

        assert take_ticket(queue) == (0, 40)
        assert take_ticket(queue) is None
