"""Ranges of inputs: what a pipeline may declare."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretoopt.errors import PipelineError
from paretoopt.pipeline.input_range import InputRange
from tests.pipeline.conftest import Toy


@pytest.mark.parametrize(
    ("name", "declared", "reason"),
    [
        ("user", InputRange(0, 9), "names 'user', but inputs of whole numbers are"),
        ("history", InputRange(0, 4), "values of 'history' from 0 to 5, beyond its range"),
        ("history", InputRange(1, 9), "beyond its range from 1 to 9"),
        ("history", InputRange(0, (9, 9, 9)), "has 3 greatest values"),
    ],
)
def test_a_range_that_the_requests_contradict_is_refused(
    tmp_path: Path, name: str, declared: InputRange, reason: str
) -> None:
    """A server would refuse requests that the pipeline measures with."""
    with pytest.raises(PipelineError, match=reason):
        Toy(tmp_path).pipeline(input_ranges={name: declared})
