"""Content addresses: equal inputs give equal keys, in every process and on every machine."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def content_key(*parts: Any) -> str:  # noqa: ANN401 (anything that JSON can hold)
    """The hexadecimal SHA-256 of ``parts`` written as canonical JSON.

    Raises:
        TypeError: A part cannot be written as JSON.
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_checksum(path: Path) -> str:
    """The hexadecimal SHA-256 of the file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
