"""The search space: named dimensions, the candidates they span, and what a stage accepts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from paretoopt.errors import SpaceError

Value = int | float | str | bool
"""What one parameter can be."""

Params = Mapping[str, Value]
"""One candidate: a value for each parameter name."""


@dataclass(frozen=True, init=False)
class Ordered:
    """Values in a meaningful order, such as ``Ordered(16, 32, 64, 128)``.

    Samplers see the position in the list, so that neighbours are known to be alike.

    Raises:
        SpaceError: No value is given, one is given twice (``1``, ``1.0`` and ``True`` are the same
            value), or one is neither a finite number nor text.
    """

    values: tuple[Value, ...]

    def __init__(self, *values: Value) -> None:
        """Keep ``values`` in the order given."""
        object.__setattr__(self, "values", _distinct("Ordered", values))


@dataclass(frozen=True, init=False)
class Categorical:
    """Values without an order, such as ``Categorical("uniform", "global")``.

    Raises:
        SpaceError: No value is given, one is given twice (``1``, ``1.0`` and ``True`` are the same
            value), or one is neither a finite number nor text.
    """

    values: tuple[Value, ...]

    def __init__(self, *values: Value) -> None:
        """Keep ``values`` as the choices."""
        object.__setattr__(self, "values", _distinct("Categorical", values))


@dataclass(frozen=True)
class Int:
    """Whole numbers ``low, low + step, ..., high``, both ends included.

    Raises:
        SpaceError: The range is empty, or ``step`` does not lead from ``low`` to ``high``.
    """

    low: int
    high: int
    step: int = 1

    def __post_init__(self) -> None:
        """Refuse a range that is empty or uneven."""
        for name, number in (("low", self.low), ("high", self.high), ("step", self.step)):
            if type(number) is not int:
                raise SpaceError(f"Int needs whole numbers, but got {name}={number!r}. Use Float for the others.")
        _check_range("Int", self.low, self.high, self.step)

    @property
    def values(self) -> tuple[Value, ...]:
        """Every value, in order."""
        return tuple(range(self.low, self.high + 1, self.step))


@dataclass(frozen=True)
class Float:
    """Real numbers from ``low`` to ``high``, continuous or in steps of ``step``.

    Raises:
        SpaceError: The range is empty, or ``step`` does not lead from ``low`` to ``high``.
    """

    low: float
    high: float
    step: float | None = None

    def __post_init__(self) -> None:
        """Refuse a range that is empty or uneven; ``Float(0, 1)`` is ``Float(0.0, 1.0)``."""
        _check_range("Float", self.low, self.high, self.step)
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))
        object.__setattr__(self, "step", None if self.step is None else float(self.step))

    @property
    def values(self) -> tuple[Value, ...] | None:
        """Every value, in order; None where the range is continuous."""
        if self.step is None:
            return None
        n_steps = round((self.high - self.low) / self.step)
        return tuple(round(self.low + i * self.step, 12) for i in range(n_steps + 1))


Dimension = Ordered | Categorical | Int | Float
"""A kind of dimension that a sampler can draw from."""


@dataclass(frozen=True)
class Parameter:
    """A parameter that a build function, stage or measure reads.

    Attributes:
        name: The dimension's name, for example ``"embedding_dim"``.
        default: The value used where the search space leaves the parameter out.
        refuse: Gives the reason why a value cannot be used, or None where it can.
    """

    name: str
    default: Value
    refuse: Callable[[Value], str | None] = lambda value: None

    def check(self, value: Value) -> None:
        """Raise SpaceError where ``value`` cannot be used."""
        if isinstance(value, str) != isinstance(self.default, str):
            raise SpaceError(f"{self.name}={value!r} cannot be used: it has to be like its default, {self.default!r}.")
        reason = self.refuse(value)
        if reason is not None:
            raise SpaceError(f"{self.name}={value!r} cannot be used: {reason}")


class SearchSpace:
    """The candidates to search: every combination of the dimensions' values.

    >>> space = SearchSpace(embedding_dim=Ordered(16, 32), serving_workers=Int(1, 2))
    >>> space.n_candidates
    4

    Raises:
        SpaceError: There is no dimension, or something that is not one.
    """

    def __init__(self, **dimensions: Dimension) -> None:
        """Name each dimension by its keyword."""
        if not dimensions:
            raise SpaceError("A SearchSpace needs at least one dimension, for example embedding_dim=Ordered(16, 32).")
        for name, dimension in dimensions.items():
            if not isinstance(dimension, Dimension):
                raise SpaceError(
                    f"Dimension {name!r} is {dimension!r}, which is no kind of dimension. "
                    "Use Ordered, Categorical, Int or Float; leave it out of the space to keep its default."
                )
        self.dimensions: Mapping[str, Dimension] = MappingProxyType(dict(dimensions))

    @property
    def n_candidates(self) -> int | None:
        """The number of distinct candidates; None where a dimension is continuous."""
        sizes = [dimension.values for dimension in self.dimensions.values()]
        if any(values is None for values in sizes):
            return None
        return math.prod(len(values) for values in sizes if values is not None)

    def grid(self) -> Iterator[dict[str, Value]]:
        """Every candidate, the last dimension varying fastest.

        Raises:
            SpaceError: A dimension is continuous, so that the grid has no end.
        """
        axes = []
        for name, dimension in self.dimensions.items():
            if dimension.values is None:
                raise SpaceError(f"{name} is continuous, so its values cannot be listed. Give it a step.")
            axes.append(dimension.values)
        for values in itertools.product(*axes):
            yield dict(zip(self.dimensions, values, strict=True))

    def describe(self) -> dict[str, str]:
        """Each dimension in words; two spaces are the same exactly when these are equal."""
        return {name: repr(dimension) for name, dimension in self.dimensions.items()}

    def __eq__(self, other: object) -> bool:
        """Two spaces are equal when their dimensions are, whatever their order."""
        return isinstance(other, SearchSpace) and self.describe() == other.describe()

    def __hash__(self) -> int:
        """Equal spaces hash alike."""
        return hash(frozenset(self.describe().items()))

    def __repr__(self) -> str:
        """The call that makes this space."""
        inner = ", ".join(f"{name}={dimension!r}" for name, dimension in self.dimensions.items())
        return f"SearchSpace({inner})"


def _distinct(kind: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
    if not values:
        raise SpaceError(f"{kind} needs at least one value, for example {kind}(16, 32, 64).")
    for value in values:
        if type(value) not in (int, float, str, bool) or (isinstance(value, float) and not math.isfinite(value)):
            raise SpaceError(
                f"{kind} takes finite numbers, text, True and False, one by one, but got {value!r}. "
                f"Write {kind}(16, 32), and {kind}(*array.tolist()) for an array."
            )
    if len(set(values)) < len(values):
        raise SpaceError(f"{kind}{values} names a value twice. Leave one out.")
    return values


def _check_range(kind: str, low: float, high: float, step: float | None) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise SpaceError(f"{kind} needs finite bounds, but got low={low} and high={high}.")
    if low > high:
        raise SpaceError(
            f"{kind} needs low <= high, but got low={low} and high={high}. "
            "Swap the bounds, or leave the parameter out of the space to fix it."
        )
    if step is None:
        return
    if not (math.isfinite(step) and step > 0):
        raise SpaceError(f"{kind} needs a positive step, but got step={step}.")
    n_steps = (high - low) / step
    if abs(n_steps - round(n_steps)) > 1e-9:
        raise SpaceError(
            f"{kind} needs a step that leads from low to high, but step={step} from {low} never reaches {high}. "
            f"Use high={low + math.floor(n_steps) * step:g}, or another step."
        )
