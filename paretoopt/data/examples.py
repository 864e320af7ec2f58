"""Examples of one's own: named inputs with a target each, some of them held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.data.content import fingerprint_of, read_only
from paretoopt.errors import DataError

_FEWEST = 2


@dataclass(frozen=True)
class Examples:
    """Inputs of a model and what it should answer.

    Attributes:
        inputs: Arrays by the names of the model's arguments, stacked along axis 0.
        targets: Array of the same length.
    """

    inputs: Mapping[str, NDArray[Any]]
    targets: NDArray[Any]

    def __len__(self) -> int:
        """The number of examples."""
        return len(self.targets)

    def __getitem__(self, rows: NDArray[np.integer[Any]] | NDArray[np.bool_] | slice) -> Examples:
        """Some of the examples."""
        return Examples({name: array[rows] for name, array in self.inputs.items()}, self.targets[rows])


@dataclass(frozen=True)
class SplitExamples:
    """Examples to train on, and others to measure quality on.

    Attributes:
        train: The former.
        validation: The latter.
    """

    train: Examples
    validation: Examples

    @cached_property
    def fingerprint(self) -> str:
        """Names the content."""
        names = [np.array(sorted(self.train.inputs), dtype=np.str_)]
        parts = [
            array
            for part in (self.train, self.validation)
            for array in (*(part.inputs[name] for name in sorted(part.inputs)), part.targets)
        ]
        shapes = [np.array(array.shape) for array in parts]
        return fingerprint_of("examples", *names, *shapes, *parts)

    def requests(self, n: int = 512) -> Mapping[str, NDArray[Any]]:
        """The first ``n`` validation inputs, as real requests to serve."""
        return self.validation[slice(n)].inputs


def split_examples(
    inputs: Mapping[str, NDArray[Any]], targets: NDArray[Any], *, validation_share: float = 0.2, seed: int = 0
) -> SplitExamples:
    """Hold out a random share of examples.

    Args:
        inputs: Arrays by the names of the model's arguments, stacked along axis 0.
        targets: What the model should answer for each; it may be of any shape beyond axis 0.
        validation_share: Share that is held out, between 0 and 1.
        seed: Of the draw.

    Raises:
        DataError: The arrays differ in length, hold objects, NaN or infinity, or are too few to be split.
    """
    arrays = {name: read_only(array) for name, array in inputs.items()}
    wanted = read_only(targets)
    _refuse(arrays, wanted, validation_share)
    n_validation = min(max(round(len(wanted) * validation_share), 1), len(wanted) - 1)
    order = np.random.default_rng(seed).permutation(len(wanted))
    examples = Examples(MappingProxyType(arrays), wanted)
    return SplitExamples(examples[np.sort(order[n_validation:])], examples[np.sort(order[:n_validation])])


def _refuse(inputs: Mapping[str, NDArray[Any]], targets: NDArray[Any], share: float) -> None:
    if not 0 < share < 1:
        raise DataError(f"validation_share must be between 0 and 1, but is {share!r}.")
    lengths = {name: len(array) if array.ndim else 0 for name, array in {**inputs, "targets": targets}.items()}
    if not inputs or len(set(lengths.values())) > 1:
        raise DataError(f"inputs and targets need one length along axis 0, but have {lengths}.")
    if len(targets) < _FEWEST:
        raise DataError(f"there are {len(targets)} examples, too few to hold any out. Bring {_FEWEST} at least.")
    for name, array in {**inputs, "targets": targets}.items():
        if array.dtype.kind not in "biuf":
            raise DataError(f"{name} holds {array.dtype}, but a model takes numbers. Encode it, for example as ids.")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DataError(f"{name} holds NaN or infinity. Fill or leave out these examples.")
