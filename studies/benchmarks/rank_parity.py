"""What does quantisation leave of a ranking, and what does a broken table?

Slate rankers and click models are trained, quantised to fewer and fewer bits, and broken: the rows of one table, or of
all, come in a wrong order, as by a graph that gathers from the wrong place. Each is compared with fp32 as
`po.ranked_parity` does it: the share of the best ten in common (slates of 100, and of 20, candidates; 100 rows), and
the change of NDCG@10 or of the AUC. Both are also told as `ranked_parity` judges them: beyond what chance gives, where
1 keeps everything and 0 nothing. Its limits are 0.25 for the lists, and 0.5 for the quality.

    python studies/benchmarks/rank_parity.py --interactions FOLDER --clicks FILE
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper

import paretoopt as po
from paretoopt import recommenders
from paretoopt.artifact.tables import table_names
from paretoopt.compression.quantize import quantize_graph
from paretoopt.data.slate_metrics import slate_quality
from paretoopt.data.slates import slate_requests
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.measurement.parity_rules import AUC_CHANGE, ParityRules
from paretoopt.measurement.score_parity import ROWS_OF_A_SLATE, LabelledRows, compare_rows, compare_slates
from paretoopt.pipeline.stage import Requests
from paretoopt.recommenders.click_through import ClickModel
from paretoopt.recommenders.slate_models import SlateModel
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "rank_parity.md"
_RULES = ParityRules(k=10, least_overlap=0.0, largest_loss=1.0)
_BITS = ((8, 8), (4, 4), (32, 2), (4, 2))
_SLATE_SIZES = (100, 20)
_BATCH = 256

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Ranker:
    """A trained model, and how its scores are judged.

    Attributes:
        name: Of model and data.
        graph: In fp32.
        requests: What is asked.
        judge: From the scores of fp32 and others to the overlap and the change of quality.
        quality: Of fp32.
        chances: The overlap and the quality that chance gives.
    """

    name: str
    graph: onnx.ModelProto
    requests: Requests
    judge: Callable[[Scores, Scores], tuple[float, float]]
    quality: float
    chances: tuple[float, float]


def slate_rankers(interactions: po.Interactions, training: po.TrainingSettings, store: Path) -> Iterator[Ranker]:
    """Each slate model with slates of each size."""
    models: dict[str, SlateModel] = {
        "HistoryModel, flatten": recommenders.HistoryModel(length=50),
        "HistoryModel, mean": recommenders.HistoryModel(history="mean", length=50),
        "NeuMFModel": recommenders.NeuMFModel(),
    }
    for size in _SLATE_SIZES:
        data = po.sampled_slates(interactions, slate_size=size)
        for name, model in models.items():
            pipeline = recommenders.slate_ranking(data, model, training=training, store=store)
            yield _slate_ranker(f"{name}, slates of {size}", pipeline, data, model.length)


def _slate_ranker(name: str, pipeline: po.Pipeline, data: po.SlateData, length: int) -> Ranker:
    graph = onnx.load(pipeline.deployable({"embedding_dim": 32}).model_path)
    slates, requests = data.validation, slate_requests(data, "validation", length=length)
    full = scores_of(graph, requests)

    def judge(earlier: Scores, now: Scores) -> tuple[float, float]:
        found = compare_slates(earlier, now, slates, _RULES)
        return found[_RULES.overlap_metric].value, found[_RULES.change_metric].value

    chance = slate_quality(np.zeros_like(full), slates, _RULES.k).ndcg
    share = float((_RULES.k / slates.is_real.sum(1)).mean())
    return Ranker(name, graph, requests, judge, slate_quality(full, slates, _RULES.k).ndcg, (share, chance))


def click_rankers(clicks: po.Clicks, training: po.TrainingSettings, store: Path) -> Iterator[Ranker]:
    """Each click model."""
    part = clicks.validation
    requests: Requests = {"categories": part.categories[:, None]}
    if clicks.numeric_fields:
        requests = {**requests, "numbers": part.numbers[:, None]}
    rows = LabelledRows(requests, part.labels)

    def judge(earlier: Scores, now: Scores) -> tuple[float, float]:
        found = compare_rows(earlier[:, 0], now[:, 0], rows, _RULES)
        return found[_RULES.overlap_metric].value, found[AUC_CHANGE].value

    names: tuple[ClickModel, ...] = ("dlrm", "deepfm")
    for name in names:
        pipeline = recommenders.click_through(clicks, model=name, training=training, store=store)
        graph = onnx.load(pipeline.deployable({"embedding_dim": 16}).model_path)
        quality = po.auc(part.labels, scores_of(graph, requests)[:, 0])
        yield Ranker(f"{name}, {clicks.name}", graph, requests, judge, quality, (_RULES.k / ROWS_OF_A_SLATE, 0.5))


def scores_of(graph: onnx.ModelProto, requests: Requests) -> Scores:
    """The first output for all requests."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    n_requests = len(next(iter(requests.values())))
    batches = (slice(start, start + _BATCH) for start in range(0, n_requests, _BATCH))
    answers = (session.run(None, {name: array[batch] for name, array in requests.items()})[0] for batch in batches)
    return np.concatenate([np.asarray(answer) for answer in answers]).astype(np.float64)


def variants(graph: onnx.ModelProto) -> Iterator[tuple[str, onnx.ModelProto]]:
    """The graph in fewer bits, then with tables whose rows are in a wrong order."""
    for linear_bits, embedding_bits in _BITS:
        bits = f"{linear_bits} bits, embeddings {embedding_bits}"
        yield bits, quantize_graph(graph, linear_bits=linear_bits, embedding_bits=embedding_bits)
    tables = sorted(table_names(graph))
    for names in [[name] for name in tables] + ([tables] if len(tables) > 1 else []):
        called = "all tables" if len(names) > 1 else names[0].removesuffix(".weight").split(".")[-1]
        yield f"wrong rows: {called}", with_wrong_rows(graph, names)


def with_wrong_rows(graph: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """The graph with the rows of these tables in random order."""
    broken = onnx.ModelProto()
    broken.CopyFrom(graph)
    for tensor in broken.graph.initializer:
        if tensor.name in names:
            rows = np.random.default_rng(0).permutation(numpy_helper.to_array(tensor))
            tensor.CopyFrom(numpy_helper.from_array(rows, tensor.name))
    return broken


def table_rows(rankers: Iterator[Ranker]) -> list[str]:
    """What is left of each ranker's ranking, by variant."""
    lines = [
        "| model | quality | variant | overlap | beyond chance | change of quality | kept beyond chance |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    for ranker in rankers:
        full = scores_of(ranker.graph, ranker.requests)
        share, chance = ranker.chances
        for variant, graph in variants(ranker.graph):
            overlap, change = ranker.judge(full, scores_of(graph, ranker.requests))
            cells = (
                f"{overlap:.3f}",
                f"{(overlap - share) / (1 - share):.3f}",
                f"{change:+.4f}",
                f"{1 + change / (ranker.quality - chance):.2f}",
            )
            lines.append(f"| {ranker.name} | {ranker.quality:.4f} | {variant} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Print the tables and write them to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", help="what load_interactions reads; without it, a synthetic shop")
    parser.add_argument("--clicks", help="what load_clicks reads; without it, synthetic impressions")
    parser.add_argument("--epochs", type=int, default=10, help="of training")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    arguments = parser.parse_args()
    shop = po.synthetic_shop(users=400, items=300, seed=0)
    interactions = po.load_interactions(arguments.interactions) if arguments.interactions else shop
    clicks = po.load_clicks(arguments.clicks) if arguments.clicks else po.synthetic_clicks(20_000, fields=8)
    training = po.TrainingSettings(epochs=arguments.epochs, learning_rate=3e-3, threads=1)
    with tempfile.TemporaryDirectory() as folder:
        lines = ["## Slates", "", *table_rows(slate_rankers(interactions, training, Path(folder)))]
        lines += ["", "## Rows", "", *table_rows(click_rankers(clicks, training, Path(folder)))]
    given = {"interactions": arguments.interactions, "clicks": arguments.clicks}
    named = "".join(f"--{name} {Path(value).name} " for name, value in given.items() if value)
    command = f"python studies/benchmarks/rank_parity.py {named}--epochs {arguments.epochs}"
    # Nothing here is timed, so that what else ran at the time is not known, and does not matter.
    known = {name: v for name, v in current_environment(measured_cores(1, 1)).to_dict().items() if v is not None}
    publish(results_page("What is left of a ranking", command, __doc__, lines, known), arguments.output)


if __name__ == "__main__":
    main()
