"""What the finals know of quality: the same users for every finalist, also where a metric is no mean over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Candidate, Measurement, ProgressListener, Remeasurement, UserStatistic
from paretoopt.objectives import maximize
from paretoopt.search.finals_summary import draws_without_rounds, probabilities_of
from paretoopt.space import Params

N_USERS = 200
USERS = np.random.default_rng(0).random(N_USERS)
FINALISTS = [Candidate(number, {"lift": number}, {"worst_group": Measurement(0.5, 0.4, 0.6)}) for number in (0, 1)]


class Groups:
    """Two groups of users; one finalist serves each user a little better than the other does."""

    timed_metrics = ()

    def device(self) -> str:
        """Some machine."""
        return "here"

    def remeasure(self, params: Params, listener: ProgressListener) -> Remeasurement:
        """Nothing is measured here."""
        raise NotImplementedError

    def per_user(self, params: Params, listener: ProgressListener) -> dict[str, NDArray[np.float64]]:  # noqa: ARG002
        """Finalist 1 is better for every user by the same."""
        return {"quality": USERS + 0.001 * int(params["lift"])}

    def user_statistics(self, params: Params, listener: ProgressListener) -> dict[str, UserStatistic]:
        """The less well served half."""
        values = self.per_user(params, listener)["quality"]

        def worst(counts: NDArray[np.int64]) -> float:
            return min(
                float(np.average(values[half], weights=counts[half])) for half in np.split(np.arange(N_USERS), 2)
            )

        return {"worst_group": worst}


def test_groups_are_drawn_from_the_same_users_as_means() -> None:
    """Groups differ much between samples of users, and still the better finalist's worst group is better in each."""
    draws = draws_without_rounds(["quality", "worst_group"], FINALISTS, Groups(), lambda progress: None)

    assert probabilities_of(draws, [maximize("worst_group")], []).tolist() == [0.0, 1.0]
    assert (draws["worst_group"] <= draws["quality"] + 1e-12).all()
    assert draws["worst_group"].std(axis=0).min() > 0.01
