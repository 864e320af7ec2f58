"""How much is left when a study ends with until="converged"?

Searches with paretoopt's sampler, costs known, are replayed on synthetic tables of 540 configurations (formulas, no
measurements), and stopped at each share by the rule of ``Converged``: three choices in a row expect no more. What is
left then is the share of the whole table's hypervolume that the configurations evaluated do not have, with latency and
memory as logarithms, from the worst of the table and a tenth of the span beyond it.

    python studies/benchmarks/convergence.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import optuna

import paretoopt as po
from paretoopt.candidate import Evaluation, Measurement
from paretoopt.front.dominance import hypervolume, reference_point
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.search.encoding import suggest
from paretoopt.search.records import write_measured
from studies.benchmarks.page import publish, results_page
from studies.benchmarks.search_table import Table, synthetic_table

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "convergence.md"
_SHARES = (0.03, 0.01, 0.003)


def gains(table: Table, seed: int, until: po.Converged) -> tuple[list[float], list[float]]:
    """What was expected still to gain, and what there was, after each configuration until the search converged."""
    costs = table.costs(is_log=True)
    reference = reference_point(costs)
    total = hypervolume(costs, reference=reference)
    metrics = [one.metric for one in table.objectives if one.direction == "minimize"]

    def known(params: po.Params) -> dict[str, float]:
        measured = table.measured(table.row(params))
        return {metric: measured[metric] for metric in metrics}

    paid: set[str] = set()
    sources = po.Sources(
        known,
        artifact_key=lambda params: table.artifacts[table.row(params)],
        remaining=lambda params: tuple(one for one in table.stages[table.row(params)] if one.key not in paid),
    )
    sampler = po.CostFirstSampler(table.space, table.objectives, sources=sources, seed=seed)
    study = optuna.create_study(directions=[one.direction for one in table.objectives], sampler=sampler)
    rows: list[int] = []
    expected: list[float] = []
    left: list[float] = []
    while until.reached(expected) is None and len(rows) < len(costs):
        trial = study.ask()
        rows.append(table.row(suggest(trial, table.space)))
        paid.update(stage.key for stage in table.stages[rows[-1]])
        measured = {name: Measurement(value) for name, value in table.measured(rows[-1]).items()}
        write_measured(trial, Evaluation(measured), ())
        study.tell(trial, [measured[one.metric].value for one in table.objectives])
        share = sampler.expected_gain(study.get_trials(deepcopy=False))
        expected = [] if share is None else [*expected, share]
        left.append(1 - hypervolume(costs[rows], reference=reference) / total)
    return expected, left


def main() -> None:
    """Replay and write the page."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--output", type=Path, default=_RESULTS)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    lines = [
        "| share | configurations evaluated | left, in %: median | quartiles | mean | most |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    replays = [gains(synthetic_table(seed), seed, po.Converged(min(_SHARES))) for seed in range(arguments.seeds)]
    for share in _SHARES:
        ends = [_end(expected, left, po.Converged(share)) for expected, left in replays]
        n, rest = (np.array(column) for column in zip(*ends, strict=True))
        low, middle, high = np.percentile(100 * rest, (25, 50, 75))
        lines.append(
            f"| {100 * share:g} % | {np.median(n):g} | {middle:.2f} | {low:.2f} to {high:.2f} | "
            f"{100 * rest.mean():.2f} | {100 * rest.max():.2f} |"
        )
    command = f"python studies/benchmarks/convergence.py --seeds {arguments.seeds}"
    publish(
        results_page("What is left when a study has converged", command, __doc__, lines, _environment()),
        arguments.output,
    )


def _environment() -> dict[str, object]:
    environment = current_environment(measured_cores(1, 1)).to_dict()
    return {name: value for name, value in environment.items() if value is not None}


def _end(expected: list[float], left: list[float], until: po.Converged) -> tuple[int, float]:
    """How many configurations were evaluated when the rule first held, and what was left then."""
    before = len(left) - len(expected)  # choices of which nothing could be expected yet
    n = next((n for n in range(len(expected)) if until.reached(expected[: n + 1]) is not None), len(expected) - 1)
    return before + n + 1, left[before + n]


if __name__ == "__main__":
    main()
