"""Clicks: impressions with categorical and numeric fields, each clicked or not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.data.content import counted, fingerprint_of, read_only
from paretoopt.errors import DataError

UNKNOWN = 0
"""The id, in every field, of values that training did not see, or saw too seldom."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Impressions:
    """Rows of one part of the data. The arrays cannot be written to.

    Attributes:
        labels: 1 for a click, 0 for none; int64 of shape ``(n_rows,)``.
        categories: The id of each categorical field's value, from 0 within each field; int64 of shape
            ``(n_rows, n_categorical)``.
        numbers: Numeric fields, transformed; float32 of shape ``(n_rows, n_numeric)``.
    """

    labels: NDArray[np.int64]
    categories: NDArray[np.int64]
    numbers: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Freeze the content."""
        for name in ("labels", "categories", "numbers"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.labels)

    def __reduce__(self) -> tuple[Callable[[], Impressions], tuple[()]]:
        """Pickle through the constructor, so that a copy in another process is read-only too."""
        return partial(Impressions, labels=self.labels, categories=self.categories, numbers=self.numbers), ()


@dataclass(frozen=True)
class NumericField:
    """How a numeric field is transformed: ``(sign(x) log(1 + |x|) - mean) / deviation``, and 0 where it is missing.

    Attributes:
        name: Of the field.
        mean: Of the training rows' logarithms.
        deviation: Their standard deviation, above 0.
    """

    name: str
    mean: float
    deviation: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Clicks:
    """Impressions for training, validation and test, in ids that training rows alone decide.

    `load_clicks` and `synthetic_clicks` make them.

    Attributes:
        train: What models learn from.
        validation: What searches see.
        test: What is reported.
        vocabularies: For each categorical field the values with an id of their own, as text: entry ``i`` has id
            ``i + 1``, and everything else has id 0.
        numeric_fields: The numeric fields, in the order of the columns of ``numbers``.
        name: What the data are called in messages and reports.
        repairs: How often each repair was made to what was read; empty where none was needed.

    Raises:
        DataError: A part is empty, has one label only, or does not fit the fields.
    """

    train: Impressions
    validation: Impressions
    test: Impressions
    vocabularies: Mapping[str, tuple[str, ...]]
    numeric_fields: tuple[NumericField, ...] = ()
    name: str = "clicks"
    repairs: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Freeze the content and check that it fits together."""
        object.__setattr__(self, "vocabularies", MappingProxyType(dict(self.vocabularies)))
        object.__setattr__(self, "repairs", counted(self.repairs))
        for name in ("train", "validation", "test"):
            _check(self, name, getattr(self, name))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of ids of each categorical field, the unknown one included."""
        return tuple(len(vocabulary) + 1 for vocabulary in self.vocabularies.values())

    @property
    def categorical_fields(self) -> tuple[str, ...]:
        """The names of the categorical fields, in the order of the columns of ``categories``."""
        return tuple(self.vocabularies)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content; the name and the repairs do not count."""
        described = json.dumps([[*self.vocabularies.items()], [vars(each) for each in self.numeric_fields]])
        arrays = [
            array
            for part in (self.train, self.validation, self.test)
            for array in (part.labels, part.categories, part.numbers)
        ]
        return fingerprint_of("clicks-1", np.array([described], dtype=object), *arrays)

    def __repr__(self) -> str:
        """The sizes, and what was repaired."""
        rows = " + ".join(str(len(part)) for part in (self.train, self.validation, self.test))
        kinds = f"{len(self.vocabularies)} categorical and {len(self.numeric_fields)} numeric fields"
        repairs = "".join(f", {count} {name}" for name, count in self.repairs.items())
        return f"<Clicks {self.name!r}: {rows} rows, {kinds}, {sum(self.sizes)} ids{repairs}>"

    def __reduce__(self) -> tuple[Callable[[], Clicks], tuple[()]]:
        """Pickle through the constructor, which freezes the copy too."""
        values: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}  # of every field's type
        plain = {"vocabularies": dict(self.vocabularies), "repairs": dict(self.repairs)}
        return partial(Clicks, **{**values, **plain}), ()


def _check(clicks: Clicks, name: str, part: Impressions) -> None:
    if not clicks.vocabularies:
        raise DataError(f"{clicks.name} has no categorical field. Give it at least one.")
    n_rows = len(part)
    shapes = (part.labels.shape, part.categories.shape, part.numbers.shape)
    wanted = ((n_rows,), (n_rows, len(clicks.vocabularies)), (n_rows, len(clicks.numeric_fields)))
    if shapes != wanted:
        raise DataError(f"{clicks.name}: the {name} arrays have shapes {shapes}, but the fields ask for {wanted}.")
    if np.unique(part.labels).tolist() != [0, 1]:
        raise DataError(
            f"{clicks.name}: the {n_rows} {name} rows must hold clicks (1) and non-clicks (0), but hold "
            f"{np.unique(part.labels).tolist()}. Give it more rows."
        )
    if part.categories.min() < 0 or (part.categories.max(0) >= np.array(clicks.sizes)).any():
        raise DataError(f"{clicks.name}: the {name} rows hold ids that their field does not have.")
    if not np.isfinite(part.numbers).all():
        raise DataError(f"{clicks.name}: the {name} rows hold numbers that are not finite.")
