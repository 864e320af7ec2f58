"""An Optuna sampler that knows costs before training."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from paretoopt.candidate import Measurement
from paretoopt.errors import StudyError
from paretoopt.objectives import Constraint, Objective
from paretoopt.search.cost_first.forecast import Told
from paretoopt.search.cost_first.knowledge import KnownCosts, Sources
from paretoopt.search.cost_first.proposal import Proposer
from paretoopt.search.encoding import decode, distributions, encode
from paretoopt.search.records import DUPLICATE_OF, ENDED, FAILURE, PARAMS, POINT, SCOUTED, read_measurements, read_runs
from paretoopt.space import Params, SearchSpace

MOST_CELLS = 50_000
MOST_OBJECTIVES = 4


def unfit(space: SearchSpace, objectives: Sequence[Objective]) -> str | None:
    """Why the sampler cannot be used; None where it can."""
    n_cells = space.n_candidates
    if n_cells is None:
        return "the space has a continuous dimension, so that its candidates cannot be listed; give it a step"
    if n_cells > MOST_CELLS:
        return f"the space has {n_cells:,} candidates, more than the {MOST_CELLS:,} that can be compared each time"
    if len(objectives) > MOST_OBJECTIVES:
        return f"there are {len(objectives)} objectives, and hypervolume is expected of {MOST_OBJECTIVES} at most"
    return None


class CostFirstSampler(optuna.samplers.BaseSampler):
    """Chooses by expected hypervolume improvement per root of the cost that remains.

    Quality is modelled by a Gaussian process over the space; costs are taken as known where ``costs`` gives them.
    The first 4 trials are spread over the space, cheap ones first. What is proposed depends on ``seed``, the trials
    and the callables' answers alone, so that a study which goes on proposes what it would have proposed. Trials that
    other processes run count as if they had come out as expected. No candidate is proposed twice.

    In a plain Optuna study, draw the parameters by :func:`paretoopt.suggest`:

    >>> import optuna
    >>> from paretoopt.objectives import maximize, minimize
    >>> from paretoopt.search.encoding import suggest
    >>> from paretoopt.space import Int
    >>> space = SearchSpace(width=Int(1, 6), depth=Int(1, 6))
    >>> objectives = [maximize("quality"), minimize("size")]
    >>> sampler = CostFirstSampler(space, objectives, costs=lambda params: {"size": params["width"] * params["depth"]})
    >>> study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> def objective(trial: optuna.Trial) -> tuple[float, float]:
    ...     params = suggest(trial, space)
    ...     return params["width"] - abs(params["depth"] - 3), params["width"] * params["depth"]
    >>> study.optimize(objective, n_trials=12)
    >>> len({tuple(trial.params.values()) for trial in study.trials})
    12
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (),
        *,
        costs: KnownCosts | None = None,
        sources: Sources | None = None,
        seed: int = 0,
    ) -> None:
        """Prepare; the callables are asked at the first trial.

        Args:
            space: The candidates; finite.
            objectives: The study's, in its order.
            constraints: What a feasible candidate satisfies. Their metrics are objectives, or ``costs`` gives them, or
                a trial has them as user attributes. Without any, a trial with a positive Optuna constraint is avoided
                as one that failed is.
            costs: Gives the metrics that are known of a candidate without training it; None where it does not know
                them yet.
            sources: Everything that is known beside, and ``costs`` too where those are not given.
            seed: Varies where the search starts.

        Raises:
            StudyError: The space is continuous or too large, or there are too many objectives.
        """
        reason = unfit(space, objectives)
        if reason is not None:
            raise StudyError(f"CostFirstSampler cannot be used: {reason}. Or use an Optuna sampler.")
        self._space = space
        self._objectives = tuple(objectives)
        self._constraints = tuple(constraints)
        self._sources = sources or Sources()
        if costs is not None:
            self._sources = replace(self._sources, costs=costs)
        self._seed = seed
        self._proposer: Proposer | None = None
        self._told: dict[int, Told | None] = {}
        self._proposed: dict[int, int] = {}
        self._lock = threading.Lock()
        self._random = optuna.samplers.RandomSampler(seed=seed)

    @property
    def prediction_errors(self) -> Mapping[str, float]:
        """How far off predictions are, by metric: the median error of measured values predicted from the others.

        Relative to the value for positive costs, else in the metric's unit. Metrics that need no prediction are absent.
        """
        return {} if self._proposer is None else dict(self._proposer.errors)

    def expected_gain(self, trials: Sequence[FrozenTrial]) -> float | None:
        """The share of hypervolume that all candidates not yet evaluated are expected to add together.

        Of the hypervolume that there would be with it, from the reference point and in the scale that candidates are
        chosen by. Candidates that are evaluated now count as if they had come out as expected.

        Args:
            trials: All of the study's.

        Returns:
            A number from 0 to 1; None while too few artifacts are measured to say.
        """
        with self._lock:
            proposer = self._prepared()
            pending = self._read(trials, proposer, None)
            return proposer.expected_gain(self._evaluated(), pending)

    def to_measure_first(self, trials: Sequence[FrozenTrial]) -> Params | None:
        """A candidate whose costs decide whether what would be proposed now is worth its training.

        None where nothing is to be trained, or the costs are known. Measuring takes little beside the training. Once it
        is told to :meth:`learn_costs`, another candidate may be proposed.

        Args:
            trials: All of the study's.
        """
        with self._lock:
            proposer = self._prepared()
            pending = self._read(trials, proposer, None)
            cell = proposer.to_measure_first(self._evaluated(), pending, self._seed)
            return None if cell is None else proposer.grid.params(cell)

    def learn_costs(self, params: Params, costs: Mapping[str, float]) -> None:
        """Take in costs of a candidate that was not trained.

        Args:
            params: The candidate; one outside the space is passed over.
            costs: What was measured, by metric.
        """
        with self._lock:
            self._learn_costs(params, costs, self._prepared())

    def infer_relative_search_space(
        self,
        study: optuna.Study,  # noqa: ARG002 (Optuna's signature)
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """All dimensions of the space."""
        return distributions(self._space)

    def sample_relative(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],  # noqa: ARG002 (Optuna's signature)
    ) -> dict[str, Any]:
        """The candidate to evaluate next; nothing where none is left, so that it is drawn at random."""
        with self._lock:
            proposer = self._prepared()
            pending = self._read(study.get_trials(deepcopy=False), proposer, trial.number)
            cell = proposer.propose(self._evaluated(), pending, self._seed)
            if cell is None:
                return {}
            self._proposed[trial.number] = cell
        return dict(encode(proposer.grid.params(cell), self._space))

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:  # noqa: ANN401 (Optuna's choice of type)
        """A random value, of parameters that the space does not have."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def _prepared(self) -> Proposer:
        """The proposer, which asks the sources about all candidates when it is made."""
        if self._proposer is None:
            self._proposer = Proposer.over(self._space, self._objectives, self._constraints, self._sources)
        return self._proposer

    def _evaluated(self) -> list[Told]:
        return [one for one in self._told.values() if one is not None]

    def _read(self, trials: Sequence[FrozenTrial], proposer: Proposer, own: int | None) -> list[int]:
        """Take in the trials that ended since the last time; gives the cells that are evaluated or wait for it."""
        new = [trial for trial in trials if trial.state.is_finished() and trial.number not in self._told]
        # In the order in which they ended, which stays the same however many processes there are.
        for trial in sorted(new, key=lambda one: (one.datetime_complete, one.number)):
            self._tell(trial, proposer)
        open_cells = {
            self._cell(trial, proposer)
            for trial in trials
            if trial.state in (TrialState.RUNNING, TrialState.WAITING) and trial.number != own
        }
        return sorted(cell for cell in open_cells if cell is not None)

    def _learn_costs(self, params: Params, costs: Mapping[str, float], proposer: Proposer) -> None:
        cell = proposer.grid.cell(params)
        if cell is not None:
            proposer.knowledge.learn_costs(cell, costs)

    def _tell(self, trial: FrozenTrial, proposer: Proposer) -> None:
        for params, costs in trial.user_attrs.get(SCOUTED, ()):
            self._learn_costs(params, costs, proposer)
        cell = self._cell(trial, proposer)
        self._proposed.pop(trial.number, None)
        self._told[trial.number] = None
        if cell is None or (ENDED in trial.user_attrs and FAILURE not in trial.user_attrs):
            return  # nothing was learned of the candidate, which is evaluated again
        measurements = self._measurements(trial)
        failed = DUPLICATE_OF not in trial.user_attrs and (
            FAILURE in trial.user_attrs
            or (trial.state != TrialState.COMPLETE and not measurements)
            or (not self._constraints and any(violation > 0 for violation in trial.constraints.values()))
        )
        metrics = proposer.knowledge.cost_metrics
        costs = {name: measured.value for name, measured in measurements.items() if name in metrics}
        proposer.knowledge.learn(cell, costs, read_runs(trial))
        self._told[trial.number] = Told(cell, measurements, failed)

    def _measurements(self, trial: FrozenTrial) -> Mapping[str, Measurement]:
        stored = read_measurements(trial)
        if stored or trial.state != TrialState.COMPLETE:
            return stored
        values = trial.values or ()
        measured = {one.metric: Measurement(value) for one, value in zip(self._objectives, values, strict=False)}
        limited = {one.metric for one in self._constraints} & trial.user_attrs.keys()
        return {name: Measurement(float(trial.user_attrs[name])) for name in sorted(limited)} | measured

    def _cell(self, trial: FrozenTrial, proposer: Proposer) -> int | None:
        params = trial.user_attrs.get(POINT) or decode(trial.params, self._space) or trial.user_attrs.get(PARAMS)
        if params is None:
            return self._proposed.get(trial.number)
        return proposer.grid.cell(params)
