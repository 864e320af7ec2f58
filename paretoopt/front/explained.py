"""How much of what is open would be told by one more look at something.

Of each candidate it is known in every draw whether it is on the front. What another look would show is drawn along, so
that the share of the variance of membership that the look explains can be read from the draws: the value of sample
information, by regression on draws (Strong, Oakley, Brennan and Breeze, "Estimating the expected value of sample
information using the probabilistic sensitivity analysis sample", Medical Decision Making 35, 2015). It looks one step
ahead, as the knowledge gradient does (Frazier, Powell and Dayanik 2008). The variance of membership, ``p (1 - p)``, is
what is to become small; the share of wrong decisions would stay as it is for every look that alone changes no decision.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def explained_variance(membership: NDArray[np.bool_], looks: NDArray[np.float64]) -> NDArray[np.float64]:
    """The variance of each candidate's membership that the looks explain; at least 0.

    By least squares on the ranks of ``looks``, so that heavy tails do no harm; membership rises or falls with a value.
    What as many random looks would explain by chance is taken off.

    Args:
        membership: Array of shape ``(n_draws, n_candidates)``.
        looks: What would be seen; array of shape ``(n_draws, n_looks)``.

    >>> draws = np.linspace(-1.0, 1.0, 1_000)
    >>> explained_variance((draws > 0)[:, None], draws[:, None]).round(2).tolist()
    [0.19]
    """
    n_draws, n_looks = looks.shape
    ranks = looks.argsort(axis=0).argsort(axis=0) / n_draws
    centred = membership - membership.mean(axis=0)
    regressors = ranks - ranks.mean(axis=0)
    fitted = regressors @ np.linalg.lstsq(regressors, centred, rcond=None)[0]
    by_chance = centred.var(axis=0) * n_looks / n_draws
    explained: NDArray[np.float64] = np.clip(fitted.var(axis=0) - by_chance, 0.0, None)
    return explained
