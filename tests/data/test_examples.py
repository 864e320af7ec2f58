"""Examples of one's own, split and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.data.examples import SplitExamples, split_examples
from paretoopt.errors import DataError


def make_split(n: int = 10, **changes: Any) -> SplitExamples:  # noqa: ANN401 (any argument of split_examples)
    """Examples whose input and target are their number."""
    arguments: dict[str, Any] = {"inputs": {"number": np.arange(n)}, "targets": np.arange(n, dtype=np.float32)}
    return split_examples(**arguments | changes)


@given(n=st.integers(2, 50), share=st.floats(0.01, 0.99), seed=st.integers(0, 9))
def test_every_example_is_in_one_part(n: int, share: float, seed: int) -> None:
    """With its target, and neither part is empty."""
    data = make_split(n, validation_share=share, seed=seed)

    numbers = [*data.train.inputs["number"], *data.validation.inputs["number"]]
    assert sorted(numbers) == list(range(n))
    assert numbers == [*data.train.targets, *data.validation.targets]
    assert len(data.train) >= 1
    assert len(data.validation) >= 1


def test_the_share_is_held_out() -> None:
    """A fifth unless stated."""
    assert len(make_split(100).validation) == 20
    assert len(make_split(100, validation_share=0.5).validation) == 50


def test_requests_are_the_first_validation_inputs() -> None:
    """As many as there are."""
    data = make_split(100)

    assert data.requests(5)["number"].tolist() == data.validation.inputs["number"][:5].tolist()
    assert len(data.requests()["number"]) == 20


@pytest.mark.parametrize(
    "other",
    [
        make_split(11),
        make_split(seed=1),
        make_split(validation_share=0.5),
        make_split(targets=np.ones(10, dtype=np.float32)),
        make_split(inputs={"other": np.arange(10)}),
        make_split(inputs={"number": np.arange(10).reshape(10, 1)}),
    ],
    ids=["length", "seed", "share", "targets", "name", "shape"],
)
def test_the_fingerprint_names_the_content(other: SplitExamples) -> None:
    """The same for the same, another for any change."""
    assert make_split().fingerprint == make_split().fingerprint
    assert make_split().fingerprint != other.fingerprint


def test_the_content_cannot_be_changed() -> None:
    """Nor does it change with the caller's arrays."""
    numbers = np.arange(10)
    data = make_split(inputs={"number": numbers})
    before = data.fingerprint
    numbers[:] = 0

    assert data.fingerprint == before == make_split().fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": {"number": np.arange(9)}}, r"one length along axis 0, but have \{'number': 9, 'targets': 10\}"),
        ({"inputs": {}}, "inputs and targets need one length"),
        ({"n": 1}, "there are 1 examples, too few to hold any out"),
        ({"validation_share": 1.0}, r"validation_share must be between 0 and 1, but is 1\.0"),
        ({"inputs": {"number": np.array(["a"] * 10)}}, "number holds <U1, but a model takes numbers"),
        ({"inputs": {"number": np.array([None] * 10)}}, "number holds object, but a model takes numbers"),
        ({"targets": np.full(10, np.nan)}, "targets holds NaN or infinity. Fill or leave out"),
    ],
)
def test_what_no_model_can_learn_is_refused(changes: dict[str, Any], message: str) -> None:
    """With the name, the rule and the remedy."""
    with pytest.raises(DataError, match=message):
        make_split(**changes)
