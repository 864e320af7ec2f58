"""What a plot of the front shows."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import maximize, minimize
from paretoopt.visualization.pareto_front import pareto_front_data, plot_pareto_front

MakeCandidate = Callable[..., Candidate]


def test_candidates_are_grouped(front: ParetoFront) -> None:
    """Members, dominated and infeasible candidates are told apart."""
    data = pareto_front_data(front)

    assert [point.number for point in data.members] == [0, 1, 2]
    assert [point.number for point in data.dominated] == [3]
    assert [point.number for point in data.infeasible] == [4]


def test_quality_goes_up_cost_across_and_the_next_objective_is_colour(front: ParetoFront) -> None:
    """Nothing named: the first gain over the first cost."""
    data = pareto_front_data(front)

    assert (data.x, data.y, data.color) == ("latency_p95_ms", "ndcg_at_10", "memory_mib")
    assert [(point.x, point.y, point.color) for point in data.members] == [(10, 0.9, 8), (3, 0.8, 4), (4, 0.7, 2)]


def test_axes_can_be_named_parameters_included(front: ParetoFront) -> None:
    """Any metric, and any parameter that is a number."""
    data = pareto_front_data(front, x="memory_mib", y="latency_p95_ms", color="embedding_dim")

    assert [(point.x, point.y, point.color) for point in data.members] == [(8, 10, 16), (4, 3, 32), (2, 4, 48)]


def test_two_gains_or_two_costs_still_have_two_axes(make: MakeCandidate) -> None:
    """Where all objectives go the same way, the first two are drawn."""
    candidates = [make(0, latency_p95_ms=1, memory_mib=2)]
    front = ParetoFront(candidates, [minimize("latency_p95_ms"), minimize("memory_mib")])

    data = pareto_front_data(front)

    assert {data.x, data.y} == {"latency_p95_ms", "memory_mib"}


def test_a_plot_needs_two_metrics(make: MakeCandidate) -> None:
    """One metric alone gives no scatter plot."""
    with pytest.raises(ObjectiveError, match="needs two metrics, but only 'ndcg_at_10'"):
        pareto_front_data(ParetoFront([make(0, ndcg_at_10=1)], [maximize("ndcg_at_10")]))


def test_an_unknown_axis_is_refused(front: ParetoFront) -> None:
    """The message lists the metrics that can be drawn."""
    with pytest.raises(ObjectiveError, match=r"'speed' cannot be drawn.*Use one of: ndcg_at_10, latency_p95_ms"):
        plot_pareto_front(front, x="speed")


def test_intervals_are_shown_where_they_are_known(front: ParetoFront) -> None:
    """An unknown interval is no interval of no width."""
    first, second, _ = pareto_front_data(front).members

    assert first.y_interval == (0.8, 1.0)
    assert first.x_interval is None
    assert second.y_interval is None


def test_the_line_is_the_front_of_the_two_axes(front: ParetoFront) -> None:
    """Trial 2 is a member for its memory alone, so the line of quality and latency passes it by."""
    assert pareto_front_data(front).line == ((3.0, 0.8), (10.0, 0.9))


def test_there_is_no_line_where_an_axis_is_no_objective(front: ParetoFront) -> None:
    """Without a direction there is nothing better to step to."""
    assert pareto_front_data(front, x="embedding_dim").line == ()


def test_candidates_without_a_value_are_counted_not_drawn(front: ParetoFront) -> None:
    """Trial 4 has no memory."""
    data = pareto_front_data(front, x="memory_mib")

    assert data.n_not_shown == 1
    assert data.infeasible == ()


def test_marks_of_one_candidate_share_a_label(front: ParetoFront) -> None:
    """Two circles on one point could not be read."""
    first, second, *_ = front.candidates

    marks = pareto_front_data(front, marks={"baseline": first, "knee": second, "pick": second}).marks

    assert [(mark.label, mark.point.number) for mark in marks] == [("baseline", 0), ("knee, pick", 1)]


def test_the_pointer_shows_everything(front: ParetoFront) -> None:
    """The configuration and all metrics, with intervals, and nothing of a name is taken for HTML."""
    hover = pareto_front_data(front).members[0].hover
    assert "embedding dim: 16" in hover
    assert "NDCG@10 (validation): 0.9 (0.8 – 1)" in hover

    odd = Candidate(0, {"model": "<script>"}, front.candidates[1].measurements)
    assert "model: &lt;script&gt;" in pareto_front_data(ParetoFront([odd], front.objectives)).members[0].hover


def test_axes_have_titles_with_units(front: ParetoFront) -> None:
    """The plot says what it shows."""
    figure = plot_pareto_front(front, baseline=front.candidates[0], chosen=front.knee())

    assert figure.layout.xaxis.title.text == "latency p95 (ms)"
    assert figure.layout.yaxis.title.text == "NDCG@10 (validation)"


def test_an_axis_that_spans_a_decade_is_logarithmic(front: ParetoFront) -> None:
    """1 to 11 ms needs a log axis, 0.6 to 0.9 does not."""
    figure = plot_pareto_front(front)

    assert figure.layout.xaxis.type == "log"
    assert figure.layout.yaxis.type is None


def test_a_front_without_members_is_drawn(make: MakeCandidate) -> None:
    """Only infeasible candidates, or none at all."""
    objectives = [maximize("ndcg_at_10"), minimize("latency_p95_ms")]

    assert len(plot_pareto_front(ParetoFront([], objectives)).data) == 0
    assert len(plot_pareto_front(ParetoFront([make(0, ndcg_at_10=math.nan, latency_p95_ms=1)], objectives)).data) == 0


def test_a_colour_that_some_members_lack_is_drawn(make: MakeCandidate) -> None:
    """Colours spanning a decade are logarithmic; an unknown one is left out of the scale."""
    candidates = [
        make(0, ndcg_at_10=0.9, latency_p95_ms=3),
        make(1, ndcg_at_10=0.8, latency_p95_ms=2, artifact_mib=1),
        make(2, ndcg_at_10=0.7, latency_p95_ms=1, artifact_mib=100),
    ]
    front = ParetoFront(candidates, [maximize("ndcg_at_10"), minimize("latency_p95_ms")])

    (_, members) = plot_pareto_front(front, color="artifact_mib").data

    assert math.isnan(members.marker.color[0])
    assert tuple(members.marker.color[1:]) == (0.0, 2.0)
