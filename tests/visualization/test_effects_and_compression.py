"""What dimensions do, what compression costs, three dimensions, and compute."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from paretoopt.candidate import Candidate, Measurement, StageRun
from paretoopt.errors import ObjectiveError
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import maximize, minimize
from paretoopt.visualization.compression import compression_data, plot_compression
from paretoopt.visualization.hypervolume_history import hypervolume_history_data, plot_hypervolume_history
from paretoopt.visualization.importances import importances_data, plot_importances
from paretoopt.visualization.marginal_effects import Level, marginal_effects_data, plot_marginal_effects
from paretoopt.visualization.pareto_front_3d import pareto_front_3d_data, plot_pareto_front_3d

MakeCandidate = Callable[..., Candidate]
OBJECTIVES = [minimize("ms"), maximize("auc")]


@pytest.fixture(scope="module")
def grid() -> ParetoFront:
    """Latency is of the width alone, quality of width and bits, and nothing of the seed."""
    cells = itertools.product((16, 32, 64), ("four", "eight"), range(3))
    candidates = [
        Candidate(
            number,
            {"dim": dim, "bits": bits, "seed": seed, "data": "same"},
            {"ms": Measurement(float(dim)), "auc": Measurement(dim / 100 + (0.5 if bits == "eight" else 0.0))},
        )
        for number, (dim, bits, seed) in enumerate(cells)
    ]
    return ParetoFront(candidates, OBJECTIVES)


def test_a_dimension_matters_where_the_measure_depends_on_it(grid: ParetoFront) -> None:
    """Shares sum to 1; what is the same in all candidates is no dimension."""
    data = importances_data(grid)
    latency, quality = data.metrics

    assert data.dimensions == ("dim", "bits", "seed")
    assert latency.shares[0] == pytest.approx(1, abs=0.02)
    assert sum(quality.shares) == pytest.approx(1)
    assert quality.shares[1] > quality.shares[0] > quality.shares[2]
    assert len(plot_importances(grid).layout.annotations) == 6


def test_a_measure_that_never_differs_has_no_importances(grid: ParetoFront) -> None:
    """Nothing explains nothing."""
    flat = [Candidate(one.number, one.params, {"ms": Measurement(1.0)}) for one in grid.candidates]

    (latency,) = importances_data(ParetoFront(flat, [minimize("ms")])).metrics

    assert (latency.shares, latency.fit) == ((0, 0, 0), 0)


def test_importances_take_enough_candidates_that_differ(grid: ParetoFront) -> None:
    """The errors say how many, and what else to evaluate."""
    with pytest.raises(ObjectiveError, match="takes at least 12"):
        importances_data(ParetoFront(grid.candidates[:5], OBJECTIVES))
    alike = [Candidate(number, {"dim": 1}, {"ms": Measurement(1.0)}) for number in range(20)]
    with pytest.raises(ObjectiveError, match="No parameter differs"):
        importances_data(ParetoFront(alike, [minimize("ms")]))


def test_a_marginal_effect_is_the_mean_and_the_quartiles(grid: ParetoFront) -> None:
    """Of bits "four", latency is 16, 32 and 64, three times each."""
    dimensions = dict(marginal_effects_data(grid).dimensions)

    assert dimensions["dim"][1] == Level("32", 32, 32, 32, 6)
    assert dimensions["bits"][1] == Level("four", 112 / 3, 16, 64, 9)
    assert len(plot_marginal_effects(grid, metric="auc").data) == 3


def test_many_values_are_put_into_ranges() -> None:
    """Twenty learning rates become eight ranges, and no candidate is lost."""
    candidates = [Candidate(number, {"rate": number / 10}, {"ms": Measurement(number)}) for number in range(20)]

    ((_, levels),) = marginal_effects_data(ParetoFront(candidates, [minimize("ms")])).dimensions

    assert len(levels) == 8
    assert sum(level.n for level in levels) == 20
    assert levels[0].label == "0 – 0.2"


def test_compression_is_told_against_the_baseline() -> None:
    """Half the size is 2 times smaller; a quality of 0.45 against 0.5 is a change of -10 %."""
    candidates = [
        Candidate(0, {"bits": 32}, {"auc": Measurement(0.5), "artifact_mib": Measurement(8)}),
        Candidate(1, {"bits": 8}, {"auc": Measurement(0.45, 0.4, 0.5), "artifact_mib": Measurement(4)}),
        Candidate(2, {"bits": 4}, {"auc": Measurement(0.4), "artifact_mib": Measurement(5)}),
    ]
    front = ParetoFront(candidates, [maximize("auc")])
    data = compression_data(front)

    assert (data.baseline, [one.number for one in data.best], [one.number for one in data.others]) == (0, [0, 1], [2])
    half = data.best[1]
    assert [half.times, half.change, half.low, half.high] == pytest.approx([2, -10, -20, 0])
    assert len(plot_compression(front).data) == 2
    with pytest.raises(ObjectiveError, match="Give baseline="):
        compression_data(ParetoFront(candidates[1:], [maximize("auc")]))


def test_three_objectives_are_drawn_at_once(front: ParetoFront) -> None:
    """The groups are those of the plot in two dimensions; what lacks the third metric is not drawn."""
    data = pareto_front_3d_data(front)
    figure = plot_pareto_front_3d(front, baseline=front.candidates[0], chosen=front.knee())

    assert (data.plane.x, data.plane.y, data.z) == ("ndcg_at_10", "latency_p95_ms", "memory_mib")
    assert [(trace.name, len(trace.x)) for trace in figure.data[:2]] == [("dominated", 1), ("Pareto front", 3)]
    with pytest.raises(ObjectiveError, match="needs 3 metrics"):
        plot_pareto_front_3d(ParetoFront(front.candidates, front.objectives[:2]))


def test_the_hypervolume_is_told_over_compute_too(make: MakeCandidate) -> None:
    """A reused output took no time; an infeasible candidate did."""
    candidates = [
        make(0, StageRun("fit", "a", False, 60.0), ms=3, mib=1),
        make(1, StageRun("fit", "b", False, 30.0)),
        make(2, StageRun("fit", "a", True, 60.0), StageRun("measure", "c", False, 5.0), ms=1, mib=3),
    ]
    front = ParetoFront(candidates, [minimize("ms"), minimize("mib")])

    assert hypervolume_history_data(front).seconds == (60, 95)
    assert tuple(plot_hypervolume_history(front, over="seconds").data[0].x) == (60, 95)
    with pytest.raises(ObjectiveError, match="Use over='trials'"):
        plot_hypervolume_history(ParetoFront([make(0, ms=1, mib=1)], front.objectives), over="seconds")
