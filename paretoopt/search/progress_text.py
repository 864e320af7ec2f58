"""What the progress display says, as plain sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from paretoopt.candidate import StageRun
from paretoopt.durations import duration_text
from paretoopt.front.dominance import is_nondominated
from paretoopt.front.hypervolume_share import hypervolume_share
from paretoopt.front.training_cost import TrainingCost
from paretoopt.objectives import Objective
from paretoopt.search.ledger import Ledger
from paretoopt.space import Params


def summary(values: Sequence[Sequence[float]], objectives: Sequence[Objective]) -> str:
    """The front's size, its hypervolume, and the best feasible value of each objective, in one line.

    The hypervolume is that of all feasible candidates so far, as
    :func:`paretoopt.front.hypervolume_share.hypervolume_share` has it: the report shows the same.
    """
    if not values:
        return "no feasible candidate yet"
    signs = np.array([objective.sign for objective in objectives])
    costs = np.array(values, dtype=np.float64) * signs
    best = (f"{objective} {value:.4g}" for objective, value in zip(objectives, costs.min(axis=0) * signs, strict=True))
    # A single candidate spans no box.
    share = f", hypervolume {hypervolume_share(costs):.3f}" if len(values) > 1 else ""
    return f"front of {is_nondominated(costs).sum()}{share}, best {', '.join(best)}"


def counts(ledger: Ledger) -> str:
    """How many trials failed, were pruned, or were measured without any training of their own; each where any did."""
    named = ((ledger.n_failed, "failed"), (ledger.n_pruned, "pruned"), (ledger.n_reused, "reused"))
    return " · ".join(f"{n} {word}" for n, word in named if n)


def still_to_gain(share: float | None) -> str:
    """The share of hypervolume that is expected still to gain; empty where it is not known.

    >>> still_to_gain(0.0041)
    '0.41 % of hypervolume still to gain'
    """
    return "" if share is None else f"{100 * share:.2g} % of hypervolume still to gain"


def training(cost: TrainingCost) -> str:
    """The training spent, against what training each trial alone would have cost; empty where nothing trains."""
    if not cost.alone:
        return ""
    factor = f", {cost.alone / cost.spent:.1f} times as long" if cost.alone > cost.spent > 0 else ""
    return f"training {duration_text(cost.spent)}; each trial alone {duration_text(cost.alone)}{factor}"


def reuse(runs: Sequence[StageRun]) -> str:
    """How many of a trial's outputs were in the store already; empty where it has none."""
    return f"{sum(run.reused for run in runs)} of {len(runs)} outputs reused" if runs else ""


def short(params: Params) -> str:
    """The candidate in one line."""
    values = {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in params.items()}
    return " ".join(f"{name}={value}" for name, value in values.items())


def joined(*parts: str) -> str:
    """The parts that say something, in one line."""
    return " · ".join(part for part in parts if part)


def seconds_left(elapsed: float, n_done: int, n_left: int | None, until_deadline: float | None) -> float | None:
    """How long the study goes on: at its pace so far, or until its deadline, whichever is less; None if not known.

    Args:
        elapsed: Seconds that it has been running.
        n_done: Candidates evaluated in that time.
        n_left: Candidates still to evaluate; None where there is no such limit.
        until_deadline: Seconds that it may go on; None for no limit.

    >>> seconds_left(60.0, 3, 6, None), seconds_left(60.0, 3, 6, 100.0), seconds_left(60.0, 0, 6, None)
    (120.0, 100.0, None)
    """
    at_this_pace = elapsed / n_done * n_left if n_done and n_left is not None else None
    known = [one for one in (at_this_pace, until_deadline) if one is not None]
    return max(min(known), 0.0) if known else None
