"""Do two finals put twelve artifacts into the same order, and do two single measurements?

Twelve next-item models, trained for one epoch, of four widths and three bit widths, are measured in this order:
once each, then in finals, in finals again, and once each again. Kendall's tau between the two orders is 1 where they
are the same, and 0 where they have nothing to do with each other. Finals interleave the artifacts round by round, in
shuffled order, the anchor twice per round. The same rounds are summed up in several ways: *finals* is what
`study.finals` does; the ways below it are what it could do instead. One pair of finals is little evidence, so *halves*
is the mean of tau between two halves of all their rounds, over 100 random divisions.

    python studies/benchmarks/finals_rank.py
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import paretoopt as po
from paretoopt import recommenders
from paretoopt.front.rounds import drift_corrected, typical_with_intervals
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.measurement.percentiles import latency_percentile
from paretoopt.measurement.serving import measure_serving
from paretoopt.training.loop import TrainingSettings
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "finals_rank.md"
_DIMS = (32, 48, 64, 96)
_BITS = ((32, 32), (8, 8), (8, 4))
_PERCENTILES = (50, 95)
_N_DIVISIONS = 100
# Half a second agreed no better on recorded rounds, and starting the processes takes as long: more rounds are better.
_BUDGET_SECONDS = 0.25

Array = NDArray[np.float64]


def by_finals(values: Array) -> Array:
    """What finals report, of an array of shape ``(n_rounds, n_artifacts)``."""
    return np.array([one.value for one in typical_with_intervals(drift_corrected(values))])


def by_anchor(values: Array) -> Array:
    """Medians, each value divided by that of the anchor, the last column, in its round."""
    return np.median(values / values[:, -1:], axis=0)


WAYS: Mapping[str, Callable[[Array], Array]] = {
    "finals": by_finals,
    "medians": lambda values: np.median(values, axis=0),
    "medians of ratios to the anchor": by_anchor,
    "geometric means": lambda values: np.exp(np.log(values).mean(axis=0)),
    "lower quartiles": lambda values: np.quantile(values, 0.25, axis=0),
    "least values": lambda values: values.min(axis=0),
}


class Bench:
    """Twelve artifacts and the requests that they serve; the first, uncompressed, is the anchor."""

    def __init__(self, folder: Path) -> None:
        """Export them into ``folder``."""
        shop = po.synthetic_shop(users=500, items=2_000, seed=0)
        pipeline = recommenders.next_item(shop, training=TrainingSettings(epochs=1), store=folder)
        self.params: list[po.Params] = [
            {"embedding_dim": dim, "linear_bits": linear, "embedding_bits": embedding}
            for dim, (linear, embedding) in product(_DIMS, _BITS)
        ]
        self._paths = [pipeline.deployable(params).model_path for params in self.params]
        self._requests = pipeline.requests
        self.shares_of_others: list[float | None] = []

    def measure(self, order: Sequence[int]) -> Array:
        """P50 and p95 of each artifact, measured in ``order``; array of shape ``(len(order), 2)``.

        One beyond the last artifact is the anchor once more.
        """
        found = np.empty((len(order), len(_PERCENTILES)))
        for index in order:
            path = self._paths[index % len(self._paths)]
            serving = measure_serving(path, self._requests, budget_seconds=_BUDGET_SECONDS)
            found[index] = [latency_percentile(serving.latencies_ms, value).value for value in _PERCENTILES]
            self.shares_of_others.append(serving.environment.share_of_others)
        return found

    def single(self) -> Array:
        """One measurement of each."""
        return self.measure(range(len(self._paths)))

    def finals(self, rounds: int, seed: int) -> Array:
        """Every round as it was measured; array of shape ``(rounds, n_artifacts + 1, 2)``."""
        random = np.random.default_rng(seed)
        return np.stack([self.measure(random.permutation(len(self._paths) + 1).tolist()) for _ in range(rounds)])


def summed_up(way: Callable[[Array], Array], rounds: Array) -> Array:
    """P50 and p95 of each artifact by ``way``, without the anchor's second column."""
    return np.stack([way(rounds[:, :, i]) for i in range(len(_PERCENTILES))], axis=1)[:-1]


def tau_of_halves(way: Callable[[Array], Array], rounds: Array) -> list[float]:
    """The mean agreement of p50 and p95 between random halves of the rounds; nan where there are too few."""
    random, half = np.random.default_rng(0), len(rounds) // 2
    divisions = [random.permutation(len(rounds)) for _ in range(_N_DIVISIONS)]
    pairs = [(summed_up(way, rounds[one[:half]]), summed_up(way, rounds[one[half:]])) for one in divisions]
    return [float(np.mean([kendall_tau(one[:, i], other[:, i]) for one, other in pairs])) for i in (0, 1)]


def kendall_tau(first: Array, second: Array) -> float:
    """Share of pairs in the same order, less the share of pairs in opposite order (Kendall 1938)."""
    pairs = list(combinations(range(len(first)), 2))
    return sum(float(np.sign(first[i] - first[j]) * np.sign(second[i] - second[j])) for i, j in pairs) / len(pairs)


def agreement(singles: Sequence[Array], finals: Sequence[Array]) -> list[str]:
    """The agreement of every way."""
    lines = [
        "| way | Kendall's tau of p50 | of p95 | halves: of p50 | of p95 | largest change of p50 | of p95 |",
        "|---|---:|---:|---:|---:|---:|---:|",
        _row("single measurements", singles, ["–", "–"]),
    ]
    for name, way in WAYS.items():
        halves = [f"{tau:.3f}" for tau in tau_of_halves(way, np.concatenate(finals))]
        lines.append(_row(name, [summed_up(way, rounds) for rounds in finals], halves))
    return lines


def _row(name: str, found: Sequence[Array], halves: Sequence[str]) -> str:
    one, other = found
    taus = [f"{kendall_tau(one[:, i], other[:, i]):.3f}" for i in (0, 1)]
    changes = [f"{change:.1%}" for change in np.exp(np.abs(np.log(one / other)).max(axis=0)) - 1]
    return f"| {' | '.join([name, *taus, *halves, *changes])} |"


def values(found: Mapping[str, Array], params: Sequence[po.Params]) -> list[str]:
    """Every value."""
    names = [f"{name} {percentile}" for name in found for percentile in ("p50", "p95")]
    lines = [
        f"| embedding_dim | linear_bits | embedding_bits | {' | '.join(names)} |",
        f"|{'---:|' * (3 + len(names))}",
    ]
    for index, one_params in enumerate(params):
        cells = [f"{value:.3f}" for array in found.values() for value in array[index]]
        lines.append(f"| {' | '.join([*map(str, one_params.values()), *cells])} |")
    return lines


def load(shares: Sequence[float | None]) -> str:
    """How much else ran on the measured cores, in words."""
    known = [share for share in shares if share is not None]
    if not known:
        return "not known"
    return f"{np.median(known):.1%} in the median measurement of the finals, {max(known):.1%} in the worst"


def _page(lines: Sequence[str], arguments: argparse.Namespace, others: str) -> str:
    settings = (
        f"Finals have {arguments.rounds} rounds, and every measurement takes {_BUDGET_SECONDS} s. Latencies are in "
        "milliseconds."
    )
    command = f"python studies/benchmarks/finals_rank.py --rounds {arguments.rounds}"
    record = current_environment(measured_cores(1, 1)).to_dict() | {"share_of_others": others}
    return results_page("Rank agreement of finals", command, __doc__, [settings, "", *lines], record)


def main() -> None:
    """Print the tables and write them to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8, help="of each finals")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        first = bench.single()
        bench.shares_of_others.clear()
        finals = [bench.finals(arguments.rounds, seed) for seed in (1, 2)]
        others = load(bench.shares_of_others)
        singles = [first, bench.single()]
    one, other = (summed_up(by_finals, rounds) for rounds in finals)
    found = {"single 1": singles[0], "finals 1": one, "finals 2": other, "single 2": singles[1]}
    page = _page([*agreement(singles, finals), "", *values(found, bench.params)], arguments, others)
    publish(page, arguments.output)


if __name__ == "__main__":
    main()
