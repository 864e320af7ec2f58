"""A bundle away from home: numpy and onnxruntime are all that it takes."""

from __future__ import annotations

import io
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from paretoopt.bundle.predict import differences, read_arrays

_ALLOWED = {"numpy", "onnxruntime", "flatbuffers", "protobuf", "packaging", "pip", "setuptools"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_bundle_answers_where_nothing_but_numpy_and_onnxruntime_is(bundle: Path, tmp_path: Path) -> None:
    """In a fresh virtual environment, the bundle checks itself, and its sample requests get its sample answers."""
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    python = str(home / "bin" / "python")
    wanted = [f"{name}=={version(name)}" for name in ("numpy", "onnxruntime")]
    install = [python, "-m", "pip", "--disable-pip-version-check", "-q", "install", *wanted]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        pytest.skip(f"pip could not install {' and '.join(wanted)}: {installed.stderr.strip()[-200:]}")
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    )

    ran = subprocess.run([python, "-I", "predict.py"], cwd=bundle, capture_output=True, text=True, check=False)

    assert {line.partition("==")[0].lower() for line in listed.stdout.split()} <= _ALLOWED
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "100 sample requests answered as expected" in ran.stdout


def test_a_bundle_checks_itself(bundle: Path) -> None:
    """predict.py tells a changed file, and differing answers, by its exit status."""
    with np.load(bundle / "answers.npz") as answers:
        turned = {name: values[::-1] for name, values in answers.items()}

    assert run(bundle)[0] == 0
    np.savez(bundle / "answers.npz", allow_pickle=False, **turned)
    assert run(bundle) == (1, "changed or missing: answers.npz\n")


def test_numbers_may_be_off_by_a_hundredth_of_the_greatest() -> None:
    """Within the tolerance nothing is told; beyond it, or at other infinities, it is."""
    expected = {"scores": np.array([10.0, 0.0, -np.inf])}

    assert differences(expected, {"scores": np.array([9.95, 0.09, -np.inf])}) == []
    assert "off by 0.11" in differences(expected, {"scores": np.array([10.0, 0.11, -np.inf])})[0]
    assert "infinite" in differences(expected, {"scores": np.array([10.0, 0.0, 0.0])})[0]


def test_nine_of_ten_ids_must_be_equal() -> None:
    """Near ties may change places, a list may not be another one."""
    expected = {"items": np.arange(10)}

    assert differences(expected, {"items": np.array([*range(9), 99])}) == []
    assert differences(expected, {"items": np.array([*range(8), 99, 98])}) != []
    assert differences(expected, {}) == ["items: no such output"]


def test_arrays_of_objects_are_not_loaded(tmp_path: Path) -> None:
    """No pickle is read from a bundle."""
    np.savez(tmp_path / "evil.npz", history=np.array([{"a": 1}], dtype=object))

    with pytest.raises(ValueError, match="which it does not hold"):
        read_arrays(tmp_path / "evil.npz")


def test_an_array_that_claims_more_than_it_holds_takes_no_memory(tmp_path: Path) -> None:
    """A header of a petabyte is refused before anything is allocated."""
    written = io.BytesIO()
    np.lib.format.write_array_header_1_0(written, {"descr": "<f8", "fortran_order": False, "shape": (1 << 47,)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("history.npy", written.getvalue())

    with pytest.raises(ValueError, match="which it does not hold"):
        read_arrays(tmp_path / "bomb.npz")


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive"])
def test_a_file_that_is_no_archive_is_told(tmp_path: Path, content: bytes) -> None:
    """The error is the one that callers wait for."""
    (tmp_path / "requests.npz").write_bytes(content)

    with pytest.raises(ValueError, match=r"no sound \.npz file"):
        read_arrays(tmp_path / "requests.npz")


def run(bundle: Path) -> tuple[int, str]:
    """The exit status of the bundle's own program, and what it says."""
    command = [sys.executable, "predict.py"]
    ran = subprocess.run(command, cwd=bundle, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout
