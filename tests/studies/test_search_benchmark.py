"""What replays of searches count, keep, draw and are replayed on."""

from __future__ import annotations

import argparse
import sys
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import paretoopt as po
from paretoopt.errors import DataError, MissingExtraError
from studies.benchmarks.interpolated_table import interpolated_frame
from studies.benchmarks.search_curves import curves_of, draw_curves
from studies.benchmarks.search_efficiency import objective_of, seeds_of
from studies.benchmarks.search_oracle import least_epochs
from studies.benchmarks.search_page import section
from studies.benchmarks.search_runs import (
    Run,
    epochs_with_store,
    keep_run,
    measurements,
    read_runs,
    run_search,
    shares_of,
)
from studies.benchmarks.search_table import OBJECTIVES, Ruler, synthetic_frame, synthetic_table, table_of
from studies.benchmarks.searches import SEARCHES


def test_share_after_each_trial_is_that_of_all_rows_so_far() -> None:
    """Following one row after the other gives what measuring all of them at once does."""
    ruler = Ruler.of(synthetic_table(0).costs(is_log=True))
    rows = np.random.default_rng(0).permutation(540)[:40].tolist()

    followed = list(map(ruler.shares(), rows))

    assert followed == pytest.approx([ruler.share(rows[: n + 1]) for n in range(40)])


def test_exhausting_pays_for_no_stage_before_all_free_configurations_are_evaluated() -> None:
    """It lists every configuration once; where epochs are spent, nothing was left that needed fewer."""
    table = synthetic_table(1)
    rows = list(SEARCHES["exhausting, cheapest next"](table, 0, lambda row: {}))
    spent = np.diff(epochs_with_store(table, rows), prepend=0)
    paid = {stage.key for row in rows[:200] for stage in table.stages[row]}
    left = [sum(table.epochs[one.key] for one in table.stages[row] if one.key not in paid) for row in rows[200:]]

    assert sorted(rows) == list(range(540))
    assert spent[200] == min(left)


def test_costs_that_are_known_before_are_counted_as_measured() -> None:
    """Who asks for all costs first has measured all; who does not, each configuration that was evaluated, once."""
    table = synthetic_table(0)
    known = run_search(table, "paretoopt, costs known", 0, most_trials=2)

    assert known.asked is None
    assert measurements(table, known) == [540, 540]
    assert measurements(table, Run("", "", 0, rows=(3, 3, 5), asked=())) == [1, 1, 2]
    assert measurements(table, Run("", "", 0, rows=(3, 5), asked=(5, 7))) == [3, 3]


def test_kept_runs_of_several_files_are_joined(tmp_path: Path) -> None:
    """Runs come back as they were; of one that two files have, the first counts."""
    runs = [Run("a", "x", 0, (1, 2)), Run("a", "x", 1, (3,), asked=None), Run("a", "y", 0, (4,), asked=(4, 5))]
    for run in runs[:2]:
        keep_run(tmp_path / "one.csv", run)
    keep_run(tmp_path / "two.csv", Run("a", "x", 1, (9,)))
    keep_run(tmp_path / "two.csv", runs[2])

    assert list(read_runs([tmp_path / "one.csv", tmp_path / "none.csv", tmp_path / "two.csv"])) == runs


def test_larger_table_goes_through_the_measured_configurations() -> None:
    """It has more than 10,000 configurations, of which the measured ones keep their metrics and epochs."""
    measured = synthetic_frame(0)
    params = [name for name in measured if str(name).startswith("params.")]

    both = interpolated_frame(measured).merge(measured, on=params, suffixes=("", " measured"))

    assert len(interpolated_frame(measured)) == 31 * 16 * 3 * 3 * 3 > 10_000
    assert len(both) == 540
    for name in measured.columns.difference(params):
        if not str(name).endswith("key") and name != "artifact":
            assert both[name].to_numpy() == pytest.approx(both[f"{name} measured"].to_numpy(), rel=1e-9)


def test_between_two_measured_configurations_values_are_between_theirs() -> None:
    """Half-way in pruning, quality is the mean and memory the geometric one; the training is one of its own."""
    rows = interpolated_frame(synthetic_frame(0)).set_index(
        [f"params.{name}" for name in ("embedding_dim", "pruning_ratio", *("linear_bits", "embedding_bits"))]
        + ["params.serving_workers"]
    )
    columns = {ratio: rows.loc[[(64, ratio, 8, 4, 2)]].iloc[0] for ratio in (0.0, 0.05, 0.25, 0.5, 0.6, 0.75)}
    low, middle, between, high = (columns[ratio] for ratio in (0.25, 0.5, 0.6, 0.75))
    quarter = 0.4  # of the way from 0.5 to 0.75

    expected = middle["metrics.ndcg_at_10"] * (1 - quarter) + high["metrics.ndcg_at_10"] * quarter
    assert between["metrics.ndcg_at_10"] == pytest.approx(expected)
    expected = middle["metrics.memory_mib"] ** (1 - quarter) * high["metrics.memory_mib"] ** quarter
    assert between["metrics.memory_mib"] == pytest.approx(expected)
    assert between["stages.fine_tune.epochs"] == low["stages.fine_tune.epochs"]
    assert columns[0.0]["stages.fine_tune.key"] == ""
    assert columns[0.05]["stages.fine_tune.epochs"] == low["stages.fine_tune.epochs"]


def test_configurations_of_the_larger_table_share_trainings_as_the_measured_ones_do() -> None:
    """A width has one fit, a width and ratio one fine-tuning, and workers share an artifact."""
    table = table_of("larger", interpolated_frame(synthetic_frame(0)), OBJECTIVES)

    assert len({stage.key for stages in table.stages for stage in stages if stage.name == "fit"}) == 31
    assert len({stage.key for stages in table.stages for stage in stages if stage.name == "fine_tune"}) == 31 * 15
    assert len(set(table.artifacts)) == len(table.metrics) / 3


def test_table_with_a_hole_is_not_interpolated() -> None:
    """Without one of its configurations, the table is refused, and the error says how many are there."""
    with pytest.raises(DataError, match="540 of them, but the table has 539"):
        interpolated_frame(synthetic_frame(0).iloc[1:])


def test_four_objectives_are_compared_with_throughput_as_a_cost() -> None:
    """More throughput is better, also on the logarithmic scale; quality stays as it is on both."""
    frame = synthetic_frame(0).rename(columns={"metrics.ndcg_at_10": "metrics.auc"})
    frame["metrics.closed_loop_rps"] = 1000 / frame["metrics.latency_p95_ms"]
    names = ("maximize:auc", "minimize:latency_p95_ms", "minimize:memory_mib", "maximize:closed_loop_rps")
    table = table_of("clicks", frame, tuple(map(objective_of, names)))

    assert table.cost_metrics() == ("latency_p95_ms", "memory_mib", "closed_loop_rps")
    assert table.costs(is_log=True)[:, 0].tolist() == (-frame["metrics.auc"]).tolist()
    assert table.costs(is_log=True)[:, 3] == pytest.approx(-np.log(frame["metrics.closed_loop_rps"]))
    assert len(set(islice(SEARCHES["paretoopt, costs predicted"](table, 0, lambda row: {}), 6))) == 6


def test_objectives_and_seeds_are_read_from_the_command_line() -> None:
    """An objective has a direction; seeds are a number of them or a range."""
    assert objective_of("minimize:log_loss") == po.minimize("log_loss")
    assert (seeds_of("3"), seeds_of("2-4")) == (range(3), range(2, 5))
    with pytest.raises(argparse.ArgumentTypeError, match="Write maximize:METRIC"):
        objective_of("auc")


def test_curves_end_where_the_first_run_was_stopped() -> None:
    """The median of three runs has their shares, up to the epochs of the shortest that never came to 99 %."""
    table = synthetic_table(0)
    rows = list(map(int, np.random.default_rng(0).permutation(540)))
    runs = [Run(table.name, "TPESampler", seed, tuple(rows[:n])) for seed, n in enumerate((9, 12, 15))]

    alone, stored, trials = curves_of(table, runs)

    assert stored.spent[-1] == pytest.approx(epochs_with_store(table, rows[:9])[-1])
    assert trials.spent[-1] == pytest.approx(9)
    assert trials.shares[:, -1] == pytest.approx(shares_of(table, rows[:9], is_log=False)[-1])
    assert all(late >= early for early, late in pairwise(alone.shares[1]))


def test_figure_draws_a_line_and_a_band_per_curve() -> None:
    """Three panels hold every search's median above the bands, and the legend names it once."""
    table = synthetic_table(0)
    runs = [Run(table.name, search, 0, (5, 100, 200)) for search in SEARCHES]

    traces = draw_curves("", curves_of(table, runs)).data

    lines = [trace for trace in traces if trace.mode == "lines"]
    assert [trace.name for trace in lines if trace.showlegend] == list(SEARCHES)
    assert len(lines) == 3 * len(SEARCHES) == len(traces) - len(lines)
    assert len({(trace.line.color, trace.line.dash) for trace in lines}) == len(SEARCHES)


def test_page_compares_ours_with_the_best_peer() -> None:
    """Of two peers the cheaper one counts, each way; what never comes to 95 % is said not to."""
    table = synthetic_table(0)
    rows = run_search(table, "random without repeats", 0, most_trials=0).rows
    names = ("TPESampler", "NSGAIISampler", "paretoopt, costs predicted")
    runs = [Run(table.name, names[0], 0, rows * 2), Run(table.name, names[1], 0, rows[:1] + rows)]
    page = section(table, [*runs, Run(table.name, names[2], 0, rows)], 300, None)
    compared = [line for line in page if line.startswith(f"| {names[2]} | 9")]

    assert len(compared) == 2 * 2
    assert all("1.000 of" in line and line.count("TPESampler") == 2 for line in compared)
    assert any("*not*" in line for line in section(table, [Run(table.name, names[0], 0, rows[:1])], 300, None))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_qlognehvi_improves_the_front_without_repeats() -> None:
    """After ten random configurations, most that it chooses add to the hypervolume, and none comes twice."""
    pytest.importorskip("botorch")
    table = synthetic_table(0)

    rows = list(islice(SEARCHES["qLogNEHVI (BoTorch)"](table, 0, lambda row: {}), 15))

    shares = shares_of(table, rows, is_log=False)
    assert len(set(rows)) == 15
    assert sum(np.diff(shares[9:]) > 0) >= 4


def test_without_botorch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the search that needs BoTorch fails without it."""
    monkeypatch.delitem(sys.modules, "studies.benchmarks.botorch_search", raising=False)
    monkeypatch.setitem(sys.modules, "botorch", None)

    with pytest.raises(MissingExtraError, match=r"paretoopt\[benchmarks\]"):
        next(SEARCHES["qLogNEHVI (BoTorch)"](synthetic_table(0), 0, lambda row: {}))
    assert isinstance(next(SEARCHES["NSGAIIISampler"](synthetic_table(0), 0, lambda row: {})), int)


def test_metrics_that_are_missing_from_a_table_are_named(tmp_path: Path) -> None:
    """A table that lacks an objective is refused, with those that it has."""
    frame = pd.DataFrame(synthetic_frame(0))

    with pytest.raises(DataError, match="no metric auc; it has ndcg_at_10"):
        table_of("x", frame, (po.maximize("auc"),))


def test_whoever_knows_all_outcomes_needs_the_fewest_epochs() -> None:
    """No search reaches a share of the hypervolume for less, and a smaller share takes fewer."""
    table = synthetic_table(0)

    least = least_epochs(table, 0.99, is_log=False)

    assert least is not None
    run = run_search(table, "paretoopt, costs known", 0, most_trials=80)
    shares = shares_of(table, run.rows, is_log=False)
    reached = next(n for n, share in enumerate(shares) if share >= 0.99)
    assert least <= epochs_with_store(table, run.rows)[reached]
    assert 0 < (least_epochs(table, 0.8, is_log=False) or 0) < least
