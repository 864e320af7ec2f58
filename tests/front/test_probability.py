"""The probability of being non-dominated, against closed forms."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from paretoopt.candidate import Measurement
from paretoopt.front.probability import (
    choose_rounds,
    choose_users,
    draws_of_intervals,
    draws_of_users,
    probability_nondominated,
)
from paretoopt.front.rounds import typical_of_draws

N_DRAWS = 4000


def random() -> np.random.Generator:
    """The same numbers for every test."""
    return np.random.default_rng(0)


def test_certain_values_give_certain_answers() -> None:
    """Without uncertainty, a dominated candidate is never on the front, and equal ones always both."""
    costs = np.tile([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0], [2.0, 2.0]], (10, 1, 1))

    assert probability_nondominated(costs).tolist() == [1.0, 1.0, 1.0, 0.0]


def test_two_normal_values_are_compared_as_the_closed_form_says() -> None:
    """In one objective, P(first < second) is that of the difference of two normal values."""
    first, second = Measurement(1.0, 1.0 - 0.196, 1.0 + 0.196), Measurement(1.1, 1.1 - 0.196, 1.1 + 0.196)
    expected = NormalDist(0.1, 0.1 * 2**0.5).cdf(0.0)

    costs = draws_of_intervals([first, second], N_DRAWS, random())[:, :, None]

    assert probability_nondominated(costs) == pytest.approx([1 - expected, expected], abs=0.03)


def test_a_measurement_that_two_candidates_share_is_no_difference() -> None:
    """Two deployments of one artifact have one quality: no draw may put one before the other."""
    shared = Measurement(0.5, 0.4, 0.6)

    costs = draws_of_intervals([shared, shared], N_DRAWS, random())[:, :, None]

    assert probability_nondominated(costs).tolist() == [1.0, 1.0]


def test_a_value_without_interval_is_taken_as_exact() -> None:
    """The size of a file is what it is."""
    draws = draws_of_intervals([Measurement(3.0), Measurement(4.0)], 5, random())

    assert draws.tolist() == [[3.0, 4.0]] * 5


def test_slow_rounds_that_hit_both_do_not_blur_their_difference() -> None:
    """One is 1 % slower in every round; rounds differ by half, and still it is dominated in every draw."""
    rounds = np.exp(random().normal(0, 0.5, 10))[:, None] * np.array([1.0, 1.01])

    costs = typical_of_draws(rounds, choose_rounds(10, N_DRAWS, random()))[:, :, None]

    assert probability_nondominated(costs).tolist() == [1.0, 0.0]


def test_means_over_rounds_spread_as_the_standard_error_says() -> None:
    """As the closed form says of 6 values, whose bootstrap with 6 would spread 9 % less."""
    rounds = random().normal(0, 1, 6)

    draws = rounds[choose_rounds(6, 10 * N_DRAWS, random())].mean(axis=1)

    assert draws.std() == pytest.approx(rounds.std(ddof=1) / 6**0.5, rel=0.02)


def test_users_are_drawn_for_all_candidates_together() -> None:
    """One is better for every user by the same; users differ much, and still it is better in every draw."""
    users = random().random(500)

    costs = -draws_of_users(np.stack([users + 0.001, users]), choose_users(500, 200, random()))[:, :, None]

    assert probability_nondominated(costs).tolist() == [1.0, 0.0]


def test_means_over_users_spread_as_the_standard_error_says() -> None:
    """The draws have the mean of the values, and the standard deviation of a mean."""
    users = random().random((1, 400))

    draws = draws_of_users(users, choose_users(400, N_DRAWS, random()))

    assert draws.mean() == pytest.approx(users.mean(), abs=1e-3)
    assert draws.std() == pytest.approx(users.std() / 20, rel=0.05)


def test_an_infeasible_draw_counts_for_nobody() -> None:
    """A candidate that breaks a limit in half of the draws is on the front, and beats others, in the other half."""
    costs = np.array([[[1.0], [2.0]], [[np.nan], [2.0]]])

    assert probability_nondominated(costs).tolist() == [0.5, 0.5]
