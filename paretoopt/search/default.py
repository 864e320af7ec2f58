"""Which sampler a study uses that was given none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import optuna

from paretoopt.candidate import RemainingStage
from paretoopt.errors import CandidateError, SpaceError, StudyError
from paretoopt.search.cost_first.knowledge import Sources
from paretoopt.search.cost_first.sampler import CostFirstSampler, unfit
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.evaluator import CostFirst, Evaluator
from paretoopt.search.records import key_of
from paretoopt.search.sampler import default_sampler
from paretoopt.space import Params


@dataclass(frozen=True)
class SamplerChoice:
    """A sampler, and why it is this one.

    Attributes:
        at: Gives the sampler of each turn.
        note: Says in a sentence which one it is and why.
    """

    at: Callable[[int], optuna.samplers.BaseSampler]
    note: str


def choose_sampler(definition: StudyDefinition, evaluator: Evaluator, seed: int) -> SamplerChoice:
    """Cost first where costs can be known before training and the space can be listed, else TPE."""
    reason = unfit(definition.space, definition.objectives)
    if not isinstance(evaluator, CostFirst):
        reason = "what evaluates the candidates does not tell their costs before training"
    if reason is not None or not isinstance(evaluator, CostFirst):
        return SamplerChoice(lambda turn: default_sampler(seed, turn), f"Candidates are proposed by TPE: {reason}.")
    sampler = CostFirstSampler(
        definition.space,
        definition.objectives,
        definition.constraints,
        sources=sources_of(evaluator),
        seed=seed,
    )
    return SamplerChoice(lambda turn: sampler, "Candidates are proposed cost first.")


def sampler_to_watch_by(
    proposing: optuna.samplers.BaseSampler, definition: StudyDefinition, evaluator: Evaluator, *, is_needed: bool
) -> CostFirstSampler | None:
    """The sampler that tells how much is still to gain: the one that proposes, or else one that only watches.

    Args:
        proposing: The study's sampler.
        definition: What the study searches.
        evaluator: Evaluates its candidates.
        is_needed: Whether one is made where the study's own cannot tell; None is given else.

    Raises:
        StudyError: One is needed, and the space is not one whose candidates can all be looked at.
    """
    if isinstance(proposing, CostFirstSampler):
        return proposing
    if not is_needed:
        return None
    reason = unfit(definition.space, definition.objectives)
    if reason is not None:
        raise StudyError(
            f"until= cannot be used: {reason}. Or leave it out, and give n_trials, timeout or max_training_cost."
        )
    sources = sources_of(evaluator) if isinstance(evaluator, CostFirst) else Sources()
    return CostFirstSampler(definition.space, definition.objectives, definition.constraints, sources=sources)


def sources_of(evaluator: CostFirst) -> Sources:
    """What the evaluator knows without training; of a candidate that it refuses, nothing."""

    def costs(params: Params) -> Mapping[str, float] | None:
        try:
            known = evaluator.known_costs(params)
        except (CandidateError, SpaceError):
            return None
        return None if known is None else {name: measured.value for name, measured in known.items()}

    def artifact_key(params: Params) -> str:
        try:
            return evaluator.artifact_key(params)
        except (CandidateError, SpaceError):
            return key_of(params)

    def remaining(params: Params) -> tuple[RemainingStage, ...]:
        try:
            return evaluator.remaining(params)
        except (CandidateError, SpaceError):
            return ()

    def identity(params: Params) -> str:
        try:
            return key_of(evaluator.canonical(params)) if isinstance(evaluator, Evaluator) else key_of(params)
        except (CandidateError, SpaceError):
            return key_of(params)

    def are_final(params: Params) -> bool:
        try:
            return evaluator.costs_are_final(params)
        except (CandidateError, SpaceError):
            return True

    return Sources(costs, artifact_key, remaining, identity, frozenset(evaluator.shape_metrics), are_final)
