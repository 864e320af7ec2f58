"""Do two finals put twelve artifacts into the same order, and do two single measurements?

Twelve next-item models, trained for one epoch, of four widths and three bit widths, are measured in this order:
once each, then in finals, in finals again, and once each again. Kendall's tau between the two orders is 1 where they
are the same, and 0 where they have nothing to do with each other. Finals interleave the artifacts round by round, in
shuffled order, and correct each value for the drift that an anchor shows; single measurements take one artifact after
the other.

    python studies/benchmarks/finals_rank.py
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from itertools import combinations, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import paretoopt as po
from paretoopt import recommenders
from paretoopt.front.rounds import drift_corrected
from paretoopt.measurement.environment import Environment, pooled_record
from paretoopt.measurement.percentiles import latency_percentile
from paretoopt.measurement.serving import measure_serving
from paretoopt.training.loop import TrainingSettings

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "finals_rank.md"
_DIMS = (32, 48, 64, 96)
_BITS = ((32, 32), (8, 8), (8, 4))
_PERCENTILES = (50, 95)
_BUDGET_SECONDS = 0.5


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
        self.environments: list[Environment] = []

    def measure(self, order: Sequence[int]) -> NDArray[np.float64]:
        """P50 and p95 of each artifact, measured in ``order``; array of shape ``(n_artifacts, 2)``."""
        found = np.empty((len(self._paths), len(_PERCENTILES)))
        for index in order:
            measured = measure_serving(self._paths[index], self._requests, budget_seconds=_BUDGET_SECONDS)
            found[index] = [latency_percentile(measured.latencies_ms, one).value for one in _PERCENTILES]
            self.environments.append(measured.environment)
        return found

    def single(self) -> NDArray[np.float64]:
        """One measurement of each."""
        return self.measure(range(len(self._paths)))

    def finals(self, rounds: int, seed: int) -> NDArray[np.float64]:
        """The medians over rounds, freed of drift."""
        random = np.random.default_rng(seed)
        values = np.stack([self.measure(random.permutation(len(self._paths)).tolist()) for _ in range(rounds)])
        freed = [drift_corrected(values[:, :, i], anchor=0) for i in range(len(_PERCENTILES))]
        return np.stack([np.median(array, axis=0) for array in freed], axis=1)


def kendall_tau(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Share of pairs in the same order, less the share of pairs in opposite order (Kendall 1938)."""
    pairs = list(combinations(range(len(first)), 2))
    return sum(float(np.sign(first[i] - first[j]) * np.sign(second[i] - second[j])) for i, j in pairs) / len(pairs)


def tables(found: Mapping[str, NDArray[np.float64]], params: Sequence[po.Params]) -> list[str]:
    """The agreement of either way, and below it every value."""
    ways = {"single measurements": ("single 1", "single 2"), "finals": ("finals 1", "finals 2")}
    lines = ["| way | Kendall's tau of p50 | of p95 | largest change of p50 | of p95 |", "|---|---:|---:|---:|---:|"]
    for way, (one, other) in ways.items():
        taus = [kendall_tau(found[one][:, i], found[other][:, i]) for i in (0, 1)]
        changes = np.exp(np.abs(np.log(found[one] / found[other])).max(axis=0)) - 1
        lines.append(f"| {way} | {taus[0]:.3f} | {taus[1]:.3f} | {changes[0]:.1%} | {changes[1]:.1%} |")
    names = [f"{name} {percentile}" for name in found for percentile in ("p50", "p95")]
    lines += ["", f"| embedding_dim | linear_bits | embedding_bits | {' | '.join(names)} |"]
    lines += [f"|{'---:|' * (3 + len(names))}"]
    for index, one_params in enumerate(params):
        values = [f"{value:.3f}" for array in found.values() for value in array[index]]
        lines.append(f"| {' | '.join([*map(str, one_params.values()), *values])} |")
    return lines


def _page(lines: Sequence[str], environments: Sequence[Environment], arguments: argparse.Namespace) -> str:
    record = pooled_record(environments)
    about = str(__doc__).replace("\n\n    python studies/benchmarks/finals_rank.py\n", "\n").strip()
    return "\n".join(
        [
            "# Rank agreement of finals",
            "",
            f"Made by `python studies/benchmarks/finals_rank.py --rounds {arguments.rounds}`. {about}",
            "",
            f"Finals have {arguments.rounds} rounds. Latencies are in milliseconds.",
            "",
            *lines,
            "",
            "## Environment",
            "",
            *(f"- {name}: {value}" for name, value in record.items()),
            "",
        ]
    )


def main() -> None:
    """Print the tables and write them to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6, help="of each finals")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        found = {
            "single 1": bench.single(),
            "finals 1": bench.finals(arguments.rounds, seed=1),
            "finals 2": bench.finals(arguments.rounds, seed=2),
            "single 2": bench.single(),
        }
    page = _page(tables(found, bench.params), bench.environments, arguments)
    print(page)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
