"""The manifest of a bundle: what is in it, where it came from, and checksums to prove it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paretoopt.bundle.manifest_format import FORMAT, format_faults
from paretoopt.errors import ArtifactError
from paretoopt.store.keys import content_key, file_checksum

MANIFEST_FILE = "manifest.json"
_MOST_BYTES = 4 << 20


def write_manifest(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the manifest of ``folder``, with the checksum and size of every file in it."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST_FILE)
    manifest = {
        "format": FORMAT,
        **record,
        "checksums": {path.name: file_checksum(path) for path in files},
        "sizes": {path.name: path.stat().st_size for path in files},
    }
    manifest["manifest_checksum"] = content_key(manifest)
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """The manifest of a bundle, itself and every file checked.

    A bundle from elsewhere is data: only JSON is parsed, file names are plain, and links are not followed.

    Raises:
        ArtifactError: The manifest is missing, corrupt or malformed, or a file is missing, changed or no plain file.
    """
    manifest = load_manifest(folder)
    if faults := file_faults(Path(folder), manifest):
        raise ArtifactError(f"{faults[0]}. Export the bundle again.")
    return manifest


def load_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """The manifest of a bundle, itself checked; its files are not looked at.

    Raises:
        ArtifactError: It is missing, corrupt or malformed.
    """
    path = Path(folder) / MANIFEST_FILE
    try:
        manifest = json.loads(_read_text(path))
        version = manifest["format"]
    except FileNotFoundError as error:
        raise ArtifactError(f"{folder} has no {MANIFEST_FILE}, so it is no bundle. Export it again.") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArtifactError(f"{path} is corrupt ({type(error).__name__}: {error}). Export the bundle again.") from error
    if version != FORMAT:
        raise ArtifactError(f"{path} has format {version!r}, but this paretoopt reads {FORMAT}. Export it again.")
    seal = manifest.pop("manifest_checksum", None)
    if _seal(manifest) != seal:
        raise ArtifactError(f"{path} was changed after it was written. Export the bundle again.")
    if faults := format_faults(manifest):
        raise ArtifactError(f"{path} is malformed: {'; '.join(faults[:3])}. Export the bundle again.")
    return dict(manifest)


def file_faults(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """What is wrong with the files that the manifest names, one phrase each."""
    faults = (_file_fault(folder / name, size, manifest["checksums"][name]) for name, size in manifest["sizes"].items())
    return [fault for fault in faults if fault]


def _file_fault(path: Path, size: int, checksum: str) -> str:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            return f"{path} is a link, a folder or a device, and no plain file"
        if status.st_size != size:
            return f"{path} has {status.st_size} bytes, but the manifest says {size}: it was changed or damaged"
        actual = file_checksum(path)
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})"
    if actual != checksum:
        return (
            f"{path} has SHA-256 {actual[:12]}..., but the manifest says {checksum[:12]}...: it was changed or damaged"
        )
    return ""


def _read_text(path: Path) -> str:
    """The manifest's text, whatever stands in its place."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is a link, a folder or a device, and no plain file")
    if status.st_size > _MOST_BYTES:
        raise OSError(f"it has {status.st_size} bytes, more than {_MOST_BYTES}")
    return path.read_text(encoding="utf-8")


def _seal(manifest: Mapping[str, Any]) -> str | None:
    """The manifest's checksum; None where it holds what JSON has no way to write."""
    try:
        return content_key(manifest)
    except ValueError:
        return None
