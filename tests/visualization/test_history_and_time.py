"""How the front grew, where the time went, and what the members have in common."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from paretoopt.candidate import Candidate, StageRun
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import maximize, minimize
from paretoopt.visualization.hypervolume_history import hypervolume_history_data, plot_hypervolume_history
from paretoopt.visualization.parallel_coordinates import parallel_coordinates_data, plot_parallel_coordinates
from paretoopt.visualization.stage_seconds import StageSeconds, plot_stage_seconds, stage_seconds_data

MakeCandidate = Callable[..., Candidate]


def test_the_hypervolume_never_shrinks_and_skips_the_infeasible(front: ParetoFront) -> None:
    """One value after each feasible trial, rising within the box."""
    history = hypervolume_history_data(front)

    assert history.numbers == (0, 1, 2, 3)
    assert list(history.shares) == sorted(history.shares)
    assert 0 < history.shares[0] < history.shares[-1] <= 1
    assert history.shares[2] == history.shares[3]


def test_the_hypervolume_is_a_share_of_the_box(make: MakeCandidate) -> None:
    """Costs 0 and 10 on each axis: the reference is 11, so each extreme has 1/11 of the box."""
    candidates = [make(0, a=0, b=10), make(1, a=10, b=0)]
    front = ParetoFront(candidates, [minimize("a"), minimize("b")])

    assert hypervolume_history_data(front).shares == pytest.approx((1 / 11, 2 / 11 - 1 / 121))


def test_no_feasible_candidate_has_no_history() -> None:
    """An empty plot, not a crash."""
    front = ParetoFront([], [minimize("a")])

    assert hypervolume_history_data(front).shares == ()
    assert len(plot_hypervolume_history(front).data) == 1


def test_the_time_of_a_stage_is_what_its_runs_took_and_what_reusing_saved(make: MakeCandidate) -> None:
    """A reused output is counted with what making it cost."""
    candidates = [
        make(0, StageRun("fit", "a", False, 60.0), StageRun("measure", "b", False, 5.0)),
        make(
            1,
            StageRun("fit", "a", True, 60.0),
            StageRun("prune", "c", False, 1.0),
            StageRun("measure", "d", False, 6.0),
        ),
    ]

    assert stage_seconds_data(candidates) == (
        StageSeconds("fit", n_run=1, n_reused=1, seconds_run=60.0, seconds_reused=60.0),
        StageSeconds("prune", n_run=1, n_reused=0, seconds_run=1.0, seconds_reused=0),
        StageSeconds("measure", n_run=2, n_reused=0, seconds_run=11.0, seconds_reused=0),
    )
    assert [tuple(bar.x) for bar in plot_stage_seconds(candidates).data] == [(60.0, 1.0, 11.0), (60.0, 0, 0)]


def test_parallel_axes_are_the_parameters_that_differ_and_the_objectives(front: ParetoFront) -> None:
    """Parameter values are evenly spaced and labelled; colour is the first objective."""
    data = parallel_coordinates_data(front)

    assert [axis.name for axis in data.axes] == ["embedding_dim", "ndcg_at_10", "latency_p95_ms", "memory_mib"]
    assert data.axes[0].values == (0.0, 1.0, 2.0)
    assert data.axes[0].ticks == ((0.0, "16"), (1.0, "32"), (2.0, "48"))
    assert data.color == (0.9, 0.8, 0.7)


def test_a_parameter_that_all_members_share_has_no_axis(make: MakeCandidate) -> None:
    """It would tell nothing; objectives are kept, even those of one member."""
    front = ParetoFront([make(0, ndcg_at_10=0.5)], [maximize("ndcg_at_10")])

    assert [axis.name for axis in parallel_coordinates_data(front).axes] == ["ndcg_at_10"]
    assert len(plot_parallel_coordinates(front).data) == 1


def test_a_parameter_of_words_and_missing_values_has_an_axis(front: ParetoFront) -> None:
    """Choices without an order are still told apart."""
    first, second, third, *_ = front.candidates
    candidates = [
        Candidate(0, {"loss": "full"}, first.measurements),
        Candidate(1, {"loss": "sampled"}, second.measurements),
        Candidate(2, {}, third.measurements),
    ]

    axis = parallel_coordinates_data(ParetoFront(candidates, front.objectives)).axes[0]

    assert sorted(label for _, label in axis.ticks) == ["full", "sampled", "–"]
    assert len(set(axis.values)) == 3
