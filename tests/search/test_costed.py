"""Studies that search by what a deployment costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import optuna
import pytest

from paretoopt.candidate import Evaluation, Measurement, ProgressListener, Remeasurement
from paretoopt.errors import CostError, ObjectiveError, StudyMismatchError
from paretoopt.front.costs import Cost, priced
from paretoopt.front.serving_cost import ServingCost
from paretoopt.front.total_cost import TotalCost
from paretoopt.objectives import at_most, maximize, minimize
from paretoopt.search.costed import with_cost_metrics
from paretoopt.search.create import create_study
from paretoopt.search.evaluator import CostFirst, Evaluator, Remeasurer
from paretoopt.search.study import Study
from paretoopt.space import Int, Params, SearchSpace
from tests.search.conftest import Scales
from tests.search.tables import OBJECTIVES, SPACE, Table
from tests.search.test_finals import Machine

BUDGET = TotalCost("training", machine=1.0, per_worker=2.0)
PRICES = ServingCost(1_000, price_per_core_hour=0.04, price_per_gib_hour=0.0)
WORKERS = SearchSpace(serving_workers=Int(1, 4), training_workers=Int(1, 2))


def measured(params: Params) -> Mapping[str, float]:
    """More workers answer and train faster, each a little less so; quality is that of the training workers."""
    serving, training = float(params["serving_workers"]), float(params["training_workers"])
    return {
        "auc": 0.7 + 0.1 * (2 - training),
        "throughput_rps": 300 * serving**0.9,
        "memory_mib": 10 * serving,
        "training_seconds": 100 / training**0.5,
    }


def run_study(tmp_path: Path, *costs: Cost, **changes: object) -> Study:
    """All eight candidates, evaluated by a plain function."""
    settings: dict[str, object] = {
        "objectives": [maximize("auc"), minimize("serving_cost_per_month")],
        "study_name": "shop",
        "storage": f"sqlite:///{tmp_path / 'study.db'}",
        "load_if_exists": True,
        "sampler": optuna.samplers.RandomSampler(seed=0),
        **changes,
    }
    study = create_study(WORKERS, costs=costs, **settings)  # type: ignore[arg-type]  # settings are mixed
    study.optimize(measured, progress=False)
    return study


def test_a_study_searches_by_cost_and_keeps_it(tmp_path: Path) -> None:
    """The costs are those of the measurements; they are there when the study is opened again."""
    study = run_study(tmp_path, PRICES)
    reopened = run_study(tmp_path, PRICES)

    assert len(study.candidates()) == 8
    assert all(one == priced(one, [PRICES]) for one in study.candidates())
    assert all("serving_cost_per_month" in one.measurements for one in study.candidates())
    assert reopened.pareto_front() == study.pareto_front()
    assert {one.params["serving_workers"] for one in study.pareto_front()} == {1, 2, 4}  # 4 cores each; 3 take 6


def test_the_total_cost_is_a_constraint_of_the_search(tmp_path: Path) -> None:
    """One machine and two workers for 71 s cost 354, one and one for 100 s cost 300; Optuna is told, too."""
    study = run_study(tmp_path, PRICES, BUDGET, constraints=[BUDGET.at_most(320)])
    trials = study.optuna_study.get_trials(deepcopy=False)

    assert {one.params["training_workers"] for one in study.pareto_front()} == {1}
    told = {trial.user_attrs["params"]["training_workers"]: trial.constraints for trial in trials if trial.values}
    assert told[1]["total_training_cost_at_most"] == pytest.approx(300 / 320 - 1)
    assert told[2]["total_training_cost_at_most"] == pytest.approx(5 * 100 / 2**0.5 / 320 - 1)


def test_a_study_of_other_prices_is_another_study(tmp_path: Path) -> None:
    """Its objective values would not compare; a study without costs is one of before."""
    run_study(tmp_path, PRICES)

    with pytest.raises(StudyMismatchError, match=r"created with costs \(ServingCost\(requests_per_second=1000"):
        run_study(tmp_path, ServingCost(999, price_per_core_hour=0.04, price_per_gib_hour=0.0))
    with pytest.raises(CostError, match="given by two costs"):
        run_study(tmp_path, PRICES, PRICES)


def test_a_pipeline_that_does_not_measure_what_a_cost_needs_is_refused(
    make_scales: type[Scales], open_study: Callable[..., Study]
) -> None:
    """Before anything is evaluated, with what there is."""
    study = open_study(objectives=[minimize("replicas")], costs=[PRICES])

    with pytest.raises(
        ObjectiveError, match=r"ServingCost is reckoned from 'throughput_rps'.* It measures: cost, error"
    ):
        study.optimize(make_scales(), progress=False)


def test_costs_that_follow_from_the_shape_prune_before_training() -> None:
    """What the table's memory costs is known first, so that what is too dear is never trained."""
    table, cost = Table(), ServingCost(10, 0.0, 1.0, throughput="memory", memory="memory")
    dear = at_most("serving_cost_per_month", 5.0)
    study = create_study(
        SPACE, objectives=OBJECTIVES, constraints=[dear], costs=[cost], storage="sqlite:///:memory:", study_name="table"
    )
    study.optimize(table, n_trials=12, progress=False)

    assert any("serving_cost_per_month is" in one.reason for one in study.pruned())
    assert all(dear.violation(one.measurements[dear.metric].value) <= 0 for one in study.candidates())


def test_training_that_is_to_come_costs_nothing_known() -> None:
    """Before training, the total cost of it is no cost of 0; what it costs to serve is known."""
    costed = with_cost_metrics(Table(), [TotalCost("training"), TotalCost("serving")])

    assert isinstance(costed, CostFirst)
    assert set(costed.shape_metrics) == {"memory", "total_serving_cost"}
    costs = costed.costs(next(SPACE.grid()), lambda progress: None)
    assert set(costs.measurements) == {"memory", "total_serving_cost"}


@pytest.mark.parametrize("inner", [Scales(), Table(), Machine()])
def test_an_evaluator_with_costs_can_do_what_it_could_before(inner: Evaluator) -> None:
    """No more and no less; without costs it is itself."""
    costed = with_cost_metrics(inner, [PRICES])

    for protocol in (Evaluator, CostFirst, Remeasurer):
        assert isinstance(costed, protocol) == isinstance(inner, protocol)
    assert with_cost_metrics(inner, []) is inner


class Servers(Machine):
    """The machine, whose throughput is a thousand over its latency, and whose memory is the same for all."""

    metrics = (*Machine.metrics, "throughput_rps", "memory_mib")  # type: ignore[assignment]  # more of them

    def remeasure(self, params: Params, listener: ProgressListener) -> Remeasurement:
        """Latency, and what follows."""
        found = super().remeasure(params, listener)
        return Remeasurement(served(found.measurements), found.devices, found.environments)

    def evaluate(self, params: Params, listener: ProgressListener) -> Evaluation:
        """As the parent, with throughput and memory."""
        evaluation = super().evaluate(params, listener)
        return Evaluation(served(evaluation.measurements), evaluation.runs)


def served(measurements: Mapping[str, Measurement]) -> dict[str, Measurement]:
    """Throughput and memory beside the latency."""
    rps = 1_000 / measurements["latency_ms"].value
    return {**measurements, "throughput_rps": Measurement(rps), "memory_mib": Measurement(64.0)}


def test_finals_reckon_costs_from_what_all_rounds_measured() -> None:
    """The replicas of the typical throughput, a whole number, and not what is typical of each round's replicas."""
    study = create_study(
        SearchSpace(size=Int(0, 4)),
        objectives=[maximize("quality"), minimize("replicas")],
        costs=[PRICES],
        storage="sqlite:///:memory:",
    )
    study.optimize(Servers(), progress=False)
    front = study.finals(Servers(), rounds=6, confidence=None, progress=False)

    assert len(front) > 1
    for member in front:
        assert member == priced(member, [PRICES])
        assert member.measurements["throughput_rps"].low is not None
        assert member.measurements["replicas"].high is not None
        assert member.probability_nondominated is not None
