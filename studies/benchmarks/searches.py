"""The searches that a table is replayed with: each gives the rows that it evaluates, one after the other."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice

import numpy as np
import optuna

import paretoopt as po
from paretoopt.candidate import Evaluation, Measurement, StageRun
from paretoopt.errors import MissingExtraError
from paretoopt.search.encoding import suggest
from paretoopt.search.records import write_measured
from paretoopt.search.scouting import MOST
from studies.benchmarks.search_table import Table

Ask = Callable[[int], Mapping[str, float]]
"""Gives the costs of a row that was not evaluated: they are measured on its untrained shape."""
Search = Callable[[Table, int, Ask], Iterator[int]]
"""From a table, a seed and what tells costs to rows; it ends when no configuration is left, or never."""


def without_repeats(table: Table, seed: int, ask: Ask) -> Iterator[int]:
    """All configurations in random order."""
    yield from map(int, np.random.default_rng(seed).permutation(len(table.metrics)))


def exhausting(table: Table, seed: int, ask: Ask) -> Iterator[int]:
    """All configurations, always one that needs the fewest new epochs; among equals, in random order."""
    order = list(without_repeats(table, seed, ask))
    place = {row: n for n, row in enumerate(order)}
    left: dict[tuple[str, ...], list[int]] = {}
    for row in order:
        left.setdefault(tuple(stage.key for stage in table.stages[row]), []).append(row)
    paid: set[str] = set()
    while left:
        keys = min(left, key=lambda keys: sum(table.epochs[key] for key in keys if key not in paid))
        paid.update(keys)
        first = left[keys][0]
        free = [row for one in [one for one in left if paid.issuperset(one)] for row in left.pop(one)]
        yield from sorted(free, key=lambda row: (row != first, place[row]))


def by_sampler(make: Callable[[Table, int], optuna.samplers.BaseSampler]) -> Search:
    """What an Optuna sampler proposes when each evaluation is told to it."""

    def search(table: Table, seed: int, ask: Ask) -> Iterator[int]:
        return _proposals(table, make(table, seed), set())

    return search


def cost_first(*, are_costs_known: bool, n_scouted: int = 0) -> Search:
    """What paretoopt's sampler proposes, told which stages are trained.

    Args:
        are_costs_known: Whether all costs are measured at the start; else those of trials.
        n_scouted: Candidates whose costs may be measured for each choice, before any of them is trained.
    """

    def search(table: Table, seed: int, ask: Ask) -> Iterator[int]:
        paid: set[str] = set()

        def costs(params: po.Params) -> Mapping[str, float] | None:
            return ask(table.row(params)) if are_costs_known else None

        sources = po.Sources(
            costs,
            artifact_key=lambda params: table.artifacts[table.row(params)],
            remaining=lambda params: tuple(one for one in table.stages[table.row(params)] if one.key not in paid),
            cost_metrics=frozenset(table.cost_metrics()),
        )
        sampler = po.CostFirstSampler(table.space, table.objectives, sources=sources, seed=seed)
        # It never repeats itself; once nothing is left, it would draw at random.
        before = partial(_scout, table, sampler, n_scouted, ask)
        yield from islice(_proposals(table, sampler, paid, before), len(table.metrics))

    return search


def qlognehvi(table: Table, seed: int, ask: Ask) -> Iterator[int]:
    """What BoTorch proposes.

    Raises:
        MissingExtraError: BoTorch is not installed.
    """
    try:
        module = importlib.import_module("studies.benchmarks.botorch_search")
    except ModuleNotFoundError as error:
        raise MissingExtraError("qLogNEHVI needs botorch: pip install 'paretoopt[benchmarks]'.") from error
    yield from module.qlognehvi(table, seed)


def _scout(table: Table, sampler: po.CostFirstSampler, n_scouted: int, ask: Ask, study: optuna.Study) -> None:
    for _ in range(n_scouted):
        params = sampler.to_measure_first(study.get_trials(deepcopy=False))
        if params is None:
            return
        costs = ask(table.row(params))
        sampler.learn_costs(params, {metric: costs[metric] for metric in table.cost_metrics()})


def _proposals(
    table: Table,
    sampler: optuna.samplers.BaseSampler,
    paid: set[str],
    before: Callable[[optuna.Study], None] = lambda study: None,
) -> Iterator[int]:
    study = optuna.create_study(directions=[one.direction for one in table.objectives], sampler=sampler)
    while True:
        before(study)
        trial = study.ask()
        row = table.row(suggest(trial, table.space))
        runs = [StageRun(one.name, one.key, one.key in paid, table.epochs[one.key]) for one in table.stages[row]]
        paid.update(run.key for run in runs)
        measured = {name: Measurement(value) for name, value in table.measured(row).items()}
        write_measured(trial, Evaluation(measured, tuple(runs)), ())
        study.tell(trial, [measured[one.metric].value for one in table.objectives])
        yield row


def _quiet(make: Callable[[int], optuna.samplers.BaseSampler]) -> Search:
    def made(table: Table, seed: int) -> optuna.samplers.BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return make(seed)

    return by_sampler(made)


SEARCHES: Mapping[str, Search] = {
    "random without repeats": without_repeats,
    "quasi-random (QMCSampler)": _quiet(lambda seed: optuna.samplers.QMCSampler(scramble=True, seed=seed)),
    "TPESampler": _quiet(lambda seed: optuna.samplers.TPESampler(seed=seed)),
    "TPESampler(multivariate=True)": _quiet(lambda seed: optuna.samplers.TPESampler(multivariate=True, seed=seed)),
    "NSGAIISampler": _quiet(lambda seed: optuna.samplers.NSGAIISampler(seed=seed)),
    "NSGAIIISampler": _quiet(lambda seed: optuna.samplers.NSGAIIISampler(seed=seed)),
    "GPSampler": _quiet(lambda seed: optuna.samplers.GPSampler(seed=seed, deterministic_objective=True)),
    "qLogNEHVI (BoTorch)": qlognehvi,
    "exhausting, cheapest next": exhausting,
    "paretoopt, costs predicted": cost_first(are_costs_known=False),
    "paretoopt": cost_first(are_costs_known=False, n_scouted=MOST),
    "paretoopt, costs known": cost_first(are_costs_known=True),
}
"""By the name on the page; those of paretoopt last."""
LISTED = ("random without repeats", "exhausting, cheapest next")
"""Those that go through a list of all configurations."""
SLOW = ("GPSampler", "qLogNEHVI (BoTorch)")
"""Those that take seconds per trial, thousands of times as long as the replay itself."""
