"""What does early stopping within a study save where candidates share their training?

Real learning curves (`learning_curves.py` makes them) are replayed through `study.optimize`: an evaluator plays each
epoch of a training, and remembers a training that ended, as the store does. Candidates are drawn at random, without
repeats, until the space is exhausted. Quality is maximised, the size of the weights minimised, at a risk of 0.1.

With *variants*, each training serves three candidates: the weights as they are, and two compressed forms. Their sizes,
0.27 and 0.145 of the weights, are those of 8 and 4 bits; what compression takes from the quality, 1 % and 5 %, is
assumed. *Costs known* says whether the sizes of all variants are known, or those of the candidate at work alone.

*Epochs saved* is the share of the epochs that training every curve once would take. *Members lost* is the share of the
members of the true front that are not on the front that the study has found.

    python studies/benchmarks/stage_stopping.py
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna

import paretoopt as po
from paretoopt.candidate import Evaluation, Measurements, Progress, ProgressListener, RemainingStage, StageRun
from paretoopt.errors import CandidateError
from paretoopt.front.dominance import is_nondominated
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.search.stopping_rule import StoppingRule
from paretoopt.space import Params, Value
from studies.benchmarks.early_stopping import Curve, read_curves
from studies.benchmarks.page import publish, results_page

_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "results"
OBJECTIVES = (po.maximize("quality"), po.minimize("memory_mib"))


@dataclass(frozen=True)
class Variant:
    """A compressed form: the share of memory and of quality that it keeps."""

    memory: float = 1.0
    quality: float = 1.0


WHOLE = (Variant(),)
COMPRESSED = (Variant(), Variant(0.27, 0.99), Variant(0.145, 0.95))


class ReplayedTraining:
    """Trains a curve for all its variants, one second for each epoch; sizes are known before.

    Attributes:
        n_epochs: Epochs that were trained.
    """

    metrics: Sequence[str] = ("quality", "memory_mib")
    shape_metrics: Collection[str] = ("memory_mib",)

    def __init__(self, curves: Sequence[Curve], variants: Sequence[Variant] = WHOLE, *, all_known: bool = True) -> None:
        """Prepare to train ``curves``; ``all_known`` is False to know a size only once it was asked for."""
        self.fingerprint = f"{len(curves)} curves, {len(variants)} variants"
        self.n_epochs = 0
        self._curves, self._variants = curves, variants
        self._done: set[str] = set()
        self._known: set[tuple[Value, Value]] = set()
        self._all_known = all_known

    @property
    def space(self) -> po.SearchSpace:
        """Every variant of every curve."""
        return po.SearchSpace(curve=po.Int(0, len(self._curves) - 1), variant=po.Int(0, len(self._variants) - 1))

    def values(self, params: Params) -> tuple[float, float]:
        """Quality and memory of a candidate that is trained to the end."""
        curve, variant = self._curves[int(params["curve"])], self._variants[int(params["variant"])]
        return curve.final * variant.quality, curve.cost * variant.memory

    def check(self, space: po.SearchSpace, metrics: Sequence[str]) -> None:
        """Accept all."""

    def canonical(self, params: Params) -> Mapping[str, Value]:
        """The parameters as they are."""
        return params

    def evaluate(self, params: Params, listener: ProgressListener, /) -> Evaluation:
        """Train what is not trained yet, and measure."""
        key, is_done = f"fit {params['curve']}", f"fit {params['curve']}" in self._done
        curve = self._curves[int(params["curve"])]
        if not is_done:
            self._train(key, curve, listener)
        quality, memory = self.values(params)
        runs = (StageRun("fit", key, is_done, float(len(curve.estimates)), trains=True),)
        return Evaluation({"quality": po.Measurement(quality), "memory_mib": po.Measurement(memory)}, runs)

    def costs(self, params: Params, listener: ProgressListener, /) -> Evaluation:  # noqa: ARG002
        """The memory."""
        self._known.add((params["curve"], params["variant"]))
        return Evaluation({"memory_mib": po.Measurement(self.values(params)[1])})

    def known_costs(self, params: Params, /) -> Measurements | None:
        """The memory, where it is known."""
        is_known = self._all_known or (params["curve"], params["variant"]) in self._known
        return {"memory_mib": po.Measurement(self.values(params)[1])} if is_known else None

    def costs_are_final(self, params: Params, /) -> bool:  # noqa: ARG002
        """Training changes no size."""
        return True

    def artifact_key(self, params: Params, /) -> str:
        """The candidate itself."""
        return repr(sorted(params.items()))

    def remaining(self, params: Params, /) -> tuple[RemainingStage, ...]:
        """The training of the curve, until it has ended."""
        key = f"fit {params['curve']}"
        return () if key in self._done else (RemainingStage("fit", key, {"curve": params["curve"]}),)

    def _train(self, key: str, curve: Curve, listener: ProgressListener) -> None:
        listener(Progress("fit", "started", key=key))
        for epoch, estimate in enumerate(curve.estimates, start=1):
            self.n_epochs += 1
            try:
                listener(Progress("fit", "", epoch=epoch, values={"quality": estimate.value}, key=key))
            except CandidateError as error:
                error.training_cost += epoch
                raise
        self._done.add(key)


def replay(training: ReplayedTraining, rule: StoppingRule | None, seed: int) -> po.Study:
    """The study that exhausts the space in the random order of ``seed``; no candidate is pruned by its costs."""
    study = po.create_study(
        training.space,
        objectives=OBJECTIVES,
        storage=optuna.storages.InMemoryStorage(),
        sampler=optuna.samplers.RandomSampler(seed=seed),
    )
    grid = list(training.space.grid())
    for place in np.random.default_rng(seed).permutation(len(grid)):
        study.enqueue(grid[place])
    study.optimize(training, early_stopping=rule, cost_pruning=None, progress=False)
    return study


def members_of(training: ReplayedTraining) -> list[Params]:
    """The front that training everything to the end would give."""
    grid = list(training.space.grid())
    values = np.array([training.values(params) for params in grid]) * [-1, 1]
    return [params for params, is_member in zip(grid, is_nondominated(values), strict=True) if is_member]


def row(curves: Sequence[Curve], variants: Sequence[Variant], all_known: bool, rule: StoppingRule, n: int) -> str:
    """A row of the table: means over ``n`` orders."""
    n_stopped, n_epochs, n_lost = 0, 0, 0
    n_members = len(members_of(ReplayedTraining(curves, variants)))
    for seed in range(n):
        training = ReplayedTraining(curves, variants, all_known=all_known)
        study = replay(training, rule, seed)
        found = [member.params for member in study.pareto_front().members]
        n_stopped += len({one.params["curve"] for one in study.pruned() if one.epoch})
        n_epochs += training.n_epochs
        n_lost += sum(params not in found for params in members_of(training))
    saved = 1 - n_epochs / n / sum(len(curve.estimates) for curve in curves)
    known = "all" if all_known else "its own"
    cells = (str(len(variants)), known, f"{n_stopped / n / len(curves):.0%}", f"{saved:.1%}")
    return f"| {' | '.join((*cells, f'{n_lost / n / n_members:.1%}'))} |"


def main() -> None:
    """Print the table and write it to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=20, help="orders of candidates")
    parser.add_argument("--output", type=Path, default=_FOLDER / "stage_stopping.md", help="the page to write")
    options = parser.parse_args()
    curves = read_curves(_FOLDER / "learning_curves.csv", "ndcg_at_10", "weights_mib")
    lines = [
        f"{len(curves)} trainings of {len(curves[0].estimates)} epochs; {options.orders} orders.",
        "",
        "| variants of a training | costs known | trainings stopped | epochs saved | members lost |",
        "|---:|---|---:|---:|---:|",
    ]
    for variants, all_known in ((WHOLE, True), (COMPRESSED, True), (COMPRESSED, False)):
        lines.append(row(curves, variants, all_known, po.LearningCurves(risk=0.1), options.orders))
    record = current_environment(measured_cores(1, 1)).to_dict()
    # Nothing here is timed, so that what else ran at the time is not known, and does not matter.
    known = {name: value for name, value in record.items() if value is not None}
    command = "python studies/benchmarks/stage_stopping.py"
    command += f" --orders {options.orders}" if options.orders != parser.get_default("orders") else ""
    publish(results_page("Early stopping of shared training", command, __doc__, lines, known), options.output)


if __name__ == "__main__":
    main()
