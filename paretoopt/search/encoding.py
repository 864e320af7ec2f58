"""How a sampler sees the space: ordered dimensions as integers, so that it knows which values are neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from paretoopt.errors import SpaceError
from paretoopt.space import Categorical, Dimension, Float, Int, Ordered, Params, SearchSpace, Value

_TOLERANCE = 1e-9


def suggest(trial: optuna.Trial, space: SearchSpace) -> dict[str, Value]:
    """Draw a candidate from the sampler."""
    return {name: _decode(dimension, _suggest(trial, name, dimension)) for name, dimension in space.dimensions.items()}


def encode(params: Params, space: SearchSpace) -> dict[str, Value]:
    """The Optuna parameters that :func:`suggest` reads ``params`` from."""
    return {
        _optuna_name(name, dimension): dimension.values.index(params[name])
        if isinstance(dimension, Ordered)
        else params[name]
        for name, dimension in space.dimensions.items()
    }


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """The Optuna distributions that :func:`suggest` draws from, by Optuna's name."""
    return {_optuna_name(name, dimension): _distribution(dimension) for name, dimension in space.dimensions.items()}


def decode(encoded: Mapping[str, Any], space: SearchSpace) -> dict[str, Value] | None:
    """The candidate that the Optuna parameters stand for; None where some are missing."""
    names = {name: _optuna_name(name, dimension) for name, dimension in space.dimensions.items()}
    if any(name not in encoded for name in names.values()):
        return None
    return {name: _decode(space.dimensions[name], encoded[names[name]]) for name in names}


def checked(params: Params, space: SearchSpace) -> dict[str, Value]:
    """``params`` in the order of the space, each value as its dimension writes it.

    Raises:
        SpaceError: A dimension is missing or unknown, or a value is not in it.
    """
    missing, unknown = set(space.dimensions) - set(params), set(params) - set(space.dimensions)
    if missing or unknown:
        raise SpaceError(
            f"A candidate of this study has the parameters {', '.join(space.dimensions)}, but {dict(params)} "
            + " and ".join(_complaints(missing, unknown))
            + "."
        )
    return {name: _member(name, dimension, params[name]) for name, dimension in space.dimensions.items()}


def _complaints(missing: set[str], unknown: set[str]) -> Iterator[str]:
    if missing:
        yield f"lacks {', '.join(sorted(missing))}"
    if unknown:
        yield f"has {', '.join(sorted(unknown))} besides"


def _member(name: str, dimension: Dimension, value: Value) -> Value:
    if isinstance(dimension, Ordered | Categorical):
        members: tuple[Value, ...] = tuple(
            one for one in dimension.values if one == value and isinstance(one, bool) == isinstance(value, bool)
        )
    elif not isinstance(value, int | float) or isinstance(value, bool):
        members = ()
    elif dimension.values is None:
        members = (float(value),) if dimension.low <= value <= dimension.high else ()
    else:
        members = tuple(one for one in dimension.values if abs(float(one) - value) < _TOLERANCE)
    if not members:
        raise SpaceError(f"{name}={value!r} is not in the space, where {name} is {dimension}.")
    return members[0]


def _optuna_name(name: str, dimension: Dimension) -> str:
    # A dimension's name is an identifier, so that no other one can be called like this.
    return f"{name}.index" if isinstance(dimension, Ordered) else name


def _distribution(dimension: Dimension) -> BaseDistribution:
    match dimension:
        case Ordered(values=values):
            return IntDistribution(0, len(values) - 1)
        case Categorical(values=values):
            return CategoricalDistribution(values)
        case Int(low=low, high=high, step=step):
            return IntDistribution(low, high, step=step)
        case Float(low=low, high=high, step=step):
            return FloatDistribution(low, high, step=step)


def _suggest(trial: optuna.Trial, name: str, dimension: Dimension) -> Any:  # noqa: ANN401 (Optuna's choice of type)
    optuna_name = _optuna_name(name, dimension)
    match dimension:
        case Ordered(values=values):
            return trial.suggest_int(optuna_name, 0, len(values) - 1)
        case Categorical(values=values):
            return trial.suggest_categorical(optuna_name, values)
        case Int(low=low, high=high, step=step):
            return trial.suggest_int(optuna_name, low, high, step=step)
        case Float(low=low, high=high, step=step):
            return trial.suggest_float(optuna_name, low, high, step=step)


def _decode(dimension: Dimension, drawn: Any) -> Value:  # noqa: ANN401
    value: Value = drawn
    if isinstance(dimension, Ordered):
        value = dimension.values[drawn]
    elif isinstance(dimension, Float) and dimension.step is not None and dimension.values is not None:
        # Optuna's multiples of a step carry rounding errors; a candidate's name must not.
        value = dimension.values[round((drawn - dimension.low) / dimension.step)]
    return value
