"""The sampler in a plain Optuna study."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest

from paretoopt.candidate import ProgressListener
from paretoopt.errors import CandidateError, StudyError
from paretoopt.front.dominance import hypervolume, reference_point
from paretoopt.objectives import Objective, at_most, maximize
from paretoopt.search.cost_first.sampler import CostFirstSampler
from paretoopt.search.encoding import suggest
from paretoopt.search.records import write_failure, write_measured
from paretoopt.space import Float, Int, Params, SearchSpace

MakeWorkshop = Callable[..., Any]
MakeSampler = Callable[..., CostFirstSampler]
SILENT: ProgressListener = lambda progress: None  # noqa: E731


def optuna_study(sampler: optuna.samplers.BaseSampler) -> optuna.Study:
    """A plain study of the workshop's objectives."""
    return optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)


def run(study: optuna.Study, workshop: Any, space: SearchSpace, n_trials: int) -> list[dict[str, Any]]:  # noqa: ANN401
    """Ask, evaluate and tell; gives the candidates."""
    asked = []
    for _ in range(n_trials):
        trial = study.ask()
        asked.append(dict(suggest(trial, space)))
        try:
            evaluation = workshop.evaluate(asked[-1], SILENT)
        except CandidateError as error:
            write_failure(trial, error)
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            continue
        write_measured(trial, evaluation, ())
        study.tell(trial, [evaluation.measurements[name].value for name in workshop.metrics])
    return asked


def seconds_to(share: float, study: optuna.Study, workshop: Any, space: SearchSpace) -> float:  # noqa: ANN401
    """Training until this share of the whole hypervolume is reached."""
    measured = [workshop.costs(params, SILENT) for params in space.grid()]
    whole = type(workshop)()
    rows = [whole.evaluate(params, SILENT).measurements for params in space.grid()]
    costs = np.array([[-row["quality"].value, row["memory"].value] for row in rows])
    reference = reference_point(costs)
    assert len(measured) == len(costs)
    reached: list[list[float]] = []
    while hypervolume(np.array(reached or [reference.tolist()]), reference=reference) < share * hypervolume(
        costs, reference=reference
    ):
        run(study, workshop, space, 1)
        values = study.trials[-1].values
        reached.append([-values[0], values[1]])
    return float(workshop.seconds)


@pytest.mark.parametrize("knows_costs", [True, False])
def test_front_is_reached_for_half_of_the_training(
    make_workshop: MakeWorkshop, make_sampler: MakeSampler, workshop_space: SearchSpace, *, knows_costs: bool
) -> None:
    """95 % of the hypervolume takes at most half of what multivariate TPE takes with the same store."""
    ours, theirs = make_workshop(knows_costs=knows_costs), make_workshop()
    tpe = optuna.samplers.TPESampler(multivariate=True, seed=0)

    spent = seconds_to(0.95, optuna_study(make_sampler(ours)), ours, workshop_space)

    assert spent <= 0.5 * seconds_to(0.95, optuna_study(tpe), theirs, workshop_space)


def test_no_candidate_is_proposed_twice_until_all_are(
    make_workshop: MakeWorkshop, make_sampler: MakeSampler, workshop_space: SearchSpace
) -> None:
    """The whole space is covered in as many trials as it has candidates; then there is a random one."""
    workshop = make_workshop()
    study = optuna_study(make_sampler(workshop))

    asked = run(study, workshop, workshop_space, 180)

    assert len({tuple(params.values()) for params in asked}) == 180
    assert run(study, workshop, workshop_space, 1)[0] in list(workshop_space.grid())


@pytest.mark.parametrize("knows_costs", [True, False])
def test_proposals_depend_on_seed_and_trials_alone(
    make_workshop: MakeWorkshop, make_sampler: MakeSampler, workshop_space: SearchSpace, *, knows_costs: bool
) -> None:
    """A study that goes on with a new sampler proposes what it would have proposed."""
    whole, parts = make_workshop(knows_costs=knows_costs), make_workshop(knows_costs=knows_costs)
    expected = run(optuna_study(make_sampler(whole)), whole, workshop_space, 30)

    study = optuna_study(make_sampler(parts))
    found = run(study, parts, workshop_space, 13)
    study.sampler = make_sampler(parts)
    found += run(study, parts, workshop_space, 17)

    assert found == expected


def test_first_trials_spread_over_variants_of_one_model(
    make_workshop: MakeWorkshop, make_sampler: MakeSampler, workshop_space: SearchSpace
) -> None:
    """The start trains a single model, of middling width and unpruned, and looks at variants that cost nothing."""
    workshop = make_workshop()

    asked = run(optuna_study(make_sampler(workshop)), workshop, workshop_space, 3)

    assert {(params["width"], params["pruned"]) for params in asked} == {(32, 0.0)}
    assert len({(params["bits"], params["workers"]) for params in asked}) == 3


def test_failing_region_is_left(
    make_workshop: MakeWorkshop, make_sampler: MakeSampler, workshop_space: SearchSpace
) -> None:
    """A width that always fails is tried a few times, and not in each of its 36 candidates."""
    workshop = make_workshop(fails=lambda params: params["width"] == 128)

    asked = run(optuna_study(make_sampler(workshop)), workshop, workshop_space, 60)

    assert sum(params["width"] == 128 for params in asked) <= 6


def test_limit_on_a_known_cost_is_kept_from_the_first_trial(
    make_workshop: MakeWorkshop, make_sampler: MakeSampler, workshop_space: SearchSpace
) -> None:
    """No candidate whose known memory exceeds the limit is proposed while others are left."""
    workshop = make_workshop()
    sampler = make_sampler(workshop, [at_most("memory", 40.0)])

    asked = run(optuna_study(sampler), workshop, workshop_space, 40)

    assert max(workshop.costs(params, SILENT).measurements["memory"].value for params in asked) <= 40.0


def test_running_trials_are_taken_into_account(
    make_workshop: MakeWorkshop, make_sampler: MakeSampler, workshop_space: SearchSpace
) -> None:
    """Trials that are asked for before any of them is told are all different."""
    workshop = make_workshop()
    study = optuna_study(make_sampler(workshop))
    run(study, workshop, workshop_space, 5)

    asked = [tuple(suggest(study.ask(), workshop_space).values()) for _ in range(4)]

    assert len(set(asked)) == 4


def test_costs_that_are_not_known_are_predicted(
    make_workshop: MakeWorkshop, make_sampler: MakeSampler, workshop_space: SearchSpace
) -> None:
    """After 40 of 180 candidates memory is predicted to a tenth, and the sampler tells how well."""
    workshop = make_workshop(knows_costs=False)
    sampler = make_sampler(workshop)

    run(optuna_study(sampler), workshop, workshop_space, 40)

    assert 0 < sampler.prediction_errors["memory"] < 0.1


def test_optuna_constraints_of_a_plain_study_are_kept_away_from(workshop_space: SearchSpace) -> None:
    """Without constraints of ours, trials that violate Optuna's are avoided as those are that failed."""
    study = optuna.create_study(direction="maximize", sampler=CostFirstSampler(workshop_space, [maximize("width")]))

    def objective(trial: optuna.Trial) -> float:
        params: Params = suggest(trial, workshop_space)
        trial.set_constraint("width", float(params["width"]) - 32.0)
        return float(params["width"])

    study.optimize(objective, n_trials=30)

    assert sum(trial.constraints["width"] > 0 for trial in study.trials) < 10


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (SearchSpace(ratio=Float(0.0, 1.0)), "continuous dimension.*give it a step"),
        (SearchSpace(a=Int(1, 1_000), b=Int(1, 1_000)), "1,000,000 candidates, more than the 50,000"),
    ],
)
def test_space_that_cannot_be_listed_is_refused(space: SearchSpace, message: str, objectives: list[Objective]) -> None:
    """The sampler says why it cannot be used."""
    with pytest.raises(StudyError, match=message):
        CostFirstSampler(space, objectives)
