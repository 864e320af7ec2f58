"""From a user's parameters to the canonical candidate: shorthands, defaults and checks."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

from paretoopt.errors import ObjectiveError, SpaceError
from paretoopt.space import Float, Parameter, Params, SearchSpace, Value

SHORTHANDS: Mapping[str, tuple[str, ...]] = {
    "bits": ("linear_bits", "embedding_bits"),
    "workers": ("serving_workers", "training_workers"),
}
"""Dimensions that set several parameters at once."""


def canonical(params: Params, known: Mapping[str, Parameter]) -> dict[str, Value]:
    """Every parameter of the pipeline with its value: shorthands spelt out, defaults filled in.

    Raises:
        SpaceError: A name is unknown, is set twice, or its value cannot be used.
    """
    given: dict[str, Value] = {}
    for name, value in params.items():
        for target in targets(name, known):
            if target in given:
                raise SpaceError(f"{target} is set twice, once through a shorthand. Leave one of the two out.")
            known[target].check(value)
            given[target] = value
    return {name: given.get(name, parameter.default) for name, parameter in known.items()}


def check_space(space: SearchSpace, known: Mapping[str, Parameter]) -> None:
    """Refuse a space with a dimension that nothing reads, or a value that cannot be used.

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
                known[target].check(value)


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


def _suggestion(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
