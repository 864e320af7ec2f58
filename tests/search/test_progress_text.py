"""The sentences of the progress display."""

from __future__ import annotations

import numpy as np
import pytest

from paretoopt.candidate import Evaluation, Measurement, StageRun
from paretoopt.front.dominance import reference_point
from paretoopt.front.hypervolume_share import hypervolume_share, hypervolume_shares
from paretoopt.front.training_cost import TrainingCost, is_reused, training_cost
from paretoopt.objectives import maximize, minimize
from paretoopt.search.ledger import Ledger
from paretoopt.search.progress_text import counts, reuse, seconds_left, summary, training


def test_summary_names_front_hypervolume_and_best_values() -> None:
    """The line counts the front and gives each objective's best value in its own direction.

    The box goes from (0.7, 10) to the reference point (0.37, 32): of its width 0.33 and height 22, (0.7, 20) has
    1 x 12/22, and (0.5, 10) adds 0.13/0.33 x 10/22.
    """
    values = [(0.5, 10.0), (0.7, 20.0), (0.4, 30.0)]

    line = summary(values, [maximize("ndcg"), minimize("latency")])

    share = 12 / 22 + 0.13 / 0.33 * 10 / 22
    assert line == f"front of 2, hypervolume {share:.3f}, best ndcg ↑ 0.7, latency ↓ 10"
    assert summary(values[:1], [maximize("ndcg"), minimize("latency")]) == "front of 1, best ndcg ↑ 0.5, latency ↓ 10"


def test_the_display_and_the_history_end_at_the_same_hypervolume() -> None:
    """The last value of the history is the share of all points, and the history never falls."""
    costs = np.random.default_rng(0).random((20, 3))

    history = list(hypervolume_shares(costs))

    assert history[-1] == pytest.approx(hypervolume_share(costs))
    assert history == sorted(history)
    assert hypervolume_share(costs[:0]) == 0.0
    assert (reference_point(costs) > costs).all()


def test_training_is_told_against_training_alone() -> None:
    """Nothing is said where nothing trains."""
    assert training(TrainingCost(2, 10, 60.0, 300.0)) == (
        "training 1 min 0 s; each trial alone 5 min 0 s, 5.0 times as long"
    )
    assert training(TrainingCost(1, 1, 5.0, 5.0)) == "training 5.0 s; each trial alone 5.0 s"
    assert training(TrainingCost()) == ""


def test_only_what_there_is_is_counted() -> None:
    """A study without failures says nothing of failures."""
    ledger = Ledger()
    assert counts(ledger) == ""

    ledger.failed["fit"] += 2
    ledger.n_reused = 3
    assert counts(ledger) == "2 failed · 3 reused"


def test_reuse_counts_hits_of_all_outputs() -> None:
    """A plain function keeps no outputs."""
    runs = (StageRun("fit", "a", True, 60.0, trains=True), StageRun("latency", "b", False, 1.0))

    assert reuse(Evaluation({"latency": Measurement(1.0)}, runs).runs) == "1 of 2 outputs reused"
    assert reuse(()) == ""


def test_a_trial_is_reused_when_all_of_its_training_was() -> None:
    """Measuring anew does not matter, and what never trains is not reused."""
    found, made = StageRun("fit", "a", True, 60.0, trains=True), StageRun("tune", "b", False, 9.0, trains=True)
    measured = StageRun("latency", "c", False, 1.0)

    assert is_reused([found, measured])
    assert not is_reused([found, made, measured])
    assert not is_reused([measured])
    assert training_cost([found, made, measured]) == TrainingCost(1, 2, 9.0, 69.0)


def test_time_left_is_the_least_of_pace_and_deadline() -> None:
    """Without a pace, a number of candidates or a deadline it is not known; a deadline that is over leaves nothing."""
    assert seconds_left(30.0, 3, None, None) is None
    assert seconds_left(30.0, 3, 4, None) == 40.0
    assert seconds_left(30.0, 3, 4, 15.0) == 15.0
    assert seconds_left(30.0, 0, 4, -1.0) == 0.0
