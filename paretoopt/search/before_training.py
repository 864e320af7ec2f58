"""What is known of a candidate before it is trained, and whether that shows that it need not be."""

from __future__ import annotations

from dataclasses import dataclass

import optuna

from paretoopt.candidate import Candidate, Evaluation, ProgressListener
from paretoopt.errors import SpaceError
from paretoopt.search.cost_pruning import CostPruning, Verdict, judge
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.evaluator import CostFirst, Evaluator, attempt_costs
from paretoopt.search.records import read_candidates
from paretoopt.search.repeats_records import read_repeats_result, with_repeats
from paretoopt.space import Params


@dataclass(frozen=True)
class BeforeTraining:
    """Measures costs before training, and judges candidates by them.

    Attributes:
        study: Has the candidates that others are judged by.
        definition: What is searched.
        evaluator: Evaluates the candidates.
        cost_pruning: Which candidates are not trained because of their costs; None to train all.
        are_costs_asked: Whether costs are of use beside that.
        listener: Told what goes on.
    """

    study: optuna.Study
    definition: StudyDefinition
    evaluator: Evaluator
    cost_pruning: CostPruning | None
    are_costs_asked: bool
    listener: ProgressListener

    def costs(self, params: Params) -> Evaluation | None:
        """What is known before training; None where nothing certain is, or nothing that decides.

        Raises:
            CandidateError: The candidate cannot be built or measured.
        """
        evaluator = self.evaluator
        if (self.cost_pruning is None and not self.are_costs_asked) or not isinstance(evaluator, CostFirst):
            return None
        if not set(evaluator.shape_metrics) & set(self.definition.metrics):
            return None
        try:
            is_final = evaluator.costs_are_final(params)
        except SpaceError:
            return None  # evaluating it will fail, with the reason
        return attempt_costs(evaluator, params, self.listener) if is_final else None

    def verdict(self, params: Params, costs: Evaluation | None) -> Verdict | None:
        """Why a candidate of these costs needs no training; None where it does."""
        if costs is None or self.cost_pruning is None:
            return None
        assert isinstance(self.evaluator, CostFirst)
        return judge(params, costs.measurements, self._observed, self.evaluator, self.definition, self.cost_pruning)

    def _observed(self) -> tuple[Candidate, ...]:
        """The evaluated candidates; a mean over seeds prunes others less by luck than a single training does."""
        searched = read_candidates(self.study.get_trials(deepcopy=False))
        return with_repeats(searched, read_repeats_result(self.study))
