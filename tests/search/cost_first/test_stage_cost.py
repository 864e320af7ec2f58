"""Expected cost of training stages."""

from __future__ import annotations

import pytest

from paretoopt.candidate import RemainingStage
from paretoopt.search.cost_first.stage_cost import PaidStage, StageCosts


def fit(dim: int) -> RemainingStage:
    """Training a model of this width."""
    return RemainingStage("fit", f"fit {dim}", {"dim": dim, "loss": "softmax"})


def test_cost_follows_the_parameters_of_the_stage() -> None:
    """Seconds in proportion to the width are found to be so, between and beyond the widths that were trained."""
    costs = StageCosts([PaidStage("fit", fit(dim).params, 2.0 * dim) for dim in (8, 16, 32, 64, 128)])

    assert costs.seconds(fit(48)) == pytest.approx(96, rel=0.1)
    assert costs.seconds(fit(256)) == pytest.approx(512, rel=0.2)


def test_one_run_stands_for_all_of_its_stage() -> None:
    """A stage that was run once is expected to cost the same with other parameters."""
    assert StageCosts([PaidStage("fit", fit(16).params, 30.0)]).seconds(fit(64)) == pytest.approx(30.0)


def test_unknown_stage_costs_as_much_as_the_others() -> None:
    """A stage that was never run is expected to cost the geometric mean; before any run, all cost the same."""
    tune = RemainingStage("fine_tune", "tune", {"ratio": 0.5})
    paid = [PaidStage("fit", fit(dim).params, seconds) for dim, seconds in ((16, 10.0), (32, 40.0))]

    assert StageCosts(paid).seconds(tune) == pytest.approx(20.0)
    assert StageCosts([]).seconds(tune) == StageCosts([]).seconds(fit(16)) == 1.0
