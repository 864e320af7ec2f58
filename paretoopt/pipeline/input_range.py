"""What the integers of a request may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.errors import PipelineError


@dataclass(frozen=True)
class InputRange:
    """The values that an input of whole numbers may hold, ends included.

    Attributes:
        least: The least.
        most: The greatest; or one for each place along the last axis, such as each categorical field's.
    """

    least: int
    most: int | tuple[int, ...]

    def holds(self, values: NDArray[Any]) -> bool:
        """Whether every one of ``values``, an array of requests, is in the range.

        >>> InputRange(0, (3, 5)).holds(np.array([[3, 5], [0, 4]]))
        True
        """
        return bool((values >= self.least).all() and (values <= np.asarray(self.most)).all())


def check_input_ranges(ranges: Mapping[str, InputRange], requests: Mapping[str, NDArray[Any]]) -> None:
    """Refuse ranges that the pipeline's own requests contradict.

    Raises:
        PipelineError: A range of no input of whole numbers, of another width, or that a request breaks.
    """
    for name, one in ranges.items():
        if name not in requests or requests[name].dtype.kind not in "iu":
            whole = [known for known, values in requests.items() if values.dtype.kind in "iu"]
            raise PipelineError(
                f"input_ranges names {name!r}, but inputs of whole numbers are {whole}. Name one of them."
            )
        values = requests[name]
        if isinstance(one.most, tuple) and values.shape[-1:] != (len(one.most),):
            raise PipelineError(
                f"the range of {name!r} has {len(one.most)} greatest values, but its requests have shape "
                f"{values.shape}. Give one for each place along the last axis, or one for all."
            )
        if not one.holds(values):
            raise PipelineError(
                f"requests hold values of {name!r} from {values.min()} to {values.max()}, beyond its range from "
                f"{one.least} to {one.most}. Widen the range."
            )


def observed_range(values: NDArray[Any]) -> InputRange:
    """The range that real requests fill."""
    return InputRange(int(values.min()), int(values.max()))
