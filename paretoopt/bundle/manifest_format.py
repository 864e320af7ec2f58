"""The shape that a manifest must have; where it comes from elsewhere, nothing of it is taken on trust."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

FORMAT = 2
REQUIRED_FILES = ("model.onnx", "requests.npz", "answers.npz")

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CHECKSUM = re.compile(r"[0-9a-f]{64}")
_INPUT_TYPE = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)|str")
_MOST_BYTES = 1 << 40


def is_file_name(name: str) -> bool:
    """Whether ``name`` is a plain file name: letters, digits, dots, dashes, underscores, not hidden, no folder."""
    return _FILE_NAME.fullmatch(name) is not None


def format_faults(manifest: Mapping[str, Any]) -> list[str]:
    """What is wrong with the manifest's shape, one phrase each."""
    found = [f"{name!r} is missing" for name in _ENTRIES if name not in manifest]
    for name, check in _ENTRIES.items():
        if name in manifest:
            found += [f"{name}: {fault}" for fault in check(manifest[name])]
    if not found:
        checksums, sizes = manifest["checksums"], manifest["sizes"]
        if checksums.keys() != sizes.keys():
            found.append("checksums and sizes are of different files")
        found += [f"there is no {name}" for name in REQUIRED_FILES if name not in checksums]
    return found


def _files(check: Callable[[object], bool], what: str) -> Callable[[object], list[str]]:
    def faults(value: object) -> list[str]:
        if not isinstance(value, dict):
            return ["it is no object"]
        names = [f"{name!r} is no plain file name" for name in value if not is_file_name(name)]
        return names + [f"{name!r} has no {what}" for name, one in value.items() if not check(one)]

    return faults


def _objects(*fields: tuple[str, Callable[[object], bool], str]) -> Callable[[object], list[str]]:
    """Checks an object of objects, each of which has ``fields``: name, check, and what it must be."""

    def faults(value: object) -> list[str]:
        if not isinstance(value, dict):
            return ["it is no object"]
        found = [f"{name!r} is no object" for name, one in value.items() if not isinstance(one, dict)]
        described = {name: one for name, one in value.items() if isinstance(one, dict)}
        return found + [
            f"{field} of {name!r} is not {what}"
            for name, one in described.items()
            for field, check, what in fields
            if not check(one.get(field))
        ]

    return faults


def _is(check: Callable[[object], bool], what: str) -> Callable[[object], list[str]]:
    return lambda value: [] if check(value) else [f"it is not {what}"]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_number_or_none(value: object) -> bool:
    return value is None or _is_number(value)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float | bool)


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_BYTES


def _is_checksum(value: object) -> bool:
    return isinstance(value, str) and _CHECKSUM.fullmatch(value) is not None


def _is_type(value: object) -> bool:
    return isinstance(value, str) and _INPUT_TYPE.fullmatch(value) is not None


def _is_shape(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_text(size) or _is_whole(size) for size in value)


def _is_range(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or not _is_whole(value.get("least")):
        return False
    most = value.get("most")
    return _is_whole(most) or (isinstance(most, list) and bool(most) and all(map(_is_whole, most)))


def _is_object_of(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


_PORT = (("dtype", _is_type, "a type of numbers or texts"), ("shape", _is_shape, "a list of sizes and names"))
_ENTRIES: Mapping[str, Callable[[object], list[str]]] = {
    "params": _is(_is_object_of(_is_scalar), "an object of numbers and texts"),
    "measurements": _objects(
        ("value", _is_number, "a number"),
        ("low", _is_number_or_none, "a number or null"),
        ("high", _is_number_or_none, "a number or null"),
        ("environment", _is_text_or_none, "a text or null"),
    ),
    "environments": _objects(),
    "inputs": _objects(*_PORT, ("range", _is_range, "an object of whole numbers `least` and `most`, or null")),
    "outputs": _objects(*_PORT),
    "serving": _is(_is_object_of(_is_whole), "an object of whole numbers"),
    "exported_on": _is(_is_object_of(lambda value: True), "an object"),
    "versions": _is(_is_object_of(_is_text), "an object of texts"),
    "notes": _is(_is_text, "a text"),
    "licence": _is(_is_text_or_none, "a text or null"),
    "pipeline_fingerprint": _is(_is_text, "a text"),
    "data_fingerprint": _is(_is_text, "a text"),
    "exported": _is(_is_text, "a text"),
    "checksums": _files(_is_checksum, "SHA-256"),
    "sizes": _files(_is_size, "size in bytes"),
}
"""What checks each entry that every manifest has."""
