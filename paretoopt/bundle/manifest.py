"""The manifest of a bundle: what is in it, where it came from, and checksums to prove it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paretoopt.errors import ArtifactError
from paretoopt.store.keys import content_key, file_checksum

MANIFEST_FILE = "manifest.json"
FORMAT = 1


def write_manifest(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the manifest of ``folder``, with the checksum of every file in it."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST_FILE)
    manifest = {"format": FORMAT, **record, "checksums": {path.name: file_checksum(path) for path in files}}
    manifest["manifest_checksum"] = content_key(manifest)
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """The manifest of a bundle, itself and every file checked.

    Raises:
        ArtifactError: The manifest is missing or corrupt, or a file is missing or changed.
    """
    folder = Path(folder)
    path = folder / MANIFEST_FILE
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version, checksums = manifest["format"], dict(manifest["checksums"])
        expected = manifest.pop("manifest_checksum")
    except FileNotFoundError as error:
        raise ArtifactError(f"{folder} has no {MANIFEST_FILE}, so it is no bundle. Export it again.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path} is corrupt ({type(error).__name__}: {error}). Export the bundle again.") from error
    if version != FORMAT:
        raise ArtifactError(f"{path} has format {version!r}, but this paretoopt reads {FORMAT}. Export it again.")
    if content_key(manifest) != expected:
        raise ArtifactError(f"{path} was changed after it was written. Export the bundle again.")
    for name, checksum in checksums.items():
        _check_file(folder, name, checksum)
    return dict(manifest)


def _check_file(folder: Path, name: str, checksum: str) -> None:
    if Path(name).name != name:
        raise ArtifactError(f"{folder / MANIFEST_FILE} names {name!r}, which is no plain file name. Do not use it.")
    try:
        actual = file_checksum(folder / name)
    except OSError as error:
        raise ArtifactError(f"{folder / name} cannot be read ({error.strerror}). Export the bundle again.") from error
    if actual != checksum:
        raise ArtifactError(
            f"{folder / name} has SHA-256 {actual[:12]}..., but the manifest says {str(checksum)[:12]}...: "
            "it was changed or damaged. Export the bundle again."
        )
