"""Run a module under the limits of a measurement: ``python -m paretoopt.measurement.confinement``.

The limits are set before the module and its libraries are imported, so that every thread that they
start inherits them. This module imports nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import runpy
import signal
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Confinement:
    """What a measured process may use.

    Attributes:
        parent_pid: The process that measures; when it dies, this one is killed.
        cores: Cores to run on; empty for any.
        memory_bytes: Private memory that may be mapped; None for any.
        wall_seconds: After this the kernel ends the process, even when nobody watches it any more.
    """

    parent_pid: int
    cores: tuple[int, ...]
    memory_bytes: int | None
    wall_seconds: float


def command(confinement: Confinement, module: str, *arguments: str) -> list[str]:
    """The command that runs ``module`` with ``arguments`` under ``confinement``."""
    return [sys.executable, "-m", __spec__.name, json.dumps(asdict(confinement)), module, *arguments]


def confine(confinement: Confinement) -> None:
    """Put this process under ``confinement``, for good."""
    _die_with(confinement.parent_pid)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, confinement.wall_seconds)
    if confinement.memory_bytes is not None:
        _limit_memory(confinement.memory_bytes)
    if confinement.cores and hasattr(os, "sched_setaffinity"):
        # Some containers forbid it; the environment record says on which cores the workers really ran.
        with suppress(OSError):
            os.sched_setaffinity(0, confinement.cores)


def _die_with(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent dies, even by SIGKILL; outside Linux the timer does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def _limit_memory(n_bytes: int) -> None:
    # RLIMIT_DATA counts private writable pages. RLIMIT_AS would also count libraries, mapped inputs and the
    # address space that malloc reserves for each thread, none of which is memory.
    _, ceiling = resource.getrlimit(resource.RLIMIT_DATA)
    limit = n_bytes if ceiling == resource.RLIM_INFINITY else min(n_bytes, ceiling)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _main() -> None:
    _, confinement, module, *arguments = sys.argv
    confine(Confinement(**json.loads(confinement)))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
