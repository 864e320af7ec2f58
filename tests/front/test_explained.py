"""How much of who is on the front another look would tell."""

from __future__ import annotations

import numpy as np
import pytest

from paretoopt.front.explained import explained_variance

RANDOM = np.random.default_rng(0)
LUCK = RANDOM.normal(size=(4_000, 3))


def test_a_look_at_what_decides_explains_and_another_does_not() -> None:
    """Membership that hangs on the first luck alone: a look at it explains most, one at another next to nothing."""
    membership = LUCK[:, :1] > 0

    first, second = (explained_variance(membership, LUCK[:, [column]])[0] for column in (0, 1))

    assert first == pytest.approx(0.1875, abs=0.01)  # a step, on ranks: three quarters of a quarter
    assert second < 0.001


def test_a_rival_counts_as_much_as_the_member_itself() -> None:
    """Who is better of two is open by both of their luck."""
    membership = LUCK[:, :1] > LUCK[:, 1:2]

    own, rival, both = (explained_variance(membership, LUCK[:, columns])[0] for columns in ([0], [1], [0, 1]))

    assert own == pytest.approx(rival, rel=0.15)
    assert both == pytest.approx(own + rival, rel=0.05)


def test_what_is_certain_has_nothing_to_explain() -> None:
    """A candidate that is on the front in every draw."""
    assert explained_variance(np.ones((4_000, 1), dtype=np.bool_), LUCK)[0] == 0.0
