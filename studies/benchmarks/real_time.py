"""In the same time, on the same machine: how much of the front do plain Optuna and paretoopt find?

Both search the same space with the same training code, on one core. *Plain Optuna* trains every trial alone, from
nothing, and proposes by its multivariate TPE over integers; *paretoopt* is `study.optimize` as it comes. Optuna gets
ten times as long. A trial counts from the moment at which it was evaluated. Afterwards latency and memory of all
configurations of both are measured again, one after the other in shuffled order, and these values are compared: what
else ran in the meantime would favour one of the two. *Hypervolume* is the share of that of all
trials of both together, from a reference point a tenth of the span beyond the worst of them, with costs as they are
(*raw*) and as logarithms (*log*). Trials that were kept are not run again.

    python studies/benchmarks/real_time.py --data FOLDER
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pandas as pd

import paretoopt as po
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from studies.benchmarks.compression_subjects import SUBJECTS, Making
from studies.benchmarks.page import publish, results_page
from studies.benchmarks.search_table import Ruler

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
SPACE = po.SearchSpace(
    embedding_dim=po.Ordered(8, 16, 32, 64, 128),
    pruning_ratio=po.Float(0.0, 0.75, step=0.25),
    linear_bits=po.Ordered(32, 8, 4),
    embedding_bits=po.Ordered(32, 8, 4, 2),
)
OBJECTIVES = (po.maximize("ndcg_at_10"), po.minimize("latency_p95_ms"), po.minimize("memory_mib"))
_PLAIN, _OURS = "plain Optuna", "paretoopt"


def search_plainly(data: Path, epochs: int, seconds: float) -> pd.DataFrame:
    """Plain Optuna, every trial trained alone; one row for each."""
    begin, rows = time.monotonic(), list[list[object]]()

    def objective(trial: optuna.Trial) -> list[float]:
        params = po.suggest(trial, SPACE)
        with tempfile.TemporaryDirectory() as store:
            measured = SUBJECTS["sasrec"](data, Making(Path(store), epochs)).pipeline.evaluate(params).measurements
        values = [measured[one.metric].value for one in OBJECTIVES]
        rows.append([time.monotonic() - begin, *params.values(), *values])
        print(f"{_PLAIN}, trial {len(rows)}: {rows[-1]}", flush=True)
        return values

    study = optuna.create_study(
        directions=[one.direction for one in OBJECTIVES],
        sampler=optuna.samplers.TPESampler(multivariate=True, seed=0),
    )
    study.optimize(objective, timeout=seconds)
    return _frame(_PLAIN, rows)


def search_with_paretoopt(data: Path, epochs: int, seconds: float) -> pd.DataFrame:
    """What paretoopt finds as it comes, with an empty store; one row for each evaluated candidate."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.time()
        pipeline = SUBJECTS["sasrec"](data, Making(Path(folder) / "store", epochs)).pipeline
        study = po.create_study(SPACE, objectives=OBJECTIVES, storage=f"sqlite:///{folder}/study.db")
        study.optimize(pipeline, timeout=seconds)
        ends = {one.number: one.datetime_complete for one in study.optuna_study.get_trials(deepcopy=False)}
        print(f"{_OURS}: {len(study.pruned())} candidates were not trained because of their costs", flush=True)
        rows = list[list[object]]()
        for one in study.candidates():
            end = ends[one.number]
            if end is not None:
                params = [one.params[name] for name in SPACE.dimensions]
                values = [one.measurements[objective.metric].value for objective in OBJECTIVES]
                rows.append([end.timestamp() - begin, *params, *values])
    return _frame(_OURS, rows)


def measured_again(data: Path, epochs: int, trials: pd.DataFrame) -> pd.DataFrame:
    """The trials, with the costs of each configuration's shape as measured anew."""
    names, costs = list(SPACE.dimensions), [one.metric for one in OBJECTIVES if one.direction == "minimize"]
    with tempfile.TemporaryDirectory() as store:
        pipeline = SUBJECTS["sasrec"](data, Making(Path(store), epochs)).pipeline
        shapes = trials[names].drop_duplicates().sample(frac=1, random_state=0).to_dict("records")
        rows: list[dict[str, float]] = []
        for number, shape in enumerate(shapes, start=1):
            params: dict[str, float] = {str(name): value for name, value in shape.items()}
            found = pipeline.costs(params).measurements
            rows.append(params | {f"{metric}_again": found[metric].value for metric in costs})
            print(f"measured again {number} of {len(shapes)}", flush=True)
    return trials.merge(pd.DataFrame(rows), on=names, how="left")


def shares(trials: pd.DataFrame, seconds: float, ruler: Ruler, arm: str) -> float:
    """Share of the hypervolume that an arm had after so many seconds."""
    return ruler.share(list(np.flatnonzero((trials["arm"] == arm) & (trials["seconds"] <= seconds))))


def main() -> None:
    """Run both, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of MovieLens 100K")
    parser.add_argument("--seconds", type=float, default=300, help="for paretoopt; Optuna gets ten times as long")
    parser.add_argument("--epochs", type=int, default=20, help="at most this many for each training")
    parser.add_argument("--output", type=Path, default=_RESULTS / "real_time.md", help="kept trials are beside it")
    options = parser.parse_args()
    kept: Path = options.output.with_suffix(".csv")
    kept.parent.mkdir(parents=True, exist_ok=True)
    trials = pd.read_csv(kept) if kept.exists() else pd.DataFrame(columns=["arm"])
    arms: dict[str, tuple[Callable[[Path, int, float], pd.DataFrame], float]] = {
        _OURS: (search_with_paretoopt, options.seconds),
        _PLAIN: (search_plainly, 10 * options.seconds),
    }
    for arm, (search, seconds) in arms.items():
        if arm not in set(trials["arm"]):
            found = search(options.data, options.epochs, seconds)
            trials = found if trials.empty else pd.concat([trials, found])
            trials.to_csv(kept, index=False, float_format="%.6g")
    if "memory_mib_again" not in trials:
        trials = measured_again(options.data, options.epochs, trials)
        trials.to_csv(kept, index=False, float_format="%.6g")
    command = f"python studies/benchmarks/real_time.py --data {options.data.name} --seconds {options.seconds:g}"
    known = {name: v for name, v in current_environment(measured_cores(1, 1)).to_dict().items() if v is not None}
    lines = _lines(trials.reset_index(drop=True), options.seconds)
    publish(
        results_page("In real time", command + f" --epochs {options.epochs}", __doc__, lines, known), options.output
    )


def _frame(arm: str, rows: list[list[object]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["seconds", *SPACE.dimensions, *(one.metric for one in OBJECTIVES)])
    table.insert(0, "arm", arm)
    return table


def _costs(trials: pd.DataFrame, *, is_log: bool) -> np.ndarray:
    names = [one.metric if one.direction == "maximize" else f"{one.metric}_again" for one in OBJECTIVES]
    columns = [trials[name].to_numpy(float) * one.sign for name, one in zip(names, OBJECTIVES, strict=True)]
    return np.column_stack(
        [np.log(c) if is_log and o.direction == "minimize" else c for c, o in zip(columns, OBJECTIVES, strict=True)]
    )


def _lines(trials: pd.DataFrame, seconds: float) -> list[str]:
    rulers = [Ruler.of(_costs(trials, is_log=is_log)) for is_log in (False, True)]
    lines = [
        "| search | seconds | trials evaluated | hypervolume, raw | hypervolume, log |",
        "|---|---:|---:|---:|---:|",
    ]
    for arm, factors in ((_OURS, (0.5, 1)), (_PLAIN, (0.5, 1, 2, 5, 10))):
        for factor in factors:
            n_trials = int(((trials["arm"] == arm) & (trials["seconds"] <= factor * seconds)).sum())
            found = " | ".join(f"{100 * shares(trials, factor * seconds, ruler, arm):.1f} %" for ruler in rulers)
            lines.append(f"| {arm} | {factor * seconds:g} | {n_trials} | {found} |")
    return lines


if __name__ == "__main__":
    main()
