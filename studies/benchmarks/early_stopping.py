"""What does early stopping save, and what does it lose?

Real learning curves (`learning_curves.py` makes them) are replayed as studies: candidates come one after the other in a
random order, each is asked about after every epoch, and one that is stopped shows no more of its curve. A candidate's
final value is that of its best epoch. Quality is maximised and the size of the weights, known before training, is
minimised. Each row is a mean over orders, the same orders for all rows.

*Epochs saved* is the share of all epochs, those of reference trials included. *Hypervolume lost* is the share of the
front of all candidates that the finished ones lack. *Members stopped* is the share of the members of that front that
were stopped: what `risk` bounds.

    python studies/benchmarks/early_stopping.py
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import paretoopt as po
from paretoopt.front.dominance import hypervolume, is_nondominated, reference_point
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.search.stopping_rule import StoppingRule
from paretoopt.search.watched import Estimate, Watched, Wishes
from studies.benchmarks.page import publish, results_page

_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "results"


@dataclass(frozen=True)
class Curve:
    """A candidate's estimates after each epoch, from 1 on, and its cost."""

    estimates: tuple[Estimate, ...]
    cost: float

    @property
    def final(self) -> float:
        """The value of its best epoch."""
        return max(estimate.value for estimate in self.estimates)


@dataclass(frozen=True)
class Outcome:
    """What one replayed study came to."""

    epochs: int
    costs: NDArray[np.float64]
    is_stopped: NDArray[np.bool_]


def rules(n_epochs: int) -> dict[str, tuple[StoppingRule, bool]]:
    """What is compared for trainings of ``n_epochs``, and whether standard errors are reported to it."""
    curves: dict[str, tuple[StoppingRule, bool]] = {
        f"learning curves, risk {risk}": (po.LearningCurves(risk=risk), False) for risk in (0.05, 0.1, 0.2)
    }
    late = max(n_epochs // 4, 1)
    return {
        **curves,
        "learning curves, risk 0.2, counting standard errors": (po.LearningCurves(risk=0.2), True),
        "rungs from epoch 1, a third goes on": (po.Rungs(first=1, reduction_factor=3, n_epochs=n_epochs), False),
        f"rungs from epoch {late}, a half goes on": (
            po.Rungs(first=late, reduction_factor=2, n_epochs=n_epochs),
            False,
        ),
    }


def read_curves(path: Path, metric: str, cost: str) -> list[Curve]:
    """The curves of a table with a row for each curve and epoch."""
    table = pd.read_csv(path).sort_values(["curve", "epoch"])
    if "standard_error" not in table:
        table["standard_error"] = 0.0
    trained = table[table["epoch"] > 0]
    return [
        Curve(
            tuple(Estimate(*row) for row in rows[[metric, "standard_error"]].itertuples(index=False)),
            float(rows[cost].iloc[0]),
        )
        for _, rows in trained.groupby("curve")
    ]


def replay(curves: Sequence[Curve], rule: StoppingRule, wishes: Wishes, *, has_errors: bool) -> Outcome:
    """A study whose candidates come in the order of ``curves``."""
    metric, cost = (objective.metric for objective in wishes.objectives)
    others: list[Watched] = []
    n_epochs, stopped = 0, []
    for number, curve in enumerate(curves):
        finished = [other for other in others if other.finals is not None]
        is_reference = rule.is_reference(number, finished, {metric})
        trial = Watched(number, {cost: Estimate(curve.cost)}, is_reference=is_reference)
        verdict = None
        for epoch, estimate in enumerate(curve.estimates, start=1):
            seen = estimate if has_errors else Estimate(estimate.value)
            trial = replace(trial, reports={**trial.reports, epoch: {metric: seen}})
            n_epochs += 1
            verdict = rule.judge(trial, others, wishes)
            if verdict is not None:
                break
        finals = None if verdict else {metric: curve.final, cost: curve.cost}
        others.append(replace(trial, finals=finals, is_reference=is_reference and finals is not None))
        stopped.append(verdict is not None)
    return Outcome(n_epochs, np.array([[-curve.final, curve.cost] for curve in curves]), np.array(stopped))


def row(name: str, outcomes: Sequence[Outcome], n_epochs: int) -> str:
    """A row of the table."""
    saved = [1 - outcome.epochs / n_epochs for outcome in outcomes]
    lost = [hypervolume_lost(outcome) for outcome in outcomes]
    members = [is_nondominated(outcome.costs) for outcome in outcomes]
    wrong = sum(int((on_front & outcome.is_stopped).sum()) for on_front, outcome in zip(members, outcomes, strict=True))
    cells = [
        name,
        f"{np.mean([outcome.is_stopped.mean() for outcome in outcomes]):.1%}",
        f"{np.mean(saved):.1%}",
        f"{np.mean(lost):.2%} ({np.max(lost):.2%})",
        f"{wrong / sum(int(on_front.sum()) for on_front in members):.1%}",
    ]
    return f"| {' | '.join(cells)} |"


def hypervolume_lost(outcome: Outcome) -> float:
    """The share of the whole front's hypervolume that the finished candidates lack."""
    reference = reference_point(outcome.costs)
    whole = hypervolume(outcome.costs, reference=reference)
    return 1 - hypervolume(outcome.costs[~outcome.is_stopped], reference=reference) / whole


def table(curves: Sequence[Curve], wishes: Wishes, n_orders: int) -> list[str]:
    """What each rule saves and loses."""
    n_epochs = sum(len(curve.estimates) for curve in curves)
    front = is_nondominated(np.array([[-curve.final, curve.cost] for curve in curves]))
    lines = [
        f"{len(curves)} curves, {n_epochs} epochs in all, {int(front.sum())} members of the front; {n_orders} orders.",
        "",
        "| rule | candidates stopped | epochs saved | hypervolume lost, mean (most) | members stopped |",
        "|---|---:|---:|---:|---:|",
    ]
    random = np.random.default_rng(0)
    orders = [random.permutation(len(curves)) for _ in range(n_orders)]
    for name, (rule, has_errors) in rules(max(len(curve.estimates) for curve in curves)).items():
        studies = [[curves[place] for place in order] for order in orders]
        lines.append(row(name, [replay(study, rule, wishes, has_errors=has_errors) for study in studies], n_epochs))
    return lines


def pull_to_the_mean(curves: Sequence[Curve], epoch: int) -> str:
    """How a forecast of final values errs: the straight line of the best value so far."""
    finals = np.array([curve.final for curve in curves])
    so_far = np.array([max(estimate.value for estimate in curve.estimates[:epoch]) for curve in curves])
    slope, intercept = np.polyfit(so_far, finals, 1)
    correlation = np.corrcoef(finals - intercept - slope * so_far, finals)[0, 1]
    return (
        f"A forecast of final values, by a straight line of the best value after epoch {epoch}, misses by amounts that "
        f"correlate with the final value by {correlation:.2f}."
    )


def main() -> None:
    """Print the table and write it to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--curves",
        type=Path,
        default=_FOLDER / "learning_curves.csv",
        help="a table of your own, with the same columns",
    )
    parser.add_argument("--metric", default="ndcg_at_10", help="the column to maximise")
    parser.add_argument("--cost", default="weights_mib", help="the column to minimise, known before training")
    parser.add_argument("--orders", type=int, default=30, help="orders of candidates")
    parser.add_argument("--output", type=Path, default=_FOLDER / "early_stopping.md", help="the page to write")
    options = parser.parse_args()
    wishes = Wishes((po.maximize(options.metric), po.minimize(options.cost)), ())
    curves = read_curves(options.curves, options.metric, options.cost)
    lines = [*table(curves, wishes, options.orders), "", pull_to_the_mean(curves, epoch=2)]
    record = current_environment(measured_cores(1, 1)).to_dict()
    # Nothing here is timed, so that what else ran at the time is not known, and does not matter.
    known = {name: value for name, value in record.items() if value is not None}
    publish(results_page("Early stopping", command_of(parser, options), __doc__, lines, known), options.output)


def command_of(parser: argparse.ArgumentParser, options: argparse.Namespace) -> str:
    """The command that makes the same page; where it is written makes no difference."""
    given = {name: value for name, value in vars(options).items() if value != parser.get_default(name)}
    words = [word for name, value in given.items() if name != "output" for word in (f"--{name}", str(value))]
    return shlex.join(["python", "studies/benchmarks/early_stopping.py", *words])


if __name__ == "__main__":
    main()
