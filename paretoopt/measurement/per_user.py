"""Quality per user, kept in the store beside the means of a measure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from paretoopt.errors import MeasurementError
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.space import Params

_FILE = "per_user.npz"


class Measured(Protocol):
    """A configuration that was measured: a candidate, or a choice from a front."""

    @property
    def params(self) -> Params:
        """The configuration."""


def write_per_user(folder: Path, values: Mapping[str, NDArray[np.float64]]) -> None:
    """Keep each metric's values, one per user in the order of the data, in ``context.folder`` of a measure."""
    arrays = {name: np.asarray(column, dtype=np.float64) for name, column in values.items()}
    np.savez_compressed(folder / _FILE, allow_pickle=False, **arrays)


def read_per_user(folder: Path) -> dict[str, NDArray[np.float64]]:
    """What :func:`write_per_user` kept; empty where nothing was kept."""
    path = folder / _FILE
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def per_user_values(pipeline: Pipeline, measured: Measured, metric: str) -> NDArray[np.float64]:
    """Each user's value of ``metric`` for a candidate that ``pipeline`` has measured; nothing is measured anew.

    Raises:
        ObjectiveError: The pipeline does not measure ``metric``.
        SpaceError: The pipeline does not know the candidate's parameters.
        MeasurementError: This pipeline has not measured the candidate, or ``metric`` is not one per user.
    """
    values = read_per_user(pipeline.measured(measured.params, metric).folder)
    if metric not in values:
        kept = ", ".join(values) or "none"
        raise MeasurementError(f"{metric} has no value for each user; metrics that have: {kept}.")
    return values[metric]
