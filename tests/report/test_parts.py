"""The parts of a report: summary, highlights, cards, table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest

from paretoopt.candidate import Candidate, StageRun
from paretoopt.front.baseline import find_baseline
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import maximize, minimize
from paretoopt.report.cards import change_text, make_cards
from paretoopt.report.explorer import explorer_data
from paretoopt.report.figures import make_figures
from paretoopt.report.highlights import highlights
from paretoopt.report.reuse import make_reuse_table
from paretoopt.report.summary import summarize
from paretoopt.search.pruned import PrunedCandidate
from paretoopt.space import Params

MakeCandidate = Callable[..., Candidate]
OBJECTIVES = (maximize("ndcg_at_10"), minimize("latency_p95_ms"), minimize("memory_mib"))


@pytest.fixture
def front(candidates: Sequence[Candidate]) -> ParetoFront:
    """The front of the candidates."""
    return ParetoFront(candidates, OBJECTIVES)


def test_the_summary_counts_candidates_members_models_and_time(front: ParetoFront) -> None:
    """One model was trained in 60 s and shared by four candidates, each measured in 5 s; a failure trained for 30 s."""

    class Failed(NamedTuple):
        number: int
        params: Params
        reason: str
        training_cost: float

    assert summarize(front, failures=[Failed(4, {}, "out of memory", 30.0)]) == (
        "4 candidates were measured. 3 are on the Pareto front of NDCG@10 ↑, latency p95 ↓, memory ↓. "
        "1 candidate could not be evaluated. Trained 1 model for 4 candidates in 1 min 30 s; each candidate on its own "
        "would have taken 4 trainings and 4 min 30 s, 3.0 times as long. "
        "All stages took 1 min 20 s; had nothing been shared, 4 min 20 s, 3.2 times as long."
    )


def test_the_summary_counts_what_was_pruned_before_training(front: ParetoFront) -> None:
    """By what ended it: a limit on cost, or a trial that dominates."""
    pruned = [
        PrunedCandidate(number, {}, {}, "why", dominated_by) for number, dominated_by in ((5, None), (6, 0), (7, 1))
    ]

    assert "3 candidates were pruned before training: 1 for a limit on cost, 2 dominated even at best." in summarize(
        front, pruned=pruned
    )


def test_without_runs_the_summary_tells_no_time(front: ParetoFront) -> None:
    """A table of measurements knows nothing of stages."""
    bare = [Candidate(one.number, one.params, one.measurements) for one in front.candidates]

    assert "took" not in summarize(ParetoFront(bare, OBJECTIVES))
    assert make_reuse_table(bare).rows == ()


def test_each_trial_tells_its_hits_and_misses(candidates: Sequence[Candidate]) -> None:
    """Trial 0 trained, trial 1 found the model; both measured their own latency."""
    table = make_reuse_table(candidates)

    assert table.headers == ("trial", "hits", "misses", "training spent", "training alone", "fit", "latency")
    assert [cell.text for cell in table.rows[0]] == ["0", "0", "2", "1 min 0 s", "1 min 0 s", "1 min 0 s", "5.0 s"]
    assert [cell.text for cell in table.rows[1]] == ["1", "1", "1", "0.0 s", "1 min 0 s", "hit", "5.0 s"]
    assert table.rows[1][5].note == "1 min 0 s saved"


def test_a_stage_that_a_trial_passed_over_is_no_miss(candidates: Sequence[Candidate]) -> None:
    """Its cell is empty, and its column stands where the trial with the most stages has it."""
    pruned = (candidates[1].runs[0], StageRun("prune", "p", False, 1.0), candidates[1].runs[1])
    table = make_reuse_table([candidates[0], replace(candidates[1], runs=pruned)])

    assert table.headers[5:] == ("fit", "prune", "latency")
    assert [row[6].text for row in table.rows] == ["–", "1.0 s"]


def test_the_baseline_is_the_largest_uncompressed_candidate(candidates: Sequence[Candidate]) -> None:
    """Trials 0 and 3 are neither pruned nor quantised; trial 0 has the larger embedding."""
    assert find_baseline(candidates) is candidates[0]


def test_where_every_candidate_is_compressed_there_is_no_baseline(candidates: Sequence[Candidate]) -> None:
    """Pruned or quantised candidates are no baseline, nor are those of another kind of space."""
    assert find_baseline(candidates[1:3]) is None
    assert find_baseline([Candidate(0, {"depth": 3}, {})]) is None


def test_the_highlights_are_baseline_knee_best_and_smallest(front: ParetoFront) -> None:
    """Those that a reader looks for first, in that order."""
    found = highlights(front, baseline=front.candidates[0], chosen=None)

    assert {label: choice.number for label, choice in found.items()} == {
        "baseline": 0,
        "knee": 1,
        "best quality": 0,
        "smallest memory": 2,
    }


def test_labels_of_one_candidate_share_a_card(front: ParetoFront) -> None:
    """The baseline has the best quality too."""
    baseline = front.candidates[0]

    cards = make_cards(highlights(front, baseline=baseline, chosen=None), OBJECTIVES, baseline)

    assert [card.label for card in cards] == ["baseline, best quality", "knee", "smallest memory"]


def test_a_card_tells_the_change_against_the_baseline(front: ParetoFront) -> None:
    """Less latency is better, less quality is worse."""
    baseline = front.candidates[0]
    _, knee, _ = make_cards(highlights(front, baseline=baseline, chosen=None), OBJECTIVES, baseline)

    quality, latency, _ = knee.facts

    assert (quality.change, quality.verdict) == ("−2.2 %", "worse")
    assert (latency.change, latency.verdict) == ("−70 %", "better")
    assert (quality.value, quality.interval) == ("0.088", "0.078 – 0.098")


@pytest.mark.parametrize(("value", "reference"), [(1.0, 1.0), (1.0, 0.0), (float("nan"), 1.0), (1.0, float("nan"))])
def test_a_change_without_meaning_is_not_told(value: float, reference: float) -> None:
    """Nothing changed, or there is nothing to compare with."""
    assert change_text(value, reference) == ""


def test_figures_with_nothing_to_show_are_left_out(candidates: Sequence[Candidate]) -> None:
    """No members, no lines; no runs, no bars."""
    bare = Candidate(0, {}, candidates[0].measurements)

    figures = make_figures(ParetoFront([bare], OBJECTIVES))
    assert set(figures) == {"parallel-coordinates", "hypervolume-history", "front-3d"}
    assert make_figures(ParetoFront([], OBJECTIVES)) == {}


def test_the_page_knows_every_candidate_and_what_is_not_measured(candidates: Sequence[Candidate]) -> None:
    """In their order, with the ends of intervals, labels, and how sure each member is."""
    sure = replace(candidates[1], probability_nondominated=0.873, n_seeds=3)
    front = ParetoFront([candidates[0], sure], OBJECTIVES, set_aside=[0])

    data = explorer_data(front, {"knee": front.knee()}, baseline=candidates[0])

    assert (data.numbers, data.baseline, data.set_aside) == ((0, 1), 0, (0,))
    assert (data.labels, data.probabilities) == (("", "knee"), (None, 0.873))
    assert data.seeds == (1, 3)
    assert data.metrics["ndcg_at_10"].low == pytest.approx((0.08, 0.078))
    assert data.metrics["latency_p95_ms"].low == ()


def test_a_limit_is_offered_the_way_that_the_metric_improves(candidates: Sequence[Candidate]) -> None:
    """Costs have a most, gains a least."""
    metrics = explorer_data(ParetoFront(candidates, OBJECTIVES), {}).metrics

    assert [column.sense for column in metrics.values()] == ["at_least", "at_most", "at_most"]
