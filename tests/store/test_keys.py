"""Content addresses are equal for equal content, everywhere, and different for all else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.store.keys import content_key, file_checksum

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values))
def test_the_order_of_a_dictionary_does_not_matter(content: dict[str, Any]) -> None:
    """Parameters given in another order are the same parameters."""
    assert content_key(content) == content_key(dict(reversed(content.items())))


@given(st.lists(json_values, max_size=3), st.lists(json_values, max_size=3))
def test_different_content_has_different_keys(first: list[Any], second: list[Any]) -> None:
    """Keys are equal exactly where the content is, its types included."""
    assert (content_key(*first) == content_key(*second)) == (_typed(first) == _typed(second))


def test_parts_do_not_run_into_each_other() -> None:
    """Where one part ends and the next begins is part of the key."""
    keys = [content_key("ab", "c"), content_key("a", "bc"), content_key("abc"), content_key(["ab", "c"])]

    assert len(set(keys)) == 4


def test_a_key_is_the_same_in_every_process() -> None:
    """Python's hash seed does not enter the key, or no process would find what another made."""
    program = "from paretoopt.store.keys import content_key; print(content_key({'b': 1, 'a': [0.1, None]}, 'ü'))"
    keys = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, text=True, capture_output=True
        ).stdout.strip()
        for seed in ("0", "1", "2")
    }

    assert keys == {content_key({"a": [0.1, None], "b": 1}, "ü")}


@pytest.mark.parametrize("part", [object(), Path("x"), {1, 2}, b"bytes"])
def test_what_json_cannot_hold_has_no_key(part: object) -> None:
    """Nothing is keyed by an address in memory or by an order that changes."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        content_key(part)


def test_nan_has_no_key() -> None:
    """NaN differs from itself, so it cannot name anything."""
    with pytest.raises(ValueError, match="Out of range float values"):
        content_key(float("nan"))


def test_a_checksum_is_the_sha256_of_the_content(tmp_path: Path) -> None:
    """The checksum of "abc" is the one that FIPS 180-4 gives as its example."""
    (tmp_path / "file").write_bytes(b"abc")

    assert file_checksum(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _typed(content: object) -> object:
    """Content that compares equal only where the types are equal too, and -0.0 is not 0.0."""
    if isinstance(content, list):
        return [_typed(item) for item in content]
    if isinstance(content, dict):
        return {name: _typed(item) for name, item in content.items()}
    return repr(content)
