"""From a user's parameters to the canonical candidate: shorthands, defaults and checks."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from paretoopt.errors import ObjectiveError, PipelineError, SpaceError
from paretoopt.space import Float, Parameter, Params, SearchSpace, Value

SHORTHANDS: Mapping[str, tuple[str, ...]] = {
    "bits": ("linear_bits", "embedding_bits"),
    "workers": ("serving_workers", "training_workers"),
}
"""Dimensions that set several parameters at once."""


def merged(parameters: Iterable[Parameter]) -> dict[str, Parameter]:
    """The parameters by name; one that is read in several places must suit all of them.

    Raises:
        PipelineError: Two places read the same name with different defaults.
    """
    known: dict[str, Parameter] = {}
    for parameter in parameters:
        other = known.setdefault(parameter.name, parameter)
        if other.default != parameter.default:
            raise PipelineError(
                f"{parameter.name} is read with the defaults {other.default!r} and {parameter.default!r}. "
                "Give it one default everywhere."
            )
        if other.refuse is not parameter.refuse:
            known[parameter.name] = replace(other, refuse=_either(other.refuse, parameter.refuse))
    return known


def canonical(params: Params, known: Mapping[str, Parameter]) -> dict[str, Value]:
    """Every parameter of the pipeline with its value: shorthands spelt out, defaults filled in.

    A number takes the type of the default where that keeps its value, so that ``0`` and ``0.0`` are
    one candidate.

    Raises:
        SpaceError: A name is unknown, is set twice, or its value cannot be used.
    """
    given = spelt_out(params, known)
    complete = {name: given.get(name, parameter.default) for name, parameter in known.items()}
    for name, value in complete.items():
        known[name].check(value)
    return complete


def spelt_out(params: Params, known: Mapping[str, Parameter]) -> dict[str, Value]:
    """``params`` with shorthands spelt out and numbers typed, but no defaults filled in and no value checked.

    Raises:
        SpaceError: A name is unknown or set twice, or its value is none.
    """
    given: dict[str, Value] = {}
    for name, value in params.items():
        for target in targets(name, known):
            if target in given:
                raise SpaceError(f"{target} is set twice, once through a shorthand. Leave one of the two out.")
            given[target] = _typed_as(known[target].default, value)
    return given


def check_space(space: SearchSpace, known: Mapping[str, Parameter]) -> None:
    """Refuse a space with a dimension that nothing reads, or a value or default that cannot be used.

    Raises:
        SpaceError: As said, naming the dimension, the value and the remedy.
    """
    owners: dict[str, str] = {}
    for name, dimension in space.dimensions.items():
        if dimension.values is not None:
            values = dimension.values
        elif isinstance(dimension, Float):
            values = (dimension.low, dimension.high)
        for target in targets(name, known):
            if target in owners:
                raise SpaceError(f"Dimensions {owners[target]!r} and {name!r} both set {target}. Leave one out.")
            owners[target] = name
            for value in values:
                known[target].check(_typed_as(known[target].default, value))
    for name, parameter in known.items():
        if name not in owners:
            parameter.check(parameter.default)


def check_metrics(wanted: Collection[str], metrics: Collection[str]) -> None:
    """Refuse an objective or constraint on a metric that nothing measures.

    Raises:
        ObjectiveError: As said, naming the metric and those that are measured.
    """
    for metric in wanted:
        if metric not in metrics:
            raise ObjectiveError(
                f"Metric {metric!r} is not measured by this pipeline.{_suggestion(metric, metrics)} "
                f"It measures {', '.join(sorted(metrics))}."
            )


def refuse_reported_only(wanted: Collection[str], reported_only: Collection[str], metrics: Collection[str]) -> None:
    """Refuse to search by a metric that is for reports.

    Raises:
        ObjectiveError: As said, naming the metric and one to search by.
    """
    for metric in wanted:
        if metric in reported_only:
            instead = _suggestion(metric, sorted(set(metrics) - set(reported_only)))
            raise ObjectiveError(
                f"Metric {metric!r} is for reports only: a search that sees it chooses what fits the test data by "
                f"luck, and nothing is left to report. Search by a validation metric.{instead}"
            )


def targets(name: str, known: Mapping[str, Parameter]) -> tuple[str, ...]:
    """The parameters that dimension ``name`` sets.

    Raises:
        SpaceError: Nothing reads it.
    """
    if name in known:
        return (name,)
    spelt_out = tuple(target for target in SHORTHANDS.get(name, ()) if target in known)
    if not spelt_out:
        raise SpaceError(
            f"Dimension {name!r} is read by no part of this pipeline.{_suggestion(name, known)} "
            f"It reads {', '.join(known)}."
        )
    return spelt_out


def _typed_as(default: Value, value: Value) -> Value:
    if type(value) not in (int, float, str, bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise SpaceError(f"{value!r} is no parameter's value. Use a finite number, text, True or False.")
    if isinstance(value, str) or isinstance(default, str):
        return value
    typed = type(default)(value)
    return typed if typed == value else value


def _either(
    first: Callable[[Value], str | None], second: Callable[[Value], str | None]
) -> Callable[[Value], str | None]:
    return lambda value: first(value) or second(value)


def _suggestion(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
