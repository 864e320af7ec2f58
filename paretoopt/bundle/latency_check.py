"""Latency of a bundle, measured again and held against its manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from paretoopt.bundle.predict import read_arrays
from paretoopt.candidate import Measurement, ProgressListener
from paretoopt.errors import MeasurementError
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.measurement.percentiles import least_requests
from paretoopt.measurement.program import Limits
from paretoopt.measurement.serial_percentiles import serial_percentile
from paretoopt.measurement.serving import measure_serving
from paretoopt.measurement.serving_measurement import ServingMeasurement

Checked = tuple[str, Literal["ok", "fault", "note"], str]
"""A check, its verdict, and what was found."""

_PERCENTILE = re.compile(r"latency_p(?P<percentile>\d{2}(_\d{1,3})?)_ms")
_LIMITS = Limits(seconds=300.0)
_PRECISION = 0.05
# What other work takes of the cores beyond that, it takes of the latency as well.
_MOST_OF_OTHERS = 0.1


def latency_findings(
    folder: Path, manifest: Mapping[str, Any], tolerance: float, listener: ProgressListener | None
) -> list[Checked]:
    """Measure what the manifest has of percentiles again, on the sample requests, with its workers and threads.

    Args:
        folder: The bundle, whose files are known to be those of the manifest.
        manifest: Its manifest.
        tolerance: How much slower a percentile may be, as a share of what the manifest says.
        listener: Told what goes on.
    """
    told = {name: one for name, one in manifest["measurements"].items() if _PERCENTILE.fullmatch(name)}
    if not told:
        return [("latency", "note", "the manifest has none to compare with")]
    percentiles = {name: _percentile(name) for name in told}
    workers, threads = (_within(manifest["serving"].get(name, 1)) for name in ("workers", "threads"))
    try:
        serving = measure_serving(
            folder / "model.onnx",
            read_arrays(folder / "requests.npz"),
            workers=workers,
            threads=threads,
            least_percentile=max(percentiles.values()),
            n_requests=max(10_000, least_requests(max(percentiles.values()))),
            relative_precision=_PRECISION,
            limits=_LIMITS,
            listener=listener,
        )
        again = {name: serial_percentile(serving.latencies_ms, value) for name, value in percentiles.items()}
    except MeasurementError as error:
        return [("latency", "fault", " ".join(str(error).split()))]
    findings = _environments(told)
    excuse = _excuse(findings, serving)
    return findings + [_compared(name, told[name], again[name], tolerance, excuse) for name in told]


def _percentile(name: str) -> float:
    """The percentile of ``latency_p99_9_ms`` and the like."""
    match = _PERCENTILE.fullmatch(name)
    return float(match["percentile"].replace("_", ".")) if match else 50.0


def _within(count: int) -> int:
    """A count of workers or threads from a manifest that may come from anywhere."""
    return min(max(count, 1), 64)


def _environments(told: Mapping[str, Any]) -> list[Checked]:
    """Where the machine or the versions are not those of the manifest."""
    now = current_environment(measured_cores(1, 1)).fingerprint
    others = dict.fromkeys(one["environment"] or "what is not known" for one in told.values())
    return [
        ("environment", "note", f"latency was measured on {other}; this is {now}, so it need not agree")
        for other in others
        if other != now
    ]


def _excuse(environments: list[Checked], serving: ServingMeasurement) -> str:
    """Why a slower percentile says nothing of the bundle; empty where it does."""
    if environments:
        return "in another environment"
    share = serving.environment.share_of_others
    if share is not None and share > _MOST_OF_OTHERS:
        return f"while other work took {share:.0%} of the cores".replace("%", " %")
    return ""


def _compared(name: str, told: Mapping[str, Any], again: Measurement, tolerance: float, excuse: str) -> Checked:
    change = again.value / told["value"] - 1 if told["value"] > 0 else 0.0
    said = f"{again.value:.4g} ms, and {told['value']:.4g} ms in the manifest: {100 * abs(change):.0f} % "
    said += "slower" if change > 0 else "faster"
    # A percentile that is slow by chance has an interval that says so.
    if (again.value if again.low is None else again.low) <= told["value"] * (1 + tolerance):
        return name, "ok", said
    if excuse:
        return name, "note", f"{said}, {excuse}"
    return name, "fault", f"{said}, in the same environment; {100 * tolerance:.0f} % are tolerated"
