"""The stated risk, kept over whole studies whose curves are known to the end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from paretoopt.front.dominance import is_nondominated
from paretoopt.objectives import maximize, minimize
from paretoopt.search.learning_curves import LearningCurves
from paretoopt.search.watched import Estimate, Watched, Wishes

WISHES = Wishes((maximize("accuracy"), minimize("memory_mib")), ())
N_TRIALS = 40
N_EPOCHS = 6
N_REPLAYS = 25


Trials = Iterator[tuple[list[float], float, float]]
"""Curve, final accuracy and memory of each trial."""


def make_trials(random: np.random.Generator, noise: float) -> Trials:
    """Curves that rise at random speeds to what they are worth, which more memory makes a little better."""
    for _ in range(N_TRIALS):
        memory = float(random.choice([1.0, 2.0, 4.0, 8.0]))
        final = float(random.normal(0.5 + 0.02 * math.log2(memory), 0.1))
        epochs = np.arange(1, N_EPOCHS + 1)
        curve = final * (1 - np.exp(-random.uniform(0.4, 0.8) * epochs)) + random.normal(0, noise, N_EPOCHS)
        yield [float(value) for value in curve], final, memory


def with_slow_starters(random: np.random.Generator) -> Trials:
    """Every fifth curve or so rises late, and comes to as much as the others."""
    for _ in range(2 * N_TRIALS):
        memory = float(random.choice([1.0, 2.0, 4.0, 8.0]))
        final = float(random.normal(0.5 + 0.02 * math.log2(memory), 0.1))
        speed = random.uniform(0.15, 0.3) if random.random() < 0.2 else random.uniform(0.7, 0.9)
        yield [final * (1 - math.exp(-speed * epoch)) for epoch in range(1, N_EPOCHS + 1)], final, memory


def replay(rule: LearningCurves, trials: Trials, *, from_all: bool = False) -> tuple[int, int, int]:
    """How many members the front of all trials has, how many of them were stopped, and how many trials were.

    With ``from_all``, bounds come from all trials that finished, and not from the reference trials alone.
    """
    done: list[Watched] = []
    costs, stopped = [], []
    for number, (curve, final, memory) in enumerate(trials):
        is_reference = rule.is_reference(number, done, {"accuracy"})
        trial = Watched(number, {"memory_mib": Estimate(memory)}, is_reference=is_reference)
        verdict = None
        for epoch, value in enumerate(curve):
            trial = replace(trial, reports={**trial.reports, epoch: {"accuracy": Estimate(value)}})
            verdict = verdict or rule.judge(trial, done, WISHES)
        if verdict is None:
            finals = {"accuracy": final, "memory_mib": memory}
            done.append(replace(trial, finals=finals, is_reference=is_reference or from_all))
        costs.append([-final, memory])
        stopped.append(verdict is not None)
    members = is_nondominated(np.array(costs))
    return int(members.sum()), int((members & np.array(stopped)).sum()), sum(stopped)


@pytest.mark.parametrize("noise", [0.01, 0.05])
@pytest.mark.parametrize("risk", [0.1, 0.2])
def test_front_members_are_stopped_no_more_often_than_stated(risk: float, noise: float) -> None:
    """Of the members of the front that all trials would have had, at most the stated share is stopped.

    The tolerance is that of a binomial share; and to have a risk at all, a tenth of the trials must be stopped.
    """
    random = np.random.default_rng(1)
    outcomes = np.array([replay(LearningCurves(risk=risk), make_trials(random, noise)) for _ in range(N_REPLAYS)])
    n_members, n_wrong, n_stopped = outcomes.sum(axis=0)

    assert n_wrong / n_members <= risk + 2 * math.sqrt(risk * (1 - risk) / n_members)
    assert n_stopped >= 0.1 * N_TRIALS * N_REPLAYS


def test_bounds_come_from_trials_that_finish_whatever_they_look_like() -> None:
    """Slow starters that are stopped are missing among the finished trials, so that bounds from all of these are wrong.

    They lose more of the front than the stated share, where reference trials keep to it.
    """
    rule, shares = LearningCurves(risk=0.2), []
    for from_all in (False, True):
        random = np.random.default_rng(1)
        outcomes = [replay(rule, with_slow_starters(random), from_all=from_all) for _ in range(12)]
        n_members, n_wrong, _ = np.sum(outcomes, axis=0)
        shares.append(n_wrong / n_members)

    assert shares[0] <= 0.2 < shares[1]
