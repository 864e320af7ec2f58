"""The machine and the versions that a measurement was taken with."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Environment:
    """What a measurement depends on besides the artifact.

    Attributes:
        cpu_model: Name of the processor.
        machine: Instruction set, for example ``"x86_64"``.
        n_cores: Cores of the machine.
        cores_used: Numbers of the cores that were measured on.
        memory_mib: Memory of the machine.
        operating_system: Its name and release.
        python_version: Version of Python.
        onnxruntime_version: Version of ONNX Runtime.
        numpy_version: Version of numpy.
        governor: How the first measured core's frequency is governed; None where it cannot be read.
        load_average: Processes that ran or waited, over the minute before; None where it is not known.
        share_of_others: Share of the measured cores' time during the run that went to anything but the measured
            processes, from 0 to 1; None where it is not known.
        is_warmed_up: Whether the warm-up of every worker became stable before its time was over; None where there was
            none.
    """

    cpu_model: str
    machine: str
    n_cores: int
    cores_used: tuple[int, ...]
    memory_mib: int
    operating_system: str
    python_version: str
    onnxruntime_version: str
    numpy_version: str
    governor: str | None
    load_average: float | None
    share_of_others: float | None = None
    is_warmed_up: bool | None = None

    @property
    def fingerprint(self) -> str:
        """The part that makes values comparable: those taken under different fingerprints are not."""
        governor = f", governor {self.governor}" if self.governor else ""
        return (
            f"{self.cpu_model} ({self.machine}), {len(self.cores_used)} of {self.n_cores} cores{governor}, "
            f"onnxruntime {self.onnxruntime_version}, numpy {self.numpy_version}, python {self.python_version}"
        )

    def to_dict(self) -> dict[str, object]:
        """All fields and the fingerprint, ready for JSON."""
        return {**asdict(self), "cores_used": list(self.cores_used), "fingerprint": self.fingerprint}


def pooled_record(environments: Sequence[Environment]) -> dict[str, object]:
    """The record of several measurements: that of the last one, and what else ran during all of them.

    Args:
        environments: Of the measurements, one at least.

    Returns:
        As :meth:`Environment.to_dict`, with ``share_of_others`` as its median and its greatest value, over the
        measurements for which it is known.
    """
    shares = [each.share_of_others for each in environments if each.share_of_others is not None]
    record = environments[-1].to_dict()
    del record["share_of_others"]
    return {
        **record,
        "cores_used": sorted({core for each in environments for core in each.cores_used}),
        "is_warmed_up": all(each.is_warmed_up is not False for each in environments),
        "share_of_others (median)": round(median(shares), 3) if shares else None,
        "share_of_others (greatest)": round(max(shares), 3) if shares else None,
    }


def current_environment(cores: Sequence[int]) -> Environment:
    """The environment of a measurement on ``cores`` that starts now."""
    return Environment(
        cpu_model=_cpu_model(),
        machine=platform.machine(),
        n_cores=os.cpu_count() or 1,
        cores_used=tuple(cores),
        memory_mib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MIB,
        operating_system=f"{platform.system()} {platform.release()}",
        python_version=platform.python_version(),
        onnxruntime_version=_version("onnxruntime"),
        numpy_version=_version("numpy"),
        governor=_governor(min(cores)),
        load_average=_load_average(),
    )


@cache  # a sampler asks for the device of thousands of candidates
def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _governor(core: int) -> str | None:
    path = Path(f"/sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor")
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _load_average() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None
