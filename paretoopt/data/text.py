"""The bytes of a text file, plain or gzipped, and the numbers in it."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.errors import DataError

_GZIP_MAGIC = b"\x1f\x8b"
_WHITE_SPACE = b" \t\r\n"
_NUMBER = re.compile(rb"[+-]?([0-9]{1,18}|[0-9]{1,18}\.[0-9]*|\.[0-9]+)")


def read_text(path: Path) -> bytes:
    """What the file holds, unpacked where it is gzipped, whatever its name.

    Raises:
        DataError: The file cannot be read, is empty, is damaged, or holds no text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    if content.startswith(_GZIP_MAGIC):
        try:
            content = gzip.decompress(content)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{path} is a damaged gzip file ({error}). Get it again.") from error
    if not content.strip():
        raise DataError(f"{path} is empty. Give a file with at least one event.")
    if b"\0" in content:
        raise DataError(
            f"{path} holds binary data, not text. If it is an archive, unpack it first; "
            "if it is a Parquet file, let its name end in .parquet; if it is UTF-16, save it as UTF-8."
        )
    return content


def numbers_in(path: Path, content: bytes, *, separators: bytes = b"") -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """All numbers of a text in their order, and the line on which each stands, from 1.

    Args:
        path: Where the text is from, for messages.
        content: The text.
        separators: What stands between numbers beside white space.

    Returns:
        The numbers, whole ones as int64 where all are, and the lines, of the same length.

    Raises:
        DataError: Something is not a number.
    """
    breaks = _WHITE_SPACE + separators
    one_per_line = content.translate(bytes.maketrans(breaks, b"\n" * len(breaks)))
    letters = np.frombuffer(one_per_line, dtype=np.uint8)
    starts = letters != ord("\n")
    starts[1:] &= letters[:-1] == ord("\n")
    line_ends = np.flatnonzero(np.frombuffer(content, dtype=np.uint8) == ord("\n"))
    lines = np.searchsorted(line_ends, np.flatnonzero(starts)) + 1
    try:
        values = _parse(one_per_line, np.int64)
    except (ValueError, OverflowError):
        _refuse_what_is_no_number(path, one_per_line, lines)
        values = _parse(one_per_line, np.float64)
    return values, lines


def _parse(one_per_line: bytes, dtype: type[np.int64 | np.float64]) -> NDArray[np.float64]:
    table = pd.read_csv(io.BytesIO(one_per_line), header=None, names=["number"], dtype=dtype, quoting=3)
    return table["number"].to_numpy()


def _refuse_what_is_no_number(path: Path, one_per_line: bytes, lines: NDArray[np.int64]) -> None:
    for word, line in zip(one_per_line.split(), lines, strict=True):
        if not _NUMBER.fullmatch(word):
            shown = word.decode(errors="replace")
            raise DataError(f"{path}, line {line}: {shown!r} is no number, and this format holds numbers only.")
