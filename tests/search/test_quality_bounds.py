"""How good a candidate could be at best."""

from __future__ import annotations

import numpy as np

from paretoopt.candidate import Candidate, Measurement
from paretoopt.objectives import maximize, minimize
from paretoopt.search.quality_bounds import upper_bounds
from paretoopt.space import Params

QUALITY = [maximize("quality")]


def artifacts(n: int, seed: int, noise: float = 1.0) -> list[Candidate]:
    """Quality is ``size`` and noise; sizes are from 0 to 4, so that five values are seen."""
    random = np.random.default_rng(seed)
    return [
        Candidate(number, {"size": number % 5}, {"quality": Measurement(number % 5 + noise * random.normal())})
        for number in range(n)
    ]


def test_the_bound_is_exceeded_as_often_as_stated() -> None:
    """At 10 %, of two thousand new artifacts about two hundred lie above it."""
    exceeded = 0
    for seed in range(2000):
        *observed, new = artifacts(31, seed)
        exceeded += new.measurements["quality"].value > upper_bounds(observed, new.params, QUALITY, risk=0.1)["quality"]

    assert 140 < exceeded < 230  # 200 by the rule; the order statistic of few makes it a little less


def test_a_metric_to_be_minimised_has_a_lower_bound() -> None:
    """The mirror image of one to be maximised."""
    observed = artifacts(40, 0)
    mirrored = [
        Candidate(one.number, one.params, {"loss": Measurement(-one.measurements["quality"].value)}) for one in observed
    ]

    (above,) = upper_bounds(observed, {"size": 2}, QUALITY, risk=0.1).values()
    (below,) = upper_bounds(mirrored, {"size": 2}, [minimize("loss")], risk=0.1).values()

    assert np.isclose(above, -below)
    assert above > 2


def test_exact_qualities_are_bounded_by_themselves() -> None:
    """Without noise, the fit is all there is."""
    assert np.isclose(upper_bounds(artifacts(40, 0, noise=0), {"size": 3}, QUALITY, risk=0.05)["quality"], 3)


def test_too_few_artifacts_give_no_bound() -> None:
    """At 5 %, it takes 19 more than the two coefficients."""
    assert upper_bounds(artifacts(20, 0), {"size": 2}, QUALITY, risk=0.05) == {}
    assert upper_bounds(artifacts(21, 0), {"size": 2}, QUALITY, risk=0.05) != {}


def test_what_was_not_seen_has_no_bound() -> None:
    """Neither a size beyond those measured, nor a name that none had."""
    named: list[Candidate] = [
        Candidate(one.number, {**one.params, "kind": "plain"}, one.measurements) for one in artifacts(40, 0)
    ]

    def bounds(params: Params) -> dict[str, float]:
        return upper_bounds(named, params, QUALITY, risk=0.05)

    assert bounds({"size": 5, "kind": "plain"}) == {}
    assert bounds({"size": 2, "kind": "global"}) == {}
    assert bounds({"size": 2, "kind": "plain"}) != {}
