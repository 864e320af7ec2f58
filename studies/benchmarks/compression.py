"""What does each compression of a model save, and what does it cost in quality?

Every row is an artifact of one width, as the ready-made pipeline trains, prunes, fine-tunes, exports and quantises it.
It is compared with the unpruned model in torch, eager and in fp32, and in ONNX Runtime in fp32. All of them are served
in a process of their own with one thread, one request at a time, and are timed by turns: in every round each once, in
shuffled order. Latency is the median of the rounds' p50, and *faster* the median of the rounds' ratios to eager torch.

*Artifact* is the file that ships (for torch, the saved weights). *Added memory* is the private memory beyond an idle
process of the same runtime; *private memory* has that runtime's own in it, and is what each further worker takes;
*memory of the process* has the pages of libraries in it as well, which workers share. All are of the requests that take
most. Quality is on test data, by the artifact; its differences are from ONNX Runtime in fp32, paired over users (or
over rows of clicks), with 95 % intervals.

    python studies/benchmarks/compression.py --model MODEL --data FOLDER
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal, NamedTuple

import numpy as np
import torch

import paretoopt as po
from paretoopt.candidate import Evaluation
from paretoopt.errors import CandidateError
from paretoopt.measurement.environment import Environment, pooled_record
from paretoopt.measurement.percentiles import latency_percentile
from paretoopt.measurement.serving import ARTIFACT_WORKER, measure_serving
from paretoopt.measurement.serving_measurement import ServingMeasurement
from paretoopt.pipeline.stage import Requests
from studies.benchmarks.compression_subjects import SUBJECTS, Making, Subject
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
_EAGER, _FP32 = "eager torch, fp32", "ONNX Runtime, fp32"
_EAGER_WORKER = "studies.benchmarks.eager_worker"
_LEAST_REQUESTS_PERCENTILE = 50
MemoryKind = Literal["added_mib", "private_mib", "whole_mib"]

_MEMORY: dict[MemoryKind, str] = {
    "added_mib": "added memory",
    "private_mib": "private memory",
    "whole_mib": "memory of the process",
}
_COMPARED: tuple[MemoryKind, ...] = ("private_mib", "whole_mib")
_GOAL_LATENCY, _GOAL_LOSS = 4.0, 0.01
_GOAL = (
    "The goal is 8 times less memory and 4 times less latency than eager torch in fp32, at a loss of quality of at "
    "most 1 %."
)


class Served(NamedTuple):
    """One measurement: median latency, memory beyond the idle runtime, private memory, memory of the whole process."""

    p50_ms: float
    added_mib: float
    private_mib: float
    whole_mib: float


@dataclass
class Row:
    """One deployment, and what was measured of it.

    Attributes:
        name: What was done to the model.
        path: The ONNX file, or what ``torch.save`` wrote.
        size_mib: What ships.
        quality: The metric, its interval and its difference from fp32, as cells.
        loss: Share of the quality of fp32 that is lost.
        served: By traffic, a measurement for each round.
    """

    name: str
    path: Path
    size_mib: float
    quality: tuple[str, str]
    loss: float
    served: dict[str, list[Served]] = field(default_factory=dict)

    def p50_ms(self, traffic: str) -> float:
        """The median of the rounds."""
        return median(one.p50_ms for one in self.served[traffic])

    def memory_mib(self, kind: MemoryKind) -> float:
        """Of the traffic that takes the most, the median of the rounds."""
        return max(median(float(getattr(one, kind)) for one in rounds) for rounds in self.served.values())


def configurations() -> Iterator[tuple[str, po.Params]]:
    """Every width and pruning ratio alone, then combined."""
    yield from ((f"{bits}-bit linear", {"linear_bits": bits}) for bits in (8, 4))
    yield from ((f"{bits}-bit embeddings", {"embedding_bits": bits}) for bits in (16, 8, 4, 2))
    yield from ((f"pruned by {ratio}", {"pruning_ratio": ratio}) for ratio in (0.25, 0.5, 0.75))
    for ratio in (0.0, 0.5, 0.75):
        for linear, embedding in ((8, 8), (8, 4), (4, 4), (8, 2)):
            pruned = f"pruned by {ratio}, " if ratio else ""
            how: po.Params = {"pruning_ratio": ratio, "linear_bits": linear, "embedding_bits": embedding}
            yield f"{pruned}{linear}-bit linear, {embedding}-bit embeddings", how


def rows_of(subject: Subject, folder: Path) -> tuple[list[Row], list[str]]:
    """Every deployment with its quality, trained where the store lacks it; and what was refused, with the reason."""
    plain: po.Params = {"embedding_dim": subject.width}
    evaluation = subject.pipeline.evaluate(plain)
    baseline = po.Candidate(0, plain, evaluation.measurements)
    fp32 = _row(subject, _FP32, plain, evaluation, baseline)
    rows, refused = [_eager(subject, plain, fp32, folder), fp32], []
    for name, how in configurations():
        params = {**plain, **how}
        try:
            rows.append(_row(subject, name, params, subject.pipeline.evaluate(params), baseline))
        except CandidateError as error:
            refused.append(f"- {name}: {error}")
        print(f"{name}: {rows[-1].quality[0]}", file=sys.stderr, flush=True)
    return rows, refused


def _eager(subject: Subject, params: po.Params, fp32: Row, folder: Path) -> Row:
    """The trained module itself; its answers are those of the exported graph, which the export has checked."""
    module = subject.answering(subject.pipeline.output_of("fit", params)).eval()
    path, weights = folder / "module.pt", folder / "weights.pt"
    torch.save(module, path)
    torch.save(module.state_dict(), weights)
    return Row(_EAGER, path, weights.stat().st_size / 2**20, fp32.quality, 0.0)


def _row(subject: Subject, name: str, params: po.Params, evaluation: Evaluation, baseline: po.Candidate) -> Row:
    pipeline, metric = subject.pipeline, subject.metric
    measured = evaluation.measurements[metric]
    value = f"{measured.value:.4f} [{measured.low or 0:.4f}, {measured.high or 0:.4f}]"
    path = pipeline.deployable(params).model_path
    size = evaluation.measurements["artifact_mib"].value
    if params == baseline.params:
        return Row(name, path, size, (value, ""), 0.0)
    candidate = po.Candidate(0, params, evaluation.measurements)
    paired = po.compare_quality(pipeline, candidate, baseline, metric=metric)
    base = paired.baseline_value
    change = f"{paired.mean_difference / base:+.1%} [{paired.low / base:+.1%}, {paired.high / base:+.1%}]"
    return Row(name, path, size, (value, change), -paired.mean_difference / base)


def serve_by_turns(rows: Sequence[Row], traffic: Mapping[str, Requests], *, rounds: int) -> list[Environment]:
    """Serve every deployment once in each round, in shuffled order, and add what was measured to its row."""
    random = np.random.default_rng(0)
    environments = []
    for number in range(rounds):
        for place in random.permutation(len(rows)):
            row = rows[place]
            module = _EAGER_WORKER if row.name == _EAGER else ARTIFACT_WORKER
            for name, requests in traffic.items():
                one = measure_serving(
                    row.path,
                    requests,
                    n_requests=2_000,
                    budget_seconds=0.4,
                    least_percentile=_LEAST_REQUESTS_PERCENTILE,
                    seed=number,
                    worker_module=module,
                )
                row.served.setdefault(name, []).append(_served(one))
                environments.append(one.environment)
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return environments


def _served(one: ServingMeasurement) -> Served:
    p50 = latency_percentile(one.latencies_ms, _LEAST_REQUESTS_PERCENTILE).value
    return Served(p50, one.memory_mib, one.memory_baseline_mib + one.memory_mib, one.memory_total_mib)


def table(rows: Sequence[Row], metric: str) -> list[str]:
    """A line for each deployment."""
    eager = rows[0]
    header = ["configuration", "artifact (MiB)", *(f"{words} (MiB)" for words in _MEMORY.values())]
    header += [cell for traffic in eager.served for cell in (f"p50, {traffic} (ms)", "faster")]
    header += [metric.removeprefix("test_").upper().replace("_AT_", "@"), "change"]
    lines = [f"| {' | '.join(header)} |", f"|---|{'---:|' * (len(header) - 1)}"]
    for row in rows:
        cells = [row.name, f"{row.size_mib:.3f}", *(f"{row.memory_mib(kind):.1f}" for kind in _MEMORY)]
        for traffic in eager.served:
            cells += [f"{row.p50_ms(traffic):.3f}", f"{times_faster(row, eager, traffic):.1f}"]
        lines.append(f"| {' | '.join([*cells, *row.quality])} |")
    return lines


def times_faster(row: Row, eager: Row, traffic: str) -> float:
    """How many times as fast as eager torch, in the median round."""
    pairs = zip(eager.served[traffic], row.served[traffic], strict=True)
    return median(slow.p50_ms / fast.p50_ms for slow, fast in pairs)


def verdict(rows: Sequence[Row]) -> str:
    """How far the smallest deployment without a loss is from the goal."""
    eager, *others = rows
    traffic = next(iter(eager.served))
    sound = [row for row in others if row.loss <= _GOAL_LOSS and times_faster(row, eager, traffic) >= _GOAL_LATENCY]
    if not sound:
        return f"{_GOAL} No deployment within that loss is as fast as that."
    best = min(sound, key=lambda row: row.size_mib)
    private, whole = (_saved(best, eager, kind) for kind in _COMPARED)
    return (
        f"{_GOAL} Of the deployments within that loss and latency, *{best.name}* is the smallest: {private}, "
        f"{whole}, and an artifact {eager.size_mib / best.size_mib:.1f} times smaller. {_speeds(best, eager)}"
    )


def _saved(row: Row, eager: Row, kind: MemoryKind) -> str:
    less, more = row.memory_mib(kind), eager.memory_mib(kind)
    return f"{more / less:.1f} times less {_MEMORY[kind]} ({less:.1f} of {more:.1f} MiB)"


def _speeds(row: Row, eager: Row) -> str:
    words = (f"{times_faster(row, eager, traffic):.1f} times as fast for {traffic}" for traffic in row.served)
    return f"It is {' and '.join(words)}."


def main() -> None:
    """Print the table and write it to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=tuple(SUBJECTS), required=True, help="which model")
    parser.add_argument("--data", type=Path, required=True, help="folder or file that the model is trained on")
    parser.add_argument("--epochs", type=int, default=120, help="at most this many for each training")
    parser.add_argument("--rounds", type=int, default=7, help="times that everything is served")
    parser.add_argument("--store", type=Path, default=None, help="folder of the stage store; the user's cache else")
    parser.add_argument("--output", type=Path, default=None, help="the page to write")
    options = parser.parse_args()
    subject = SUBJECTS[options.model](options.data, Making(options.store, options.epochs))
    with tempfile.TemporaryDirectory() as folder:
        rows, refused = rows_of(subject, Path(folder))
        environments = serve_by_turns(rows, subject.traffic, rounds=options.rounds)
    lines = [verdict(rows), "", *table(rows, subject.metric)]
    if refused:
        lines += ["", "Refused by the check of ranked lists against those before quantisation:", "", *refused]
    words = ["--model", options.model, "--data", options.data.name]
    words += ["--epochs", str(options.epochs), "--rounds", str(options.rounds)]
    command = shlex.join(["python", "studies/benchmarks/compression.py", *words])
    page = results_page(f"Compression of {subject.title}", command, __doc__, lines, pooled_record(environments))
    publish(page, options.output or _RESULTS / f"compression_{options.model}.md")


if __name__ == "__main__":
    main()
