"""Manifests: what is refused when it is damaged, edited, malformed or made to do harm."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paretoopt.bundle.manifest import load_manifest, read_manifest
from paretoopt.bundle.manifest_format import format_faults
from paretoopt.errors import ArtifactError
from paretoopt.store.keys import content_key

Change = Callable[..., None]


def test_a_changed_model_is_noticed(bundle: Path) -> None:
    """One flipped byte of the model fails the check of the manifest."""
    content = bytearray((bundle / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / "model.onnx").write_bytes(content)

    with pytest.raises(ArtifactError, match=r"model.onnx has SHA-256 .* but the manifest says"):
        read_manifest(bundle)


def test_a_missing_file_is_noticed(bundle: Path) -> None:
    """A bundle without its requests is not whole."""
    (bundle / "requests.npz").unlink()

    with pytest.raises(ArtifactError, match=r"requests\.npz cannot be read"):
        read_manifest(bundle)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "[" * 100_000, '{"params": 1}'])
def test_a_corrupt_manifest_is_told(bundle: Path, content: str) -> None:
    """Whatever stands in the manifest, the error says that it is corrupt."""
    (bundle / "manifest.json").write_text(content)

    with pytest.raises(ArtifactError, match="is corrupt"):
        read_manifest(bundle)


def test_a_manifest_of_another_format_is_told(bundle: Path, change_manifest: Change) -> None:
    """A bundle of a later version is refused by its format, not misread."""
    change_manifest(sealed=True, format=99)

    with pytest.raises(ArtifactError, match="has format 99"):
        read_manifest(bundle)


@pytest.mark.parametrize("name", ["../secret", "/secret", "a/b", "..", ".hidden", "", "a\x00b", "\ud800"])
def test_a_manifest_that_points_outside_is_refused(bundle: Path, change_manifest: Change, name: str) -> None:
    """File names with folders in them are not followed."""
    change_manifest(sealed=True, checksums={name: "0" * 64})

    with pytest.raises(ArtifactError, match="is no plain file name"):
        read_manifest(bundle)


@pytest.mark.parametrize("change", [{"params": {"embedding_bits": 4}}, {"checksums": {}}, {"measurements": {}}])
def test_a_changed_manifest_is_noticed(bundle: Path, change_manifest: Change, change: dict[str, object]) -> None:
    """What the manifest says of the configuration and its measurements cannot be edited unseen."""
    change_manifest(sealed=False, **change)

    with pytest.raises(ArtifactError, match="was changed after it was written"):
        read_manifest(bundle)


def test_a_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    """The error says what is missing."""
    with pytest.raises(ArtifactError, match="is no bundle"):
        read_manifest(tmp_path)


def test_a_link_in_a_bundle_is_not_followed(bundle: Path) -> None:
    """A file that lies elsewhere is none of the bundle's, even where its content is right."""
    model = bundle / "model.onnx"
    outside = bundle.parent / "elsewhere.onnx"
    model.rename(outside)
    model.symlink_to(outside)

    with pytest.raises(ArtifactError, match="is a link, a folder or a device"):
        read_manifest(bundle)


def test_a_pipe_in_place_of_the_manifest_does_not_hang(bundle: Path) -> None:
    """What is no plain file is never opened."""
    (bundle / "manifest.json").unlink()
    os.mkfifo(bundle / "manifest.json")

    with pytest.raises(ArtifactError, match="no plain file"):
        read_manifest(bundle)


def test_a_manifest_without_end_is_not_read(bundle: Path) -> None:
    """More than 4 MiB are no manifest."""
    with (bundle / "manifest.json").open("ab") as file:
        file.truncate(5 << 20)

    with pytest.raises(ArtifactError, match="more than 4194304"):
        read_manifest(bundle)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"params": {"bits": [8]}}, "params: it is not an object of numbers and texts"),
        ({"measurements": {"hr_at_10": {"value": "high"}}}, "value of 'hr_at_10' is not a number"),
        ({"inputs": {"history": {"dtype": "object", "shape": ["batch"]}}}, "dtype of 'history' is not a type"),
        ({"licence": 3}, "licence: it is not a text or null"),
        ({"sizes": {"model.onnx": -1}}, "'model.onnx' has no size in bytes"),
    ],
)
def test_a_malformed_manifest_is_told_by_its_entry(
    bundle: Path, change_manifest: Change, change: dict[str, object], told: str
) -> None:
    """Whoever sealed it: the error names the entry and what it must be."""
    change_manifest(sealed=True, **change)

    with pytest.raises(ArtifactError, match=f"is malformed.*{told}"):
        read_manifest(bundle)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=5,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_300_files_that_are_no_manifest_are_told(tmp_path: Path, content: bytes) -> None:
    """Any bytes and any JSON end in the one error that says what is wrong."""
    (tmp_path / "manifest.json").write_bytes(content)

    with pytest.raises(ArtifactError, match=r"Export it again\.|Export the bundle again\."):
        load_manifest(tmp_path)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_400_sealed_manifests_are_read_or_told(exported: Path, tmp_path: Path, data: st.DataObject) -> None:
    """Whatever one entry of a manifest is replaced with, it is read as sound or refused by name."""
    manifest: dict[str, Any] = json.loads((exported / "manifest.json").read_text())
    name = data.draw(st.sampled_from(sorted(manifest)))
    place = manifest
    while isinstance(place[name], dict) and place[name] and data.draw(st.booleans()):
        place, name = place[name], data.draw(st.sampled_from(sorted(place[name])))
    place[name] = data.draw(_JSON)
    manifest.pop("manifest_checksum", None)
    try:
        manifest["manifest_checksum"] = content_key(manifest)
    except ValueError:  # NaN: no seal can be made
        manifest["manifest_checksum"] = ""
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    with suppress(ArtifactError):
        assert format_faults(load_manifest(tmp_path)) == []
