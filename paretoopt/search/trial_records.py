"""Every trial in a few words: what was tried, what came out, and why it ended early where it did."""

from __future__ import annotations

from dataclasses import dataclass, field

from optuna.trial import FrozenTrial

from paretoopt.candidate import Measurements
from paretoopt.search.encoding import decode
from paretoopt.search.pruned import PRUNED
from paretoopt.search.records import DUPLICATE_OF, ENDED, FAILURE, PARAMS, POINT, read_measurements
from paretoopt.space import Params, SearchSpace


@dataclass(frozen=True)
class TrialRecord:
    """A trial of a study.

    Attributes:
        number: Its number.
        params: The configuration; empty where none was drawn yet.
        measurements: What was measured.
        state: Optuna's word for how it stands: ``complete``, ``pruned``, ``fail``, ``running`` or ``waiting``.
        seconds: From its start to its end; None where it has not ended.
        reason: Why it is not complete; empty where it is, or goes on.
    """

    number: int
    params: Params
    measurements: Measurements = field(default_factory=dict)
    state: str = "complete"
    seconds: float | None = None
    reason: str = ""


def read_trial(trial: FrozenTrial, space: SearchSpace) -> TrialRecord:
    """The record of a trial that draws from ``space``."""
    stored = trial.user_attrs
    return TrialRecord(
        trial.number,
        stored.get(PARAMS) or stored.get(POINT) or decode(trial.params, space) or {},
        read_measurements(trial),
        trial.state.name.lower(),
        None if trial.duration is None else trial.duration.total_seconds(),
        _reason(trial),
    )


def _reason(trial: FrozenTrial) -> str:
    stored = trial.user_attrs
    if PRUNED in stored:
        return str(stored[PRUNED]["reason"])
    if DUPLICATE_OF in stored:
        return f"the same candidate as trial {stored[DUPLICATE_OF]}"
    return str(stored.get(FAILURE) or stored.get(ENDED) or "")
