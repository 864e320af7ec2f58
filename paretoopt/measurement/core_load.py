"""What else ran on the measured cores while a measurement did."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from paretoopt.measurement.cores import is_pinning_possible

_STATISTICS = Path("/proc/stat")
# Of a core's line: user nice system idle iowait irq softirq steal; guests are within user.
_N_KINDS = 8
_IDLE_KINDS = (3, 4)


@dataclass(frozen=True)
class CoreTimes:
    """Processor time at one moment, in seconds.

    Attributes:
        busy: Of the cores together, what was not idle; time that the host gave to other machines counts.
        total: Of the cores together.
        children: Of the processes that this one started and that have ended.
    """

    busy: float
    total: float
    children: float


def core_times(cores: Sequence[int]) -> CoreTimes | None:
    """The processor time of ``cores`` so far; None where the system does not tell it per core."""
    if not is_pinning_possible():
        return None
    try:
        lines = _STATISTICS.read_text().splitlines()
    except OSError:
        return None
    rows = {line.split()[0]: [int(ticks) for ticks in line.split()[1:]] for line in lines if line.startswith("cpu")}
    wanted = [rows.get(f"cpu{core}", [])[:_N_KINDS] for core in cores]
    if any(len(row) < _N_KINDS for row in wanted):
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    total = sum(sum(row) for row in wanted)
    idle = sum(row[kind] for row in wanted for kind in _IDLE_KINDS)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return CoreTimes((total - idle) / ticks, total / ticks, used.ru_utime + used.ru_stime)


def share_of_others(before: CoreTimes | None, after: CoreTimes | None) -> float | None:
    """The share of the cores' time between two moments that went to anything but the measured processes.

    The measured processes are bound to these cores, and have ended by the second moment.

    Returns:
        A share in [0, 1]; None where it is not known, or no time has passed.
    """
    if before is None or after is None or after.total <= before.total:
        return None
    others = (after.busy - before.busy) - (after.children - before.children)
    return min(max(others / (after.total - before.total), 0.0), 1.0)
