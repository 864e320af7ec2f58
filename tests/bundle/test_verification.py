"""``verify``: sound bundles pass, and what is wrong with others is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from paretoopt.bundle.manifest import load_manifest, write_manifest
from paretoopt.bundle.verification import Verification, verify
from paretoopt.cli.main import run
from paretoopt.errors import ArtifactError

Change = Callable[..., None]


def reseal(bundle: Path) -> None:
    """Write the manifest anew, so that it fits files that were changed."""
    write_manifest(bundle, load_manifest(bundle))


def details(verification: Verification, check: str) -> list[str]:
    """What was found of one check."""
    return [finding.detail for finding in verification.findings if finding.check == check]


def test_a_sound_bundle_is_sound(bundle: Path) -> None:
    """Files, answers and every percentile of latency are looked at; 20 times as slow would be too slow."""
    verification = verify(bundle, latency_tolerance=20.0)

    assert verification.is_sound
    assert details(verification, "answers") == ["100 sample requests answered exactly as when exported"]
    assert "checksums as in the manifest" in details(verification, "files")[0]
    assert "in the manifest" in details(verification, "latency_p95_ms")[0]


def test_latency_that_is_not_that_of_the_manifest_is_a_fault(bundle: Path, change_manifest: Change) -> None:
    """On the machine that measured it, a manifest that promises a thousandth of the latency is found out."""
    measurements = json.loads((bundle / "manifest.json").read_text())["measurements"]
    measurements["latency_p50_ms"]["value"] /= 1000
    change_manifest(sealed=True, measurements=measurements)

    told = {finding.check: finding for finding in verify(bundle, latency_tolerance=20.0).findings}["latency_p50_ms"]

    # Where other work disturbs the measurement, it says so instead.
    assert told.verdict == "fault" or "while other work took" in told.detail
    assert "slower" in told.detail


def test_latency_of_another_machine_is_told_and_no_fault(bundle: Path, change_manifest: Change) -> None:
    """What differs is named, and nothing is held against the bundle."""
    measurements = json.loads((bundle / "manifest.json").read_text())["measurements"]
    for name in [name for name in measurements if name.startswith("latency_p")]:
        measurements[name] |= {"environment": "a supercomputer", "value": 1e-6}
    change_manifest(sealed=True, measurements=measurements)

    verification = verify(bundle)

    assert verification.is_sound
    assert "measured on a supercomputer; this is " in details(verification, "environment")[0]
    assert "in another environment" in details(verification, "latency_p95_ms")[0]


def test_other_answers_are_a_fault(bundle: Path) -> None:
    """A model that answers differently is found out, whatever its checksum."""
    with np.load(bundle / "answers.npz") as answers:
        turned = {name: values[::-1] for name, values in answers.items()}
    np.savez(bundle / "answers.npz", allow_pickle=False, **turned)
    reseal(bundle)

    (first, *_) = verify(bundle, with_latency=False).faults

    assert first.check == "answers"
    assert "items: " in first.detail


def test_every_changed_file_is_a_fault(bundle: Path) -> None:
    """All are named, and nothing of the bundle is run."""
    (bundle / "model.onnx").write_bytes(b"other")
    (bundle / "requests.npz").unlink()

    verification = verify(bundle)

    assert sorted(finding.check for finding in verification.faults) == ["files", "files"]
    assert details(verification, "answers") == []


def test_a_model_that_reaches_outside_its_folder_is_not_loaded(bundle: Path) -> None:
    """Weights in another file, beyond the bundle, are refused by the runtime; that is a fault, and no crash."""
    (bundle.parent / "secret").write_bytes(bytes(1 << 16))
    model = onnx.load(bundle / "model.onnx")
    tensor = next(one for one in model.graph.initializer if one.raw_data)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    tensor.ClearField("raw_data")
    (bundle / "model.onnx").write_bytes(model.SerializeToString())
    reseal(bundle)

    (fault,) = verify(bundle, with_latency=False).faults

    assert "escapes model directory" in fault.detail


def test_a_folder_without_a_bundle_is_a_mistake(tmp_path: Path) -> None:
    """Nothing was exported there."""
    with pytest.raises(ArtifactError, match="is no bundle"):
        verify(tmp_path)


def test_the_command_line_tells_by_its_exit_status(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 for a sound bundle, 1 for a faulty one, 2 for none."""
    assert run(["verify", str(bundle), "--no-latency", "--format", "json"]) == 0
    assert {one["verdict"] for one in json.loads(capsys.readouterr().out)} == {"ok"}

    (bundle / "item_ids.json").write_text("[]")
    assert run(["verify", str(bundle), "--no-latency"]) == 1
    assert "item_ids.json" in capsys.readouterr().out

    shutil.rmtree(bundle)
    assert run(["verify", str(bundle)]) == 2
    assert "is no bundle" in capsys.readouterr().err
