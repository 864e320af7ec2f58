"""What a study keeps of its finals: every finished round as it was measured, and at the end the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import optuna

from paretoopt.candidate import Candidate, Measurement, Measurements
from paretoopt.front.table import make_frame
from paretoopt.search.records import compact
from paretoopt.store.keys import content_key

if TYPE_CHECKING:
    import pandas as pd

_ROUND = "finals_round"
_RESULT = "finals"


@dataclass(frozen=True)
class Turn:
    """One measurement of a round.

    Attributes:
        number: The trial.
        is_repeat: Whether it is the second measurement of the anchor in its round.
        values: What was measured, by metric.
        devices: What names the device, by measure.
        environments: What is known of the environment, by measure.
    """

    number: int
    is_repeat: bool
    values: Mapping[str, float]
    devices: Mapping[str, str] = field(default_factory=dict)
    environments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


Round = Sequence[Turn]
"""What one round has measured, in the order in which it did."""


@dataclass(frozen=True)
class FinalsPlan:
    """What is measured in every round. Rounds of equal plans belong together, whichever process measured them.

    Attributes:
        numbers: The trials of the finalists, the anchor included.
        anchor: The trial that is there to show the drift of the machine.
        repeats_anchor: Whether it is measured twice per round, because it is a member of the front itself.
        device: Names what is measured on.
        pipeline: Names what measures.
    """

    numbers: tuple[int, ...]
    anchor: int
    repeats_anchor: bool
    device: str
    pipeline: str

    @property
    def key(self) -> str:
        """Names the plan in the study."""
        return content_key(asdict(self))[:16]

    @property
    def turns(self) -> tuple[tuple[int, bool], ...]:
        """The trials that a round measures, and whether it is for the second time."""
        repeats = ((self.anchor, True),) if self.repeats_anchor else ()
        return (*((number, False) for number in self.numbers), *repeats)


@dataclass(frozen=True)
class FinalsResult:
    """The outcome of the finals.

    Attributes:
        plan: Key of what was measured.
        anchor: The trial that showed the drift of the machine.
        n_rounds: Rounds that the values are from.
        devices: What was measured on, by measure.
        measurements: What was measured again, by the number of the trial.
        probabilities: How probable it is that the trial is not dominated by another finalist.
        set_aside: Trials that were off the front when its members were chosen for the finals.
    """

    plan: str
    anchor: int
    n_rounds: int
    devices: Mapping[str, str]
    measurements: Mapping[int, Measurements]
    probabilities: Mapping[int, float]
    set_aside: frozenset[int]


def write_round(study: optuna.Study, plan: FinalsPlan, number: int, turns: Round) -> None:
    """Keep a finished round."""
    study.set_user_attr(_name(plan.key, number), [asdict(turn) for turn in turns])


def read_rounds(study: optuna.Study, plan: str) -> list[Round]:
    """The finished rounds of the plan with that key, in their order."""
    stored: Mapping[str, Any] = study.user_attrs
    rounds: list[Round] = []
    while (name := _name(plan, len(rounds))) in stored:
        rounds.append([Turn(**fields) for fields in stored[name]])
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


def finals_record(study: optuna.Study) -> object:
    """The outcome of the last finals as it is kept; None where there were none."""
    record: object = study.user_attrs.get(_RESULT)
    return record


def read_result(study: optuna.Study) -> FinalsResult | None:
    """The outcome of the last finals; None where there were none."""
    record = study.user_attrs.get(_RESULT)
    if record is None:
        return None
    return FinalsResult(
        # Finals of earlier versions kept neither their plan nor their devices.
        plan=record.get("plan", ""),
        anchor=record["anchor"],
        n_rounds=record["n_rounds"],
        devices=record.get("devices", {}),
        measurements={
            int(trial): {metric: Measurement(*fields) for metric, fields in found.items()}
            for trial, found in record["measurements"].items()
        },
        probabilities={int(trial): probability for trial, probability in record["probabilities"].items()},
        set_aside=frozenset(record["set_aside"]),
    )


def with_finals(candidates: Iterable[Candidate], result: FinalsResult | None) -> tuple[Candidate, ...]:
    """The candidates with what the finals have measured, and where, in place of what the search had."""
    if result is None:
        return tuple(candidates)
    return tuple(_remeasured(one, result) if one.number in result.measurements else one for one in candidates)


def environments_frame(study: optuna.Study) -> pd.DataFrame:
    """Where the measurements of the last finals were taken; empty where there were none.

    Returns:
        Columns ``round``, ``number`` (the trial's), ``is_repeat``, ``measure``, ``device``, and what the measure
        keeps of its environment; one row per measurement, in the order in which they were taken.
    """
    result = read_result(study)
    rounds = [] if result is None else read_rounds(study, result.plan)[: result.n_rounds]
    rows = [
        {
            "round": index,
            "number": turn.number,
            "is_repeat": turn.is_repeat,
            "measure": measure,
            "device": device,
            **turn.environments.get(measure, {}),
        }
        for index, turns in enumerate(rounds)
        for turn in turns
        for measure, device in turn.devices.items()
    ]
    return make_frame(rows)


def _remeasured(candidate: Candidate, result: FinalsResult) -> Candidate:
    return replace(
        candidate,
        measurements={**candidate.measurements, **result.measurements[candidate.number]},
        runs=tuple(replace(run, environment=result.devices.get(run.name, run.environment)) for run in candidate.runs),
        probability_nondominated=result.probabilities[candidate.number],
    )


def _name(plan: str, number: int) -> str:
    return f"{_ROUND}:{plan}:{number}"
