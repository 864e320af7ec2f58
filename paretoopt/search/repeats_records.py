"""What a study keeps of its repeats: each training from another seed when it is done, and at the end the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import optuna

from paretoopt.candidate import Candidate, Measurement, Measurements
from paretoopt.front.luck import Luck, Made, Spread
from paretoopt.search.finals_records import FinalsResult
from paretoopt.search.records import compact

_REPEAT = "repeat"
_RESULT = "repeats"


@dataclass(frozen=True)
class Repeat:
    """A candidate trained again from another seed.

    Attributes:
        number: The trial.
        seed: What it was trained from.
        measurements: Its quality; empty where the training failed.
        n_trained: Models that were newly trained for it.
        training_cost: Worker-seconds that this took.
        failure: Why it failed; None where it did not.
    """

    number: int
    seed: int
    measurements: Measurements
    n_trained: int = 0
    training_cost: float = 0.0
    failure: str | None = None


@dataclass(frozen=True)
class RepeatsResult:
    """The outcome of the repeats.

    Attributes:
        measurements: Means over the seeds, with intervals that hold for seeds and users, by trial.
        probabilities: How probable it is that the trial is feasible and not dominated, by trial.
        made: How the trials came about, and the number of their seeds.
        luck: What is known of the luck of training, by metric.
        finals: The finals whose measurements were known: the key of their plan, and their rounds.
    """

    measurements: Mapping[int, Measurements]
    probabilities: Mapping[int, float]
    made: Mapping[int, Made]
    luck: Mapping[str, Luck]
    finals: tuple[str, int] | None = None


def write_repeat(study: optuna.Study, repeat: Repeat) -> None:
    """Keep a finished repeat."""
    record = {**asdict(repeat), "measurements": _compacted(repeat.measurements)}
    study.set_user_attr(f"{_REPEAT}:{repeat.number}:{repeat.seed}", record)


def read_repeats(study: optuna.Study) -> list[Repeat]:
    """All finished repeats, by trial and seed."""
    records = [record for name, record in study.user_attrs.items() if name.startswith(f"{_REPEAT}:")]
    repeats = [Repeat(**record | {"measurements": _read(record["measurements"])}) for record in records]
    return sorted(repeats, key=lambda repeat: (repeat.number, repeat.seed))


def write_repeats_result(study: optuna.Study, result: RepeatsResult) -> None:
    """Keep the outcome; an older one is replaced."""
    record = {
        **asdict(result),
        "measurements": {str(trial): _compacted(found) for trial, found in result.measurements.items()},
        "probabilities": {str(trial): probability for trial, probability in result.probabilities.items()},
        "made": {str(trial): asdict(made) for trial, made in result.made.items()},
    }
    study.set_user_attr(_RESULT, record)


def repeats_record(study: optuna.Study) -> object:
    """The outcome of the last repeats as it is kept; None where there were none."""
    record: object = study.user_attrs.get(_RESULT)
    return record


def read_repeats_result(study: optuna.Study) -> RepeatsResult | None:
    """The outcome of the last repeats; None where there were none."""
    record = study.user_attrs.get(_RESULT)
    if record is None:
        return None
    return RepeatsResult(
        measurements={int(trial): _read(found) for trial, found in record["measurements"].items()},
        probabilities={int(trial): probability for trial, probability in record["probabilities"].items()},
        made={int(trial): Made(**made) for trial, made in record["made"].items()},
        luck={
            metric: Luck(Spread(**luck["of_trainings"]), Spread(**luck["of_artifacts"]), luck["unknown"])
            for metric, luck in record["luck"].items()
        },
        finals=None if record["finals"] is None else (record["finals"][0], record["finals"][1]),
    )


def with_repeats(candidates: Iterable[Candidate], result: RepeatsResult | None) -> tuple[Candidate, ...]:
    """The candidates with means over seeds in place of what a single training gave."""
    if result is None:
        return tuple(candidates)
    return tuple(_repeated(one, result) if one.number in result.measurements else one for one in candidates)


def with_probabilities(
    candidates: Iterable[Candidate], result: RepeatsResult | None, finals: FinalsResult | None
) -> tuple[Candidate, ...]:
    """The candidates with the probabilities of the repeats, where these knew what the last finals measured."""
    if result is None or result.finals != finals_known(finals):
        return tuple(candidates)
    return tuple(
        replace(one, probability_nondominated=result.probabilities.get(one.number, one.probability_nondominated))
        for one in candidates
    )


def finals_known(finals: FinalsResult | None) -> tuple[str, int] | None:
    """Names the finals."""
    return None if finals is None else (finals.plan, finals.n_rounds)


def _repeated(candidate: Candidate, result: RepeatsResult) -> Candidate:
    return replace(
        candidate,
        measurements={**candidate.measurements, **result.measurements[candidate.number]},
        n_seeds=result.made[candidate.number].n_seeds,
    )


def _compacted(measurements: Measurements) -> dict[str, Any]:
    return {metric: compact(measurement) for metric, measurement in measurements.items()}


def _read(record: Mapping[str, Any]) -> Measurements:
    return {metric: Measurement(*fields) for metric, fields in record.items()}
