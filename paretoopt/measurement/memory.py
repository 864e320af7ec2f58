"""How much memory a process holds, from the kernel's own accounting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from paretoopt.errors import MeasurementError

_ROLLUP = Path("/proc/self/smaps_rollup")
_STATUS = Path("/proc/self/status")
_KIB = 1024


@dataclass(frozen=True)
class MemoryUse:
    """The memory of one process at one moment, in bytes.

    Attributes:
        private: Pages that the process wrote and shares with nobody (``Private_Dirty``).
        resident: All its pages that are in memory, those of shared libraries included (``Rss``).
        proportional: Its share of resident pages, each divided by the processes that map it (``Pss``).
        peak: The most that was ever resident (``VmHWM``), without the inputs of the client.
    """

    private: int
    resident: int
    proportional: int
    peak: int


def own_memory() -> MemoryUse:
    """The memory of this process now.

    Raises:
        MeasurementError: The system keeps no such account.
    """
    check_memory_accounting()
    rollup, status = _fields(_ROLLUP), _fields(_STATUS)
    return MemoryUse(rollup["Private_Dirty"], rollup["Rss"], rollup["Pss"], status["VmHWM"])


def peak_without_inputs(loaded: MemoryUse, mapped_bytes: int) -> int:
    """The most that was ever resident of this process, in bytes, but for its inputs.

    Call it while the inputs are still mapped. The kernel's peak counts their pages, which are the client's. So the
    peak is the greater one of that before they were mapped, and that of now less their pages.

    Args:
        loaded: The memory before the inputs were mapped.
        mapped_bytes: All that is mapped of them; every page is resident.
    """
    return max(loaded.peak, _fields(_STATUS)["VmHWM"] - mapped_bytes)


def check_memory_accounting() -> None:
    """Refuse a system that cannot tell a process's private memory."""
    if not _ROLLUP.exists():
        raise MeasurementError(
            f"memory cannot be measured: this system has no {_ROLLUP}. Measure on Linux, 4.14 or later."
        )


def total_bytes(uses: Sequence[MemoryUse]) -> int:
    """What processes that map the same files hold together, with pages they share counted once.

    This is their proportional set size on a machine of their own: unlike the sum of ``Pss``, it does
    not fall when an unrelated process happens to have the same libraries loaded.
    """
    return sum(use.private for use in uses) + max(use.resident - use.private for use in uses)


def peak_bytes(uses: Sequence[MemoryUse]) -> int:
    """The most that the processes can have held together, with pages they share counted once."""
    growth = sum(max(use.peak - use.resident, 0) for use in uses)
    return total_bytes(uses) + growth


def available_bytes() -> int | None:
    """Memory that new processes can have now; None where the system does not say."""
    try:
        return _fields(Path("/proc/meminfo"))["MemAvailable"]
    except (OSError, KeyError):
        return None


def _fields(path: Path) -> dict[str, int]:
    """The lines of a procfs file that end in kB, as bytes."""
    lines = (line.split() for line in path.read_text().splitlines() if line.endswith(" kB"))
    return {words[0].rstrip(":"): int(words[1]) * _KIB for words in lines}
