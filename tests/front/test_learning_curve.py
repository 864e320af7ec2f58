"""The bound on what a learning curve can still come to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from paretoopt.front.learning_curve import extrapolation, greatest_final, least_known

LOOKS = np.array([1.0, 2.0, 4.0, 8.0])


def make_curves(random: np.random.Generator, n_curves: int, *, noise: float) -> tuple[NDArray[np.float64], ...]:
    """Curves that rise to a random final value at random speeds, and the final values; every value is noisy."""
    finals = random.normal(0.5, 0.1, size=n_curves)
    speeds = random.uniform(0.3, 0.9, size=(n_curves, 1))
    curves = finals[:, None] * (1 - np.exp(-speeds * LOOKS))
    measured = finals + random.normal(0, noise / 4, n_curves)
    return curves + random.normal(0, noise, curves.shape), measured


def share_above(risk: float, *, noise: float, n_known: int, of_best: float, n_replays: int = 1500) -> tuple[float, int]:
    """How often the best of the new curves come to more than their bound, and how many there were."""
    random = np.random.default_rng(0)
    above = []
    for _ in range(n_replays):
        known = extrapolation(*make_curves(random, n_known, noise=noise), risk=risk)
        assert known is not None
        curves, finals = make_curves(random, 20, noise=noise)
        best = finals >= np.quantile(finals, 1 - of_best)
        above += [greatest_final(known, curve) < final for curve, final in zip(curves[best], finals[best], strict=True)]
    return float(np.mean(above)), n_replays


@pytest.mark.parametrize(("risk", "n_known"), [(0.05, 19), (0.1, 9), (0.1, 50), (0.2, 20)])
@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_all_looks_together_keep_the_risk(risk: float, n_known: int, noise: float) -> None:
    """Of new curves, at most the stated share comes to more than the bound at any look, within sampling error."""
    share, n_replays = share_above(risk, noise=noise, n_known=n_known, of_best=1.0)

    assert share <= risk + 3 * math.sqrt(risk * (1 - risk) / n_replays)


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_the_best_curves_keep_the_risk_too(noise: float) -> None:
    """Who joins a front is among the best, and the share of these that come to more is no larger than stated."""
    share, n_replays = share_above(0.1, noise=noise, n_known=20, of_best=0.1)

    assert share <= 0.1 + 3 * math.sqrt(0.1 * 0.9 / n_replays)


def test_bound_is_exact_where_curves_tell_everything() -> None:
    """Of curves that are half and then three quarters of their final value, each is bounded by that value."""
    finals = np.linspace(0.1, 1.0, 19)
    known = extrapolation(np.outer(finals, [0.5, 0.75]), finals, risk=0.05)

    assert known is not None
    assert greatest_final(known, np.array([0.3])) == pytest.approx(0.6)
    assert greatest_final(known, np.array([0.3, 0.3])) == pytest.approx(0.4)


@pytest.mark.parametrize(("risk", "least"), [(0.5, 1), (0.2, 4), (0.1, 9), (0.05, 19), (0.01, 99)])
def test_too_few_curves_say_nothing(risk: float, least: int) -> None:
    """Of n curves and a new one each is the lowest with probability 1 / (n + 1), which must not exceed the risk."""
    finals = np.linspace(0.1, 1.0, 100)

    assert least_known(risk) == least
    assert extrapolation(finals[: least - 1, None], finals[: least - 1], risk=risk) is None
    assert (extrapolation(finals[:least, None], finals[:least], risk=risk) is None) == (least == 1)


def test_curves_that_tell_nothing_bound_nothing() -> None:
    """Where early values fall as final ones rise, any final value is possible."""
    finals = np.linspace(0.1, 1.0, 19)
    known = extrapolation(1 - finals[:, None], finals, risk=0.05)

    assert known is not None
    assert greatest_final(known, np.array([0.0])) == math.inf


def test_look_without_a_value_bounds_nothing() -> None:
    """A metric that is first reported at the second look is bounded from there."""
    finals = np.linspace(0.1, 1.0, 19)
    known = extrapolation(np.outer(finals, [0.5, 0.75]), finals, risk=0.05)

    assert known is not None
    assert greatest_final(known, np.array([np.nan])) == math.inf
    assert greatest_final(known, np.array([np.nan, 0.3])) == pytest.approx(0.4)
