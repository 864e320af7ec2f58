"""Which deployment of a MovieLens recommender should be shipped?

    python studies/movielens.py --data FOLDER --output docs/results/movielens

FOLDER holds MovieLens 100K in any format that ``load_interactions`` reads. The study goes on where
it was when it is run again. It writes the table of the front, with a popularity baseline and the
uncompressed model beside it, as Markdown and CSV, and the report as HTML.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import paretoopt as po
from paretoopt import recommenders
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment

SPACE = po.SearchSpace(
    embedding_dim=po.Ordered(16, 32, 64, 128),
    pruning_ratio=po.Float(0.0, 0.75, step=0.25),
    linear_bits=po.Ordered(32, 8),
    embedding_bits=po.Ordered(32, 8, 4),
    serving_workers=po.Int(1, 2),
)
OBJECTIVES = [
    po.maximize("ndcg_at_10"),
    po.minimize("latency_p95_ms"),
    po.minimize("memory_mib"),
    po.maximize("closed_loop_rps"),
]
BASELINE: po.Params = {
    "embedding_dim": 128,
    "pruning_ratio": 0.0,
    "linear_bits": 32,
    "embedding_bits": 32,
    "serving_workers": 1,
}
COLUMNS = {
    "test_ndcg_at_10": "test NDCG@10",
    "test_hr_at_10": "test HR@10",
    "ndcg_at_10": "validation NDCG@10",
    "latency_p50_ms": "latency p50 (ms)",
    "latency_p95_ms": "latency p95 (ms)",
    "closed_loop_rps": "closed loop (requests/s)",
    "memory_mib": "memory (MiB)",
    "artifact_mib": "artifact (MiB)",
}
SMALLEST: po.Params = {
    "embedding_dim": 16,
    "pruning_ratio": 0.75,
    "linear_bits": 8,
    "embedding_bits": 4,
    "serving_workers": 1,
}


def main(arguments: list[str]) -> None:
    """Search, then write the table and the report."""
    options = parse(arguments)
    interactions = po.load_interactions(options.data)
    training = po.TrainingSettings(epochs=options.epochs, patience=10, learning_rate=1e-3)
    pipeline = recommenders.next_item(interactions, length=100, dropout=0.4, training=training, store=options.store)
    study = po.create_study(
        SPACE,
        objectives=OBJECTIVES,
        study_name="movielens",
        storage=f"sqlite:///{options.storage}",
        load_if_exists=True,
    )
    for params in (BASELINE, SMALLEST):
        study.enqueue(params)
    study.optimize(pipeline, n_trials=options.n_trials)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_table(study, pipeline, options.output, command=command_of(options))
    po.write_report(study, options.output.with_suffix(".html"))


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder or file with the interactions, or 'ml-100k' to download")
    parser.add_argument("--n-trials", type=int, default=96, help="configurations that the study shall hold")
    parser.add_argument("--epochs", type=int, default=120, help="at most this many for each training")
    parser.add_argument("--output", type=Path, default=Path("movielens.md"), help="the table; .csv and .html beside it")
    parser.add_argument("--storage", type=Path, default=Path("movielens.db"), help="SQLite file of the study")
    parser.add_argument("--store", type=Path, default=None, help="folder of the stage store; the user's cache else")
    return parser.parse_args(arguments)


def command_of(options: argparse.Namespace) -> str:
    """The command that makes the same table; where files are kept makes no difference."""
    kept = {"--data": options.data, "--n-trials": options.n_trials, "--epochs": options.epochs}
    words = [word for name, value in kept.items() for word in (name, str(value))]
    return shlex.join(["python", "studies/movielens.py", *words, "--output", str(options.output)])


def write_table(study: po.Study, pipeline: po.Pipeline, path: Path, *, command: str) -> None:
    """Write the front and its landmarks as Markdown, and all measured configurations as CSV."""
    front = study.pareto_front()
    candidates = {candidate.number: candidate for candidate in study.candidates()}
    names = landmarks(study, pipeline)
    shown = {*names, *(member.number for member in front)}
    rows = sorted((candidates[number] for number in shown), key=lambda one: -one.measurements["ndcg_at_10"].value)
    headings = ["", "trial", *SPACE.dimensions, *COLUMNS.values()]
    lines = [
        "# MovieLens 100K: the front of deployments",
        f"`{command}`",
        f"{len(candidates)} configurations were measured; {len(front)} are on the Pareto front of "
        f"{', '.join(map(str, OBJECTIVES))}. {training_summary(candidates.values())}",
        f"Quality is by full ranking of one held-out item per user ({pipeline.data.n_users} users, "
        f"{pipeline.data.n_items} items), ± half a 95 % interval; the search saw validation only. Measured on "
        f"{current_environment(measured_cores(2, 1)).fingerprint}.",
        "\n".join(
            [
                f"| {' | '.join(headings)} |",
                f"|---|{'---:|' * (len(headings) - 1)}",
                popularity_row(pipeline),
                *(row(one, ", ".join(names.get(one.number, []))) for one in rows),
            ]
        ),
        comparisons(pipeline, candidates, names),
    ]
    path.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    study.to_frame().to_csv(path.with_suffix(".csv"), index=False, float_format="%.6g")


def landmarks(study: po.Study, pipeline: po.Pipeline) -> dict[int, list[str]]:
    """What the most telling configurations are called, by trial."""
    front = study.pareto_front()
    baseline = pipeline.canonical(BASELINE)
    numbers = [
        *(("uncompressed", one.number) for one in study.candidates() if one.params == baseline),
        ("knee", front.knee().number),
        ("smallest", front.pick(prefer="memory_mib").number),
        ("best quality", front.pick(prefer="ndcg_at_10").number),
    ]
    names: dict[int, list[str]] = {}
    for name, number in numbers:
        names.setdefault(number, []).append(name)
    return names


def comparisons(pipeline: po.Pipeline, candidates: Mapping[int, po.Candidate], names: Mapping[int, list[str]]) -> str:
    """How the landmarks compare with the uncompressed model, user by user."""
    (baseline,) = (candidates[number] for number, called in names.items() if "uncompressed" in called)
    lines = ["Test NDCG@10 against the uncompressed model, paired over users, with its 95 % interval:", ""]
    for number, called in names.items():
        if number != baseline.number:
            paired = po.compare_quality(pipeline, candidates[number], baseline, metric="test_ndcg_at_10")
            difference = f"{paired.mean_difference:+.4f} [{paired.low:+.4f}, {paired.high:+.4f}]"
            lines.append(f"- {', '.join(called)} (trial {number}): {difference}")
    return "\n".join(lines)


def training_summary(candidates: Iterable[po.Candidate]) -> str:
    """How much training the candidates shared."""
    runs = [run for one in candidates for run in one.runs if run.name in ("fit", "fine_tune")]
    seconds = {run.key: run.seconds for run in runs}
    return (
        f"{len(seconds)} trainings ({sum(seconds.values()):,.0f} s) served all of them; each trained on its own would "
        f"have taken {len(runs)} trainings ({sum(run.seconds for run in runs):,.0f} s)."
    )


def popularity_row(pipeline: po.Pipeline) -> str:
    """Recommending what is popular, as a row of the table."""
    test, validation = (po.popularity_baseline(pipeline.data, k=10, phase=phase) for phase in ("test", "validation"))
    values = {"test_ndcg_at_10": test.ndcg, "test_hr_at_10": test.hr, "ndcg_at_10": validation.ndcg}
    cells = [f"{values[metric]:.4f}" if metric in values else "" for metric in COLUMNS]
    return "| " + " | ".join(["popularity", *[""] * (1 + len(SPACE.dimensions)), *cells]) + " |"


def row(candidate: po.Candidate, name: str) -> str:
    """A configuration as a row of the table."""
    params = [str(candidate.params[dimension]) for dimension in SPACE.dimensions]
    cells = [value_of(metric, candidate.measurements[metric]) for metric in COLUMNS]
    return "| " + " | ".join([name, str(candidate.number), *params, *cells]) + " |"


def value_of(metric: str, measurement: po.Measurement) -> str:
    """A value, with half its interval where it is one of quality."""
    value, low, high = measurement.value, measurement.low, measurement.high
    if "_at_" in metric and low is not None and high is not None:
        return f"{value:.4f} ± {(high - low) / 2:.4f}"
    return f"{value:.4g}" if value < 100 else f"{value:,.0f}"


if __name__ == "__main__":
    main(sys.argv[1:])
