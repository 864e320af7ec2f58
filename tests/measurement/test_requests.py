"""Requests are named arrays of one length; they reach the measured process unchanged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from paretoopt.errors import MeasurementError
from paretoopt.measurement.requests import count_requests, read_requests, write_requests


def test_requests_survive_the_way_by_file(tmp_path: Path) -> None:
    """Names with slashes, texts, truth values, scalars and arrays that are not contiguous all arrive."""
    requests = {
        "a/b: c": np.arange(12).reshape(4, 3)[:, ::2],
        "text": np.array(["x", "yz", "", "ä"]),
        "flag": np.array([True, False, True, True]),
        "empty": np.zeros((4, 0), np.float32),
    }

    write_requests(tmp_path, requests)
    read = read_requests(tmp_path)

    assert read.keys() == requests.keys()
    for name, array in requests.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_selection_is_written_in_its_order(tmp_path: Path) -> None:
    """The shuffled selection is what is served."""
    write_requests(tmp_path, {"x": np.arange(10)}, selection=np.array([7, 1, 3]))

    assert read_requests(tmp_path)["x"].tolist() == [7, 1, 3]


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ({}, "no requests"),
        ({"x": np.zeros((0, 2))}, "no requests"),
        ({"x": np.array(1.0)}, "no requests"),
        ({"x": np.zeros(3), "y": np.zeros(4)}, "same number of requests.*'x': 3, 'y': 4"),
        ({"x": np.array([None, "a"], dtype=object)}, "input 'x' holds Python objects"),
    ],
)
def test_requests_that_cannot_be_served_are_refused(requests: dict[str, np.ndarray], reason: str) -> None:
    """Nothing to serve, lengths that differ, and Python objects are each named."""
    with pytest.raises(MeasurementError, match=reason):
        count_requests(requests)
