"""What a rule for early stopping is shown of the stages that a study trains, and of the candidates that need them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from paretoopt.candidate import Candidate, Measurement, Measurements
from paretoopt.front.feasibility import is_feasible
from paretoopt.search.stage_curves import StageCurve
from paretoopt.search.watched import Estimate, Watched, Wishes

_Z_95 = 1.959964


def judged(curve: StageCurve, costs: Mapping[str, Estimate]) -> Watched:
    """A candidate that needs the stage of ``curve``, with its known costs."""
    return Watched(-1, costs, _reports(curve), is_reference=curve.is_reference)


def trained_stages(
    curves: Iterable[StageCurve], candidates: Sequence[Candidate], wishes: Wishes, costs: Mapping[int, Measurements]
) -> list[Watched]:
    """What the trainings of one kind of stage looked like, and what they came to.

    A stage that ended came to the best that is known of it: its own best epoch, or a candidate that was made with it.
    So the quality before compression stands for what the compressed variants can come to, and where training goes on
    after pruning and brings more, that counts.

    Args:
        curves: Of stages of one name.
        candidates: All that were evaluated.
        wishes: Objectives and constraints.
        costs: What is known of the costs of the trials that trained them, by number.
    """
    made: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        for run in candidate.runs:
            made.setdefault(run.key, []).append(candidate)
    return [
        Watched(
            curve.trial if curve.trial is not None else -1,
            estimates(costs.get(curve.trial, {}) if curve.trial is not None else {}, wishes.metrics),
            _reports(curve),
            finals=_finals(curve, made.get(curve.key, ()), wishes) if curve.state == "finished" else None,
            is_feasible=False,  # a stage dominates nobody; the candidates that were made with it may
            is_reference=curve.is_reference and curve.state != "stopped",
        )
        for curve in curves
    ]


def rivals(candidates: Iterable[Candidate], wishes: Wishes, exact: Collection[str]) -> list[Watched]:
    """The evaluated candidates, which may dominate one that is judged.

    Args:
        candidates: All that were evaluated.
        wishes: Objectives and constraints.
        exact: Metrics whose errors do not count: those of quality, which all candidates share with their users.
    """
    return [
        Watched(
            one.number,
            estimates(one.measurements, wishes.metrics, exact),
            finals={goal.metric: one.measurements[goal.metric].value for goal in wishes.objectives},
            is_feasible=is_feasible(one, wishes.objectives, wishes.constraints),
        )
        for one in candidates
    ]


def estimates(measurements: Measurements, wanted: Collection[str], exact: Collection[str] = ()) -> dict[str, Estimate]:
    """The wanted ones of ``measurements``, with a standard error where their interval tells it."""
    found = {metric: measurements[metric] for metric in wanted if metric in measurements}
    return {
        metric: Estimate(one.value, 0.0 if metric in exact else _standard_error(one)) for metric, one in found.items()
    }


def _standard_error(measurement: Measurement) -> float:
    if measurement.low is None or measurement.high is None:
        return 0.0
    return (measurement.high - measurement.low) / (2 * _Z_95)


def _reports(curve: StageCurve) -> dict[int, dict[str, Estimate]]:
    return {
        epoch: {metric: Estimate(value) for metric, value in values.items()} for epoch, values in curve.reports.items()
    }


def _finals(curve: StageCurve, made: Iterable[Candidate], wishes: Wishes) -> dict[str, float]:
    """The best value of each metric that the curve has, of its epochs and of what was made with the stage."""
    values: dict[str, list[float]] = {}
    for report in (*curve.reports.values(), *({name: one.value for name, one in m.measurements.items()} for m in made)):
        for metric, value in report.items():
            values.setdefault(metric, []).append(value)
    reported = {metric for report in curve.reports.values() for metric in report}
    return {metric: min(values[metric], key=lambda value: wishes.sign(metric) * value) for metric in reported}
