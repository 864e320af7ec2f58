"""What a study keeps of its finals: every finished round as it was measured, and at the end the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import optuna

from paretoopt.candidate import Candidate, Measurement, Measurements
from paretoopt.search.records import compact
from paretoopt.store.keys import content_key

Round = Mapping[int, Mapping[str, float]]
"""What one round has measured, by the number of the trial and the metric."""

_ROUND = "finals_round"
_RESULT = "finals"


@dataclass(frozen=True)
class FinalsPlan:
    """What is measured in every round. Rounds of equal plans belong together, whichever process measured them.

    Attributes:
        numbers: The trials of the finalists, the anchor included.
        anchor: The trial that shows the drift of the machine.
        device: Names what is measured on.
        pipeline: Names what measures.
    """

    numbers: tuple[int, ...]
    anchor: int
    device: str
    pipeline: str

    @property
    def key(self) -> str:
        """Names the plan in the study."""
        return content_key(asdict(self))[:16]


@dataclass(frozen=True)
class FinalsResult:
    """The outcome of the finals.

    Attributes:
        anchor: The trial that showed the drift of the machine.
        n_rounds: Rounds that the values are from.
        device: Names what was measured on.
        measurements: What was measured again, by the number of the trial.
        probabilities: How probable it is that the trial is not dominated by another finalist.
        set_aside: Trials that were off the front when its members were chosen for the finals.
    """

    anchor: int
    n_rounds: int
    device: str
    measurements: Mapping[int, Measurements]
    probabilities: Mapping[int, float]
    set_aside: frozenset[int]


def write_round(study: optuna.Study, plan: FinalsPlan, number: int, values: Round) -> None:
    """Keep a finished round."""
    study.set_user_attr(f"{_ROUND}:{plan.key}:{number}", {str(trial): dict(found) for trial, found in values.items()})


def read_rounds(study: optuna.Study, plan: FinalsPlan) -> list[Round]:
    """The finished rounds of the plan, in their order."""
    stored: Mapping[str, Any] = study.user_attrs
    rounds: list[Round] = []
    while (name := f"{_ROUND}:{plan.key}:{len(rounds)}") in stored:
        rounds.append({int(trial): found for trial, found in stored[name].items()})
    return rounds


def write_result(study: optuna.Study, result: FinalsResult) -> None:
    """Keep the outcome; an older one is replaced."""
    record = {
        **asdict(result),
        "measurements": {
            str(trial): {metric: compact(measurement) for metric, measurement in found.items()}
            for trial, found in result.measurements.items()
        },
        "probabilities": {str(trial): probability for trial, probability in result.probabilities.items()},
        "set_aside": sorted(result.set_aside),
    }
    study.set_user_attr(_RESULT, record)


def read_result(study: optuna.Study) -> FinalsResult | None:
    """The outcome of the last finals; None where there were none."""
    record = study.user_attrs.get(_RESULT)
    if record is None:
        return None
    return FinalsResult(
        anchor=record["anchor"],
        n_rounds=record["n_rounds"],
        device=record["device"],
        measurements={
            int(trial): {metric: Measurement(*fields) for metric, fields in found.items()}
            for trial, found in record["measurements"].items()
        },
        probabilities={int(trial): probability for trial, probability in record["probabilities"].items()},
        set_aside=frozenset(record["set_aside"]),
    )


def with_finals(candidates: Iterable[Candidate], result: FinalsResult | None) -> tuple[Candidate, ...]:
    """The candidates with what the finals have measured in place of what the search had."""
    if result is None:
        return tuple(candidates)
    return tuple(
        replace(
            candidate,
            measurements={**candidate.measurements, **result.measurements.get(candidate.number, {})},
            probability_nondominated=result.probabilities.get(candidate.number),
        )
        for candidate in candidates
    )
