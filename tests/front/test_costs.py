"""What a deployment costs, from what was measured of it."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.candidate import Candidate, Measurement, StageRun
from paretoopt.errors import CostError
from paretoopt.front.costs import check_costs, priced
from paretoopt.front.front_of import front_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.front.serving_cost import ServingCost
from paretoopt.front.total_cost import TotalCost
from paretoopt.objectives import at_most, maximize, minimize

COST = ServingCost(1_000, price_per_core_hour=0.04, price_per_gib_hour=0.005, price_per_machine_hour=0.01)


def deployed(rps: float | Measurement, mib: float | Measurement, workers: int = 1, **more: float) -> Candidate:
    """A candidate with a measured throughput and memory."""
    measured = {"throughput_rps": rps, "memory_total_mib": mib, **more}
    return Candidate(
        0,
        {"serving_workers": workers},
        {name: one if isinstance(one, Measurement) else Measurement(one) for name, one in measured.items()},
    )


def test_a_load_is_served_by_as_many_replicas_as_hold_it() -> None:
    """By hand: 1,000 requests at 400 a replica take three, of two cores, 512 MiB and a machine each."""
    costs = priced(deployed(400, 512, workers=2), [COST]).measurements
    per_hour = 3 * (2 * 0.04 + 0.5 * 0.005 + 0.01)

    assert costs["replicas"] == Measurement(3.0)
    assert costs["workers_needed"] == Measurement(6.0)
    assert costs["serving_cost_per_month"].value == pytest.approx(per_hour * 730)
    assert costs["serving_cost_per_million"].value == pytest.approx(per_hour / 3.6)


def test_costs_are_as_uncertain_as_throughput_and_memory() -> None:
    """The dearest is at the least throughput with the most memory."""
    costs = priced(deployed(Measurement(400, 300, 600), Measurement(512, 256, 1024)), [COST]).measurements

    assert costs["replicas"] == Measurement(3.0, 2.0, 4.0)
    month = costs["serving_cost_per_month"]
    assert month.low == pytest.approx(2 * (0.04 + 0.25 * 0.005 + 0.01) * 730)
    assert month.high == pytest.approx(4 * (0.04 + 1.0 * 0.005 + 0.01) * 730)


def test_the_plan_may_leave_headroom_and_the_mean_load_be_below_the_peak() -> None:
    """Half the throughput takes twice the replicas; a quarter of the requests makes each four times as dear."""
    half = ServingCost(1_000, 0.04, 0.0, utilization=0.5, mean_requests_per_second=250)
    full = ServingCost(1_000, 0.04, 0.0)
    one, other = (priced(deployed(500, 512), [cost]).measurements for cost in (half, full))

    assert (one["replicas"].value, other["replicas"].value) == (4, 2)
    assert one["serving_cost_per_million"].value == pytest.approx(8 * other["serving_cost_per_million"].value)


def test_throughput_within_the_bound_goes_before_that_of_a_closed_loop() -> None:
    """And either can be named."""
    candidate = deployed(500, 512, closed_loop_rps=1_000, memory_mib=1.0)

    assert priced(candidate, [COST]).measurements["replicas"].value == 2
    named = ServingCost(1_000, 0.04, 0.005, throughput="closed_loop_rps", memory="memory_mib")
    assert priced(candidate, [named]).measurements["replicas"].value == 1


@pytest.mark.parametrize("candidate", [deployed(0, 512), deployed(Measurement(5, 0, 9), 512), Candidate(0, {}, {})])
def test_what_holds_no_load_has_no_cost(candidate: Candidate) -> None:
    """No number of replicas is enough, or nothing is known."""
    assert priced(candidate, [COST]).measurements == candidate.measurements


@given(st.floats(1, 1e4), st.floats(1, 1e4), st.floats(1, 1e4), st.integers(1, 4))
def test_more_throughput_never_costs_more_and_replicas_hold_the_load(
    load: float, rps: float, more: float, workers: int
) -> None:
    """And one replica fewer would not hold it."""
    cost = ServingCost(load, 0.04, 0.005)
    one, other = (priced(deployed(value, 512, workers), [cost]).measurements for value in (rps, rps + more))
    replicas = one["replicas"].value

    assert other["serving_cost_per_month"].value <= one["serving_cost_per_month"].value
    assert replicas * rps >= load * (1 - 1e-12)
    assert (replicas - 1) * rps < load


def test_training_costs_one_machine_and_its_workers_for_as_long_as_all_training_takes() -> None:
    """What was reused counts: the candidate alone would have taken it."""
    runs = (
        StageRun("fit", "a", reused=True, seconds=60.0, trains=True),
        StageRun("fine_tune", "b", reused=False, seconds=20.0, trains=True),
        StageRun("latency", "c", reused=False, seconds=99.0),
    )
    costs = priced(Candidate(0, {"training_workers": 2}, {}, runs), [TotalCost("training", machine=0.5)]).measurements

    assert costs["training_seconds"].value == 80
    assert costs["total_training_cost"].value == 80 * (0.5 + 2 * 1.0)


def test_serving_costs_one_machine_and_its_workers_for_each_replica() -> None:
    """One replica, unless the load takes more."""
    candidate, total = deployed(400, 512, workers=2), TotalCost("serving", machine=3.0, per_worker=2.0)

    assert priced(candidate, [total]).measurements["total_serving_cost"].value == 7
    assert priced(candidate, [COST, total]).measurements["total_serving_cost"].value == 3 * 7


def test_a_front_is_picked_from_by_cost() -> None:
    """With a budget, by the cheapest, with the cost as an objective, and through a table."""
    frame = pd.DataFrame(
        {
            "embedding_dim": [16, 32, 64],
            "serving_workers": [1, 2, 1],
            "auc": [0.7, 0.8, 0.9],
            "throughput_rps": [1000, 900, 100],
            "memory_mib": [64.0, 256.0, 512.0],
            "training_seconds": [10.0, 20.0, 500.0],
        }
    )
    training, serving = TotalCost("training"), TotalCost("serving")
    front = front_of(frame, [maximize("auc")]).with_costs(COST, training, serving)

    assert front.pick(prefer=minimize("serving_cost_per_month")).number == 0
    assert front.pick(within=[training.at_most(400)], prefer="auc").number == 1
    assert front.pick(within=[serving.at_most(3)], prefer="auc").number == 0
    assert "total_serving_cost ≤ 3 with 1" in front.pick(within=[serving.at_most(3)], prefer="auc").why
    seen = front_of(front, [maximize("auc"), minimize("serving_cost_per_million")], [at_most("replicas", 2)])
    assert [one.number for one in seen] == [0, 1]
    assert front_of(seen.to_frame(), seen.objectives).members == seen.members


def test_new_prices_replace_the_old() -> None:
    """Nothing is left of what was reckoned before, even where the new ones give nothing."""
    dear = ServingCost(1_000, price_per_core_hour=0.08, price_per_gib_hour=0.01, price_per_machine_hour=0.02)
    once = priced(deployed(400, 512), [COST])
    twice = priced(once, [dear]).measurements

    assert twice["serving_cost_per_month"].value == pytest.approx(2 * once.measurements["serving_cost_per_month"].value)
    missing = ServingCost(1_000, 0.04, 0.005, throughput="elsewhere_rps")
    assert "replicas" not in priced(once, [missing]).measurements


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"requests_per_second": 0}, "requests_per_second=0 cannot be reckoned with. Give a positive number"),
        ({"requests_per_second": math.inf}, "requests_per_second=inf"),
        ({"price_per_core_hour": -1.0}, "price_per_core_hour=-1.0 cannot be reckoned with. Give 0 or a positive"),
        ({"price_per_core_hour": 0.0, "price_per_gib_hour": 0.0}, "every price is 0"),
        ({"utilization": 1.5}, "utilization=1.5 is no share"),
        ({"mean_requests_per_second": 20.0}, "whose peak is 10. Give one above 0, up to the peak"),
    ],
)
def test_prices_and_loads_that_are_none_are_refused(settings: dict[str, Any], message: str) -> None:
    """At once, with what to give."""
    given: dict[str, Any] = {
        "requests_per_second": 10.0,
        "price_per_core_hour": 1.0,
        "price_per_gib_hour": 1.0,
        **settings,
    }
    with pytest.raises(CostError, match=message):
        ServingCost(**given)


def test_total_costs_that_are_none_are_refused() -> None:
    """So are two costs of one kind, and one that needs the replicas of a later one."""
    with pytest.raises(CostError, match="of='idling' is nothing that workers do"):
        TotalCost("idling")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(CostError, match="per_worker=nan cannot be reckoned with"):
        TotalCost("training", per_worker=math.nan)
    with pytest.raises(CostError, match="both 0"):
        TotalCost("training", per_worker=0)
    with pytest.raises(CostError, match="'replicas' is given by two costs"):
        check_costs([COST, COST])
    with pytest.raises(CostError, match="a ServingCost that comes after it"):
        ParetoFront([deployed(1, 1)], [maximize("throughput_rps")]).with_costs(TotalCost("serving"), COST)
    with pytest.raises(CostError, match="3 is no cost"):
        check_costs([3])  # type: ignore[list-item]  # what is refused
