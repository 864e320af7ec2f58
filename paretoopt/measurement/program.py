"""What a measured process has to do, and what it may take."""

from __future__ import annotations

from dataclasses import dataclass

from paretoopt.errors import MeasurementError
from paretoopt.measurement.channel import Json


@dataclass(frozen=True)
class Limits:
    """What the processes of one measurement may take.

    Attributes:
        seconds: Wall-clock time of the whole measurement.
        memory_mib: Private memory of each process; None for an equal share of nine tenths of what is free.
    """

    seconds: float
    memory_mib: float | None = None

    def __post_init__(self) -> None:
        """Refuse limits that nothing can meet."""
        for name, limit in (("limit_seconds", self.seconds), ("memory_limit_mib", self.memory_mib)):
            if limit is not None and not limit > 0:
                raise MeasurementError(f"{name} must be above 0, but got {limit:g}. Raise it.")


@dataclass(frozen=True)
class Program:
    """One process to start.

    Attributes:
        name: What error messages call it, for example ``"worker 1"``.
        module: Module to run; it follows the protocol of ``channel``.
        job: What it has to do, as JSON.
        cores: Cores that it is pinned to; empty for any.
        threads: Threads that its libraries may start.
        shared_fds: Open files that it shares with this process and the other programs, under the same numbers.
    """

    name: str
    module: str
    job: Json
    cores: frozenset[int] = frozenset()
    threads: int = 1
    shared_fds: tuple[int, ...] = ()
