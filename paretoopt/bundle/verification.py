"""Whether a bundle is what its manifest says: its files, its answers, and its latency on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from paretoopt.bundle.latency_check import latency_findings
from paretoopt.bundle.manifest import MANIFEST_FILE, file_faults, load_manifest
from paretoopt.bundle.predict import Arrays, differences, read_arrays
from paretoopt.candidate import ProgressListener
from paretoopt.errors import ArtifactError, MeasurementError
from paretoopt.measurement.inference import run_requests
from paretoopt.measurement.program import Limits

Verdict = Literal["ok", "fault", "note"]

_LIMITS = Limits(seconds=300.0)


@dataclass(frozen=True)
class Finding:
    """What one check of a bundle found.

    Attributes:
        check: What was looked at: ``"files"``, ``"answers"``, ``"environment"`` or a metric.
        verdict: ``"note"`` where something is to be known, and is no fault of the bundle.
        detail: What was found, as a phrase.
    """

    check: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True)
class Verification:
    """What ``verify`` found.

    Attributes:
        folder: The bundle.
        findings: In the order of the checks.
    """

    folder: Path
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What is wrong with the bundle; empty where nothing is."""
        return tuple(finding for finding in self.findings if finding.verdict == "fault")

    @property
    def is_sound(self) -> bool:
        """Whether the bundle can be trusted to be what its manifest says."""
        return not self.faults


def verify(
    folder: str | os.PathLike[str],
    *,
    with_latency: bool = True,
    latency_tolerance: float = 0.5,
    listener: ProgressListener | None = None,
) -> Verification:
    """Check a bundle: its files against the checksums, its answers against those beside it, its latency again.

    The model runs in processes of its own, under limits. Numbers of the answers may be off by 1 % of the greatest of
    their output, and a tenth of the whole numbers may differ: other processors round otherwise, and near ties change
    places. Latency is measured as when the bundle was exported. It is a fault where the machine and the versions are
    those of the manifest and all of its interval is slower by more than the tolerance; elsewhere it is told, with what
    differs.

    Args:
        folder: The bundle.
        with_latency: Whether latency is measured again, which takes some seconds.
        latency_tolerance: How much slower a percentile may be, as a share of what the manifest says.
        listener: Told what goes on.

    Raises:
        ArtifactError: There is no bundle in ``folder``.
        ValueError: The tolerance is negative.
    """
    if not latency_tolerance >= 0:
        raise ValueError(f"latency_tolerance must be 0 or more, but got {latency_tolerance}. Give 0.5 for half.")
    folder = Path(folder).expanduser().absolute()
    if not (folder / MANIFEST_FILE).exists():
        raise ArtifactError(f"{folder} has no {MANIFEST_FILE}, so it is no bundle. Name a folder that was exported.")
    try:
        manifest = load_manifest(folder)
    except ArtifactError as error:
        return Verification(folder, (Finding("manifest", "fault", _phrase(error)),))
    findings = [Finding("manifest", "ok", f"format {manifest['format']}, exported {manifest['exported']}")]
    findings += _files(folder, manifest)
    if all(finding.verdict != "fault" for finding in findings):
        findings += _answers(folder, listener)
    # A model that does not answer as it should has no latency worth a comparison.
    if with_latency and all(finding.verdict != "fault" for finding in findings):
        checked = latency_findings(folder, manifest, latency_tolerance, listener)
        findings += [Finding(check, verdict, detail) for check, verdict, detail in checked]
    return Verification(folder, tuple(findings))


def _files(folder: Path, manifest: Mapping[str, Any]) -> list[Finding]:
    if faults := file_faults(folder, manifest):
        return [Finding("files", "fault", fault) for fault in faults]
    sizes: Mapping[str, int] = manifest["sizes"]
    found = [Finding("files", "ok", f"{len(sizes)} files, {sum(sizes.values()):,} bytes, checksums as in the manifest")]
    others = sorted(path.name for path in folder.iterdir() if path.name not in sizes and path.name != MANIFEST_FILE)
    if others:
        found.append(Finding("files", "note", f"not of the bundle, and not looked at: {', '.join(others)}"))
    return found


def _answers(folder: Path, listener: ProgressListener | None) -> list[Finding]:
    arrays: list[Arrays] = []
    for name in ("requests.npz", "answers.npz"):
        try:
            arrays.append(read_arrays(folder / name))
        except (ValueError, MemoryError) as error:
            return [Finding("answers", "fault", f"{name} cannot be read: {error}")]
    requests, expected = arrays
    try:
        got = run_requests(folder / "model.onnx", requests, batch_size=1, limits=_LIMITS, listener=listener)
    except MeasurementError as error:
        return [Finding("answers", "fault", _phrase(error))]
    if wrong := differences(expected, got):
        return [Finding("answers", "fault", one) for one in wrong]
    n_requests = len(next(iter(requests.values())))
    is_equal = all((expected[name] == got[name]).all() for name in expected)
    same = "answered exactly as when exported" if is_equal else "answered as when exported, within the tolerance"
    return [Finding("answers", "ok", f"{n_requests} sample requests {same}")]


def _phrase(error: Exception) -> str:
    return " ".join(str(error).split())
