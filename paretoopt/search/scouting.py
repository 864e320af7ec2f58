"""Costs are measured of what would be trained next, before it is: what was predicted of it may be wrong."""

from __future__ import annotations

import optuna
from optuna.trial import TrialState

from paretoopt.candidate import ProgressListener
from paretoopt.errors import CandidateError
from paretoopt.search.cost_first.sampler import CostFirstSampler
from paretoopt.search.evaluator import CostFirst, attempt_costs
from paretoopt.search.records import SCOUTED
from paretoopt.space import Params

MOST = 8
"""Candidates that are measured for one choice; most choices need fewer."""


class Scout:
    """Measures costs for the cost-first sampler until the candidate that it proposes has known ones.

    Training a model only to find that it is too slow is the dearest mistake of a search. The measurements are kept in
    the store; a trial remembers which were made for it, so that a study which goes on proposes what it would have.
    """

    def __init__(
        self, study: optuna.Study, sampler: CostFirstSampler, evaluator: CostFirst, listener: ProgressListener
    ) -> None:
        """Prepare; nothing is measured yet."""
        self._study = study
        self._sampler = sampler
        self._evaluator = evaluator
        self._listener = listener
        self._scouted: list[tuple[Params, dict[str, float]]] = []

    def look(self) -> None:
        """Measure what has to be known for the next choice; nothing where a candidate waits to be evaluated anyway."""
        trials = self._study.get_trials(deepcopy=False)
        if any(trial.state == TrialState.WAITING for trial in trials):
            return
        for _ in range(MOST):
            params = self._sampler.to_measure_first(trials)
            if params is None:
                return
            try:
                measured = attempt_costs(self._evaluator, params, self._listener).measurements
            except CandidateError:
                return  # it will be proposed, and fail with this reason
            costs = {metric: one.value for metric, one in measured.items()}
            self._sampler.learn_costs(params, costs)
            self._scouted.append((params, costs))

    def write(self, trial: optuna.Trial) -> None:
        """Keep with ``trial`` what was measured to choose its candidate."""
        if self._scouted:
            trial.set_user_attr(SCOUTED, [[dict(params), costs] for params, costs in self._scouted])
            self._scouted.clear()
