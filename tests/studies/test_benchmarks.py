"""The benchmarks run and write what they promise."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import paretoopt as po
from paretoopt.front.dominance import is_nondominated
from paretoopt.search.watched import Wishes
from studies.benchmarks.search_runs import epochs_alone, epochs_with_store
from studies.benchmarks.search_table import read_table, synthetic_table

BENCHMARKS = Path(__file__).resolve().parents[2] / "studies" / "benchmarks"


def shop_file(folder: Path) -> str:
    """The name of a file in ``folder`` with the interactions of a small shop."""
    shop = po.synthetic_shop(users=120, items=60, seed=0)
    columns = {"user": shop.users, "item": shop.items, "timestamp": shop.timestamps}
    pd.DataFrame(columns).to_csv(folder / "shop.csv", index=False)
    return "shop.csv"


def rows_of(name: str, *arguments: str, folder: Path) -> list[list[str]]:
    """Run a benchmark; gives the cells of its page's tables, headers included."""
    page = folder / "results" / "page.md"
    command = [sys.executable, str(BENCHMARKS / name), *arguments, "--output", str(page)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    text = page.read_text()
    assert f"python studies/benchmarks/{name} {' '.join(arguments)}" in text
    assert "cpu_model" in text
    assert "share_of_others: None" not in text
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_memory_follows_the_size_of_the_artifact(tmp_path: Path) -> None:
    """For six artifacts, one worker or two, each worker holds its artifact and less than 4 MiB more."""
    _, *rows = rows_of("memory_accounting.py", "--repeats", "1", folder=tmp_path)

    assert [float(row[1]) for row in rows] == pytest.approx(np.repeat([1, 3, 10, 30, 60, 100], 2), rel=0.01)
    assert all(0 < float(row[4]) < 4 for row in rows)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_repeatability_compares_four_ways_under_three_loads(tmp_path: Path) -> None:
    """Six repeats with the load and six without give a finals of each, and two by turns; no load is left."""
    _, *rows = rows_of("repeatability.py", "--repeats", "6", folder=tmp_path)

    assert [row[0] for row in rows] == [load for load in ("off", "on", "on and off by turns") for _ in range(4)]
    assert [row[2] for row in rows] == ["6", "6", "6", "1", "6", "6", "6", "1", "12", "12", "12", "2"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_finals_rank_twelve_artifacts(tmp_path: Path) -> None:
    """Every way gets its agreement, and every artifact its row."""
    rows = rows_of("finals_rank.py", "--rounds", "1", folder=tmp_path)

    assert [row[0] for row in rows[:4]] == ["way", "single measurements", "finals", "medians"]
    assert len(rows) == 1 + 1 + 6 + 1 + 12


def test_results_of_finals_tell_what_else_ran() -> None:
    """The load is that of the finals' measurements; where the system does not tell it, the page says so."""
    load = runpy.run_path(str(BENCHMARKS / "finals_rank.py"))["load"]

    assert load([0.1, None, 0.3, 0.2]) == "20.0% in the median measurement of the finals, 30.0% in the worst"
    assert load([None]) == "not known"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_recovery_compares_every_way_of_it(tmp_path: Path) -> None:
    """Each compression has its quality without recovery and with it, and each way of recovery what it gives."""
    small = ("--seeds", "1", "--epochs", "1", "--width", "8", "--teacher-width", "16")

    rows = rows_of("recovery.py", "--data", shop_file(tmp_path), *small, folder=tmp_path)

    assert [row[0] for row in rows[:2]] == ["configuration", "uncompressed"]
    assert [row[0] for row in rows].index("recovery") == 1 + 21
    assert len(rows) == 1 + 21 + 1 + 19
    assert {row[3] for row in rows[23:]} <= {"0 of 1", "1 of 1"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_least_squares_lose_less_than_full_ranges(tmp_path: Path) -> None:
    """Of every table, at every width and block size, the default range gives back the values with the smaller error."""
    rows = rows_of("quantisation_ranges.py", "--epochs", "1", folder=tmp_path)

    errors = {tuple(row[:4]): float(row[5]) for row in rows if len(row) == 8 and row[1] in ("8", "4", "2")}
    pairs = [(error, errors[(*key[:3], "minmax")]) for key, error in errors.items() if key[3] == "mse"]
    assert len(pairs) == 4 * 3 * 3
    assert all(least <= full for least, full in pairs)
    assert sum(row[0].startswith(("8 bits", "4 bits")) for row in rows) == 1 + 3 + 6


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_parity_tells_few_bits_from_wrong_rows(tmp_path: Path) -> None:
    """All widths keep the limits of ranked_parity; a ranker whose tables all have wrong rows keeps none of them."""
    rows = rows_of("rank_parity.py", "--epochs", "10", folder=tmp_path)

    kept = {(row[0], row[2]): (float(row[4]), float(row[6])) for row in rows if row[0] != "model"}
    few = [found for (_, variant), found in kept.items() if "bits" in variant]
    wrong = [
        found for (_, variant), found in kept.items() if variant in ("wrong rows: all tables", "wrong rows: table")
    ]
    assert len(few) == 8 * 4
    assert len(wrong) == 8
    assert all(overlap >= 0.5 and quality >= 0.5 for overlap, quality in few)
    assert all(overlap < 0.5 for overlap, _ in wrong)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_tied_tables_hold_less_memory_with_fewer_bits(tmp_path: Path) -> None:
    """Scored chunk by chunk, a worker holds the artifact and less than 6 MiB more, at every width below 32."""
    _, *rows = rows_of("tied_tables.py", "--items", "50000", "--repeats", "1", folder=tmp_path)

    in_chunks = [row for row in rows if row[2] == "chunks"]
    assert [row[1] for row in in_chunks] == ["16", "8", "4", "2"]
    assert all(0 < float(row[4]) - float(row[3]) < 6 for row in in_chunks)
    assert all(float(row[4]) < float(rows[0][4]) / 2 for row in rows[1:])


def test_replayed_epochs_are_counted_once_per_stage_with_the_store() -> None:
    """Alone, every trial pays for all of its stages; with the store, the first that needs one does."""
    table = synthetic_table(0)
    needs = [
        {"embedding_dim": 64, "pruning_ratio": ratio, "serving_workers": n} for ratio, n in ((0.5, 1), (0.5, 2), (0, 1))
    ]
    rows = [table.row({"linear_bits": 8, "embedding_bits": 8, **one}) for one in needs]
    fit, tune = (table.epochs[stage.key] for stage in table.stages[rows[0]])

    assert epochs_alone(table, rows) == [fit + tune, 2 * (fit + tune), 3 * fit + 2 * tune]
    assert epochs_with_store(table, rows) == [fit + tune] * 3


def test_table_from_a_file_is_the_table_itself(tmp_path: Path) -> None:
    """What is written as CSV is read back: space, stages, artifacts and the hypervolume of all."""
    module = runpy.run_path(str(BENCHMARKS / "search_table.py"))
    module["synthetic_frame"](1).to_csv(tmp_path / "measured.csv", index=False)
    made = module["synthetic_table"](1)

    read = module["read_table"](tmp_path / "measured.csv", made.objectives)

    assert (read.space, read.stages, read.artifacts, read.epochs) == (
        made.space,
        made.stages,
        made.artifacts,
        made.epochs,
    )
    assert module["Ruler"].of(read.costs(is_log=True)).total == module["Ruler"].of(made.costs(is_log=True)).total


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ours_takes_less_training_than_exhausting(tmp_path: Path) -> None:
    """On a synthetic table the page has a row per search, and ours reaches 99 % for fewer epochs with the store."""
    names = ("random without repeats", "exhausting, cheapest next", "paretoopt, costs known")
    page = tmp_path / "page.md"
    options = ["--synthetic", "1", "--seeds", "1", "--runs", str(tmp_path / "runs.csv"), "--output", str(page)]
    options += ["--without-figures", "--searches", *names]
    command = [sys.executable, str(BENCHMARKS / "search_efficiency.py"), *options]

    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    raw, _, _ = page.read_text().partition("\n| ours")
    rows = [line.strip("| ").split(" | ") for line in raw.splitlines() if line.startswith("| ")][1:]
    spent = {row[0]: float(row[7].split()[0]) for row in rows}
    assert tuple(spent) == names
    assert spent["paretoopt, costs known"] < spent["exhausting, cheapest next"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_compression_compares_every_width_with_eager_torch(tmp_path: Path) -> None:
    """Eager torch comes first, at its own speed; then fp32, every compression alone, and the combined ones."""
    rows = rows_of(
        "compression.py",
        *("--model", "sasrec", "--data", shop_file(tmp_path), "--epochs", "1", "--rounds", "1"),
        folder=tmp_path,
    )

    assert [row[0] for row in rows[1:3]] == ["eager torch, fp32", "ONNX Runtime, fp32"]
    assert float(rows[1][6]) == 1.0
    assert len(rows) == 1 + 2 + 2 + 4 + 3 + 3 * 4
    assert all(float(row[6]) > 1 for row in rows[2:])


def test_real_curves_keep_the_risk() -> None:
    """Of the members of the front of real recommenders, replayed in ten orders, at most a tenth is stopped at 0.1."""
    benchmark = runpy.run_path(str(BENCHMARKS / "early_stopping.py"))
    curves = benchmark["read_curves"](benchmark["_FOLDER"] / "learning_curves.csv", "ndcg_at_10", "weights_mib")
    wishes = Wishes((po.maximize("ndcg_at_10"), po.minimize("weights_mib")), ())
    random = np.random.default_rng(1)
    orders = [[curves[place] for place in random.permutation(len(curves))] for _ in range(10)]
    outcomes = [benchmark["replay"](order, po.LearningCurves(risk=0.1), wishes, has_errors=False) for order in orders]
    wrong = [outcome.is_stopped[is_nondominated(outcome.costs)].mean() for outcome in outcomes]

    assert np.mean(wrong) <= 0.1
    assert np.mean([outcome.is_stopped.mean() for outcome in outcomes]) > 0.2


@pytest.mark.slow
def test_early_stopping_compares_rules_on_real_curves(tmp_path: Path) -> None:
    """Two recommenders train for three epochs each; of two candidates, only rungs stop any."""
    data, curves = tmp_path / shop_file(tmp_path), tmp_path / "curves.csv"
    small = ("--curves", "2", "--epochs", "3", "--data", str(data), "--output", str(curves))
    subprocess.run([sys.executable, str(BENCHMARKS / "learning_curves.py"), *small], check=True)

    _, *rows = rows_of("early_stopping.py", "--curves", str(curves), "--orders", "2", folder=tmp_path)

    assert len(pd.read_csv(curves)) == 2 * 4
    assert [row[1:3] for row in rows[:4]] == [["0.0%", "0.0%"]] * 4
    assert all(row[0].startswith("rungs") for row in rows[4:])


def test_a_study_loses_fewer_trials_than_optuna_alone(tmp_path: Path) -> None:
    """Of the failing region it leaves more than half of the failures out, and it repeats no configuration at all."""
    rows = rows_of("failing_region.py", "--trials", "60", "--seeds", "1", folder=tmp_path)

    failed = {row[0]: float(row[1].split()[0]) for row in rows[1:4]}
    repeated = {row[0]: float(row[2].split()[0]) for row in rows[5:8]}
    assert failed["paretoopt"] < failed["Optuna"] / 2
    assert repeated["paretoopt"] == 0 < repeated["Optuna"]


def test_kendall_tau_counts_pairs() -> None:
    """Of the three pairs one is turned around: (2 - 1) / 3. Orders that are opposite give -1."""
    tau = runpy.run_path(str(BENCHMARKS / "finals_rank.py"))["kendall_tau"]

    assert tau(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])) == pytest.approx(1 / 3)
    assert tau(np.array([1.0, 2.0, 3.0]), np.array([9.0, 8.0, 7.0])) == -1.0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_measured_grid_is_a_table_to_replay_searches_on(tmp_path: Path) -> None:
    """Every cell has a row; cells of one model share its training, which is counted once."""
    name = shop_file(tmp_path)
    sizes = ("--values", "embedding_dim", "4", "8", "--values", "pruning_ratio", "0.0", "0.5")
    bits = (
        "--values",
        "linear_bits",
        "32",
        "--values",
        "embedding_bits",
        "32",
        "8",
        "--values",
        "serving_workers",
        "1",
    )
    rows_of("measured_grid.py", "--model", "sasrec", "--data", name, "--epochs", "2", *sizes, *bits, folder=tmp_path)

    table = read_table(tmp_path / "results" / "page.csv", (po.maximize("ndcg_at_10"), po.minimize("memory_mib")))

    assert len(table.metrics) == 2 * 2 * 2
    assert len(table.epochs) == 2 + 2
    assert set(table.epochs.values()) <= {1.0, 2.0}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_searches_in_real_time_are_compared(tmp_path: Path) -> None:
    """Optuna gets ten times as long, and its share is told at twice, five and ten times as well."""
    name = shop_file(tmp_path)

    _, *rows = rows_of("real_time.py", "--data", name, "--seconds", "4", "--epochs", "1", folder=tmp_path)

    assert [row[0] for row in rows] == ["paretoopt"] * 2 + ["plain Optuna"] * 5
    assert {"paretoopt", "plain Optuna"} == set(pd.read_csv(tmp_path / "results" / "page.csv")["arm"])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_smaller_share_takes_more_configurations_and_leaves_less(tmp_path: Path) -> None:
    """One row per share, from the largest on."""
    _, *rows = rows_of("convergence.py", "--seeds", "2", folder=tmp_path)

    evaluated, left = ([float(row[column]) for row in rows] for column in (1, 2))
    assert [row[0] for row in rows] == ["3 %", "1 %", "0.3 %"]
    assert evaluated == sorted(evaluated)
    assert left == sorted(left, reverse=True)


def test_the_part_of_users_is_told_from_that_of_seeds() -> None:
    """Seeds that move every user alike are the seeds alone; users that differ by chance make up all of it else."""
    lines = runpy.run_path(str(BENCHMARKS / "repeats.py"))["page_lines"]
    random = np.random.default_rng(0)
    users, seeds = random.normal(size=(1, 1_000)), 0.1 * random.normal(size=(40, 1))

    alike, apart = (
        [float(cell) for cell in lines({"ndcg_at_10": values})[2].strip("| ").split(" | ")[1:]]
        for values in (users + seeds, users + random.normal(size=(40, 1_000)))
    )

    assert alike[1] == pytest.approx(alike[2], rel=0.01) == pytest.approx(0.1, rel=0.3)
    assert apart[2] < apart[1] / 2


@pytest.mark.slow
def test_start_times_stand_beside_those_of_optuna(tmp_path: Path) -> None:
    """Every browsing verb is timed; its own row has the ratio 1."""
    _, *rows = rows_of("start_time.py", "--rounds", "1", folder=tmp_path)

    assert [row[3] for row in rows if row[0] == "`optuna --help`"] == ["1.00"]
    assert {"`paretoopt best-trials`", "`paretoopt report`", "`import paretoopt`"} <= {row[0] for row in rows}


def test_shared_training_is_stopped_where_the_costs_of_all_that_share_it_are_known(tmp_path: Path) -> None:
    """Epochs are saved where one candidate needs a training, or three of known sizes; none where they are not."""
    _, *rows = rows_of("stage_stopping.py", "--orders", "1", folder=tmp_path)

    saved = [float(row[3].strip("%")) for row in rows]
    assert min(saved[:2]) > 5
    assert saved[2] == 0


@pytest.mark.slow
def test_functions_of_a_front_stand_beside_those_of_other_libraries(tmp_path: Path) -> None:
    """Every library has its row; paretoopt's own ratio is 1."""
    _, *rows = rows_of("front_functions.py", "--sizes", "1000", "--rounds", "1", folder=tmp_path)

    assert {row[3] for row in rows} == {"paretoopt", "moocore", "pymoo", "optuna"}
    assert {row[5] for row in rows if row[3] == "paretoopt"} == {"1"}
