"""The luck of training: variances pooled over configurations, and draws of what they leave open."""

from __future__ import annotations

import numpy as np
import pytest

from paretoopt.front.luck import Luck, Made, Spread, Values, draw_luck, spread_of_artifacts, spread_of_trainings

N_DRAWS = 20_000


def trainings(own: float = 0.0, n_users: int = 1, of_users: float = 0.0) -> list[Values]:
    """Four hundred trainings of two artifacts and four seeds, whose luck has a standard deviation of 2."""
    random = np.random.default_rng(0)
    shared = 2 * random.normal(size=(400, 1, 4, 1))
    apart = own * random.normal(size=(400, 2, 4, 1))
    return list(shared + apart + of_users * random.normal(size=(400, 1, 4, n_users)))


def test_the_shared_luck_is_found() -> None:
    """Of 1,200 degrees of freedom, its variance comes out as 4."""
    spread = spread_of_trainings(trainings())

    assert spread.degrees == 1200
    assert spread.squares / spread.degrees == pytest.approx(4.0, rel=0.1)


def test_the_luck_of_artifacts_is_told_from_the_shared_one() -> None:
    """Artifacts that differ from their training by 0.5 have a variance of 0.25 of their own; else none."""
    spread = spread_of_artifacts(trainings(own=0.5))

    assert spread.squares / spread.degrees == pytest.approx(0.25, rel=0.1)
    assert spread_of_artifacts(trainings()).squares == pytest.approx(0.0, abs=1e-20)


def test_what_users_make_of_it_is_taken_out() -> None:
    """Fifty users that differ by 20 between seeds add 8 to the variance of 4 of their mean: that part is known."""
    spread = spread_of_trainings(trainings(n_users=50, of_users=20.0))

    assert spread.squares / spread.degrees - spread.of_users == pytest.approx(4.0, rel=0.2)
    assert spread.of_users == pytest.approx(8.0, rel=0.1)


def test_candidates_share_the_luck_of_what_they_share() -> None:
    """One artifact, one luck; one training, part of it; two trainings, none."""
    luck = Luck(Spread(4.0 * 99, 99), Spread(1.0 * 99, 99))
    made = [Made("a", "a8", 1), Made("a", "a8", 1), Made("a", "a4", 1), Made("b", "b8", 4), Made(None, "c", 1)]

    deviations = draw_luck(luck, made, N_DRAWS, [0]).deviations

    assert np.array_equal(deviations[:, 0], deviations[:, 1])
    assert np.corrcoef(deviations[:, 0], deviations[:, 2])[0, 1] == pytest.approx(4 / 5, abs=0.03)
    assert np.corrcoef(deviations[:, 0], deviations[:, 3])[0, 1] == pytest.approx(0.0, abs=0.03)
    assert deviations.std(axis=0) == pytest.approx([5**0.5, 5**0.5, 5**0.5, 1.0, 0.0], rel=0.05)


def test_few_repeats_leave_heavy_tails() -> None:
    """Four degrees of freedom: 95 % of the draws lie within 2.78 standard deviations, as Student's t has it."""
    deviations = draw_luck(Luck(Spread(4.0, 4), Spread()), [Made("a", "a")], N_DRAWS, [0]).deviations

    assert (np.abs(deviations) < 2.776).mean() == pytest.approx(0.95, abs=0.01)


def test_nothing_is_decided_on_fewer_than_four_repeats() -> None:
    """Luck that seems small after three of them is taken to be as large as if nothing were known."""
    hardly, known = (Luck(Spread(1e-9, degrees), Spread(), unknown=3.0).to_decide() for degrees in (3, 4))

    deviations = [draw_luck(luck, [Made("a", "a")], N_DRAWS, [0]).deviations.std() for luck in (hardly, known)]

    assert deviations[0] == pytest.approx(2 * 3.0, rel=0.05)
    assert deviations[1] < 0.01


def test_a_single_training_is_taken_to_be_luckier_when_decisions_are_made() -> None:
    """It was picked for what it gave, so that its luck counts twice; a mean of two trainings was not."""
    luck = Luck(Spread(4.0 * 99, 99), Spread()).to_decide()

    deviations = draw_luck(luck, [Made("a", "a", 1), Made("b", "b", 2)], N_DRAWS, [0]).deviations

    assert deviations.std(axis=0) == pytest.approx([2 * 2.0, 2.0 / 2**0.5], rel=0.05)
