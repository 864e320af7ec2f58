"""How long does paretoopt's sampler take to choose, and how does that grow with trials?

The space has 10,752 candidates of 2,688 artifacts, whose qualities, latencies and sizes come from formulas. Trials at
random are told; after each number of them, the next ten are asked for and told one by one. The first call of a process
asks the sources about every candidate and conditions on all trials at once; a call that fits hyperparameters anew comes
ever more rarely, each time that there are a fifth more artifacts measured. Seconds of processor time, on one thread.

    python studies/benchmarks/sampler_time.py
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import optuna

import paretoopt as po
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.search.encoding import distributions, encode, suggest
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "sampler_time.md"
_N_TRIALS = (50, 100, 200, 300, 500)
_N_TIMED = 10
SPACE = po.SearchSpace(
    embedding_dim=po.Ordered(16, 32, 48, 64, 96, 128, 192, 256),
    pruning_ratio=po.Float(0.0, 0.75, step=0.125),
    distillation=po.Ordered(0.0, 0.25, 0.5, 0.75),
    linear_bits=po.Ordered(32, 8, 4),
    embedding_bits=po.Ordered(32, 16, 8, 4),
    serving_workers=po.Int(1, 4),
)
OBJECTIVES = (po.maximize("ndcg_at_10"), po.minimize("latency_p95_ms"), po.minimize("memory_mib"))


def quality(params: po.Params) -> float:
    """A smooth function of all that changes the artifact."""
    width = 1 - 0.4 * np.exp(-np.log2(float(params["embedding_dim"]) / 16) / 1.5)
    kept = 1 - 0.2 * float(params["pruning_ratio"]) ** 2 * (1 - 0.5 * float(params["distillation"]))
    return float(width * kept * (1 - 0.1 / float(params["linear_bits"]) - 0.1 / float(params["embedding_bits"])))


def costs(params: po.Params) -> Mapping[str, float]:
    """Latency and memory."""
    dim, workers = float(params["embedding_dim"]), float(params["serving_workers"])
    layers = (dim * (1 - float(params["pruning_ratio"]))) ** 2 * float(params["linear_bits"]) / 4e5
    memory = workers * (2 + dim * float(params["embedding_bits"]) / 200 + layers)
    return {"latency_p95_ms": (0.2 + layers + dim / 500) * (0.4 + 1.2 / workers + 0.1 * workers), "memory_mib": memory}


def sources() -> po.Sources:
    """What is known without training."""
    stages = ("embedding_dim", "pruning_ratio", "distillation")
    artifact = (*stages, "linear_bits", "embedding_bits")
    return po.Sources(
        costs,
        artifact_key=lambda params: str([params[name] for name in artifact]),
        remaining=lambda params: (
            po.RemainingStage("fit", f"fit {params['embedding_dim']}", {}),
            po.RemainingStage("fine_tune", str([params[name] for name in stages]), {}),
        ),
    )


def told(params: po.Params) -> optuna.trial.FrozenTrial:
    """A trial of ``params`` that is complete."""
    values = [quality(params), *costs(params).values()]
    return optuna.trial.create_trial(
        values=values, params=dict(encode(params, SPACE)), distributions=distributions(SPACE)
    )


def seconds_per_choice(n_trials: int) -> tuple[float, list[float]]:
    """The first call, and those after it, when ``n_trials`` have been told."""
    grid = list(SPACE.grid())
    chosen = np.random.default_rng(0).choice(len(grid), n_trials, replace=False)
    study = optuna.create_study(
        directions=[objective.direction for objective in OBJECTIVES],
        sampler=po.CostFirstSampler(SPACE, OBJECTIVES, sources=sources()),
    )
    study.add_trials([told(grid[cell]) for cell in chosen])
    times = []
    for _ in range(1 + _N_TIMED):
        started = time.process_time()
        trial = study.ask()
        params = suggest(trial, SPACE)
        times.append(time.process_time() - started)
        study.tell(trial, [quality(params), *costs(params).values()])
    return times[0], times[1:]


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--trials", type=int, nargs="*", default=list(_N_TRIALS))
    parser.add_argument("--output", type=Path, default=_RESULTS)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    lines = ["| trials told | first call | median call | slowest call |", "|---:|---:|---:|---:|"]
    for n_trials in arguments.trials:
        first, others = seconds_per_choice(n_trials)
        lines.append(f"| {n_trials} | {first:.2f} | {statistics.median(others):.3f} | {max(others):.3f} |")
    command = "OMP_NUM_THREADS=1 python studies/benchmarks/sampler_time.py"
    known = {name: v for name, v in current_environment(measured_cores(1, 1)).to_dict().items() if v is not None}
    publish(results_page("Time to choose", command, __doc__, lines, known), arguments.output)


if __name__ == "__main__":
    main()
