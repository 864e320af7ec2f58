"""The learning curves of the stages that a study's trials have trained, kept with the trials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from paretoopt.search.pruned import PRUNED

_CURVES = "early_stopping:stages"
# A stage whose training ended counts more than one that was stopped, where two trials have trained it.
_ORDER = ("stopped", "running", "finished")


@dataclass(frozen=True)
class StageCurve:
    """One training of one stage.

    Attributes:
        key: Content address of the stage's output.
        name: The stage's name; curves are compared with those of the same name.
        is_reference: Whether it goes on whatever it looks like.
        reports: What each epoch came to, by epoch and metric; epochs rise.
        state: Whether it goes on, has ended, or was stopped early.
        trial: Number of the trial that has trained it.
    """

    key: str
    name: str
    is_reference: bool
    reports: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    state: Literal["running", "finished", "stopped"] = "running"
    trial: int | None = None


def write_curves(trial: optuna.Trial, curves: Sequence[StageCurve]) -> None:
    """Keep with a running trial all that its stages have reported so far."""
    trial.set_user_attr(_CURVES, [_record(curve) for curve in curves])


def read_curves(trials: Iterable[FrozenTrial]) -> dict[str, StageCurve]:
    """The curve of each stage, by key, that was trained or is; one that was cut short or failed is left out."""
    found: dict[str, StageCurve] = {}
    for curve in (curve for trial in trials for curve in _curves_of(trial)):
        other = found.get(curve.key)
        if other is None or _ORDER.index(curve.state) >= _ORDER.index(other.state):
            found[curve.key] = curve
    return found


def _record(curve: StageCurve) -> list[Any]:
    reports = [[epoch, dict(values)] for epoch, values in curve.reports.items()]
    return [curve.key, curve.name, curve.is_reference, reports, curve.state]


def _curves_of(trial: FrozenTrial) -> Iterator[StageCurve]:
    for key, name, is_reference, reports, stored in trial.user_attrs.get(_CURVES, ()):
        state = _state(trial, key, stored)
        if state is not None:
            yield StageCurve(key, name, is_reference, dict(reports), state, trial.number)


def _state(trial: FrozenTrial, key: str, stored: str) -> Literal["running", "finished", "stopped"] | None:
    if stored == "finished" or trial.state == TrialState.COMPLETE:
        return "finished"
    if trial.state == TrialState.RUNNING:
        return "running"
    return "stopped" if trial.user_attrs.get(PRUNED, {}).get("key") == key else None
