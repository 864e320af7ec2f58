"""The environment of a measurement, kept in the store beside its values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from paretoopt.errors import MeasurementError
from paretoopt.measurement.environment import Environment
from paretoopt.measurement.per_user import Measured
from paretoopt.pipeline.evaluation import ENVIRONMENT_FILE
from paretoopt.pipeline.pipeline import Pipeline


def write_environment(folder: Path, environment: Environment) -> None:
    """Keep ``environment`` in ``context.folder`` of a measure."""
    (folder / ENVIRONMENT_FILE).write_text(json.dumps(environment.to_dict(), indent=1))


def environment_of(pipeline: Pipeline, measured: Measured, metric: str = "latency_p95_ms") -> dict[str, Any]:
    """The environment that ``metric`` of a candidate was measured in: the fields of :class:`Environment`.

    What a study's finals measured again has its environments in ``study.finals_environments()``.

    Raises:
        ObjectiveError: The pipeline does not measure ``metric``.
        MeasurementError: This pipeline has not measured the candidate on this machine, or ``metric`` has no
            environment: it does not depend on one, or an earlier version measured it.
    """
    path = pipeline.measured(measured.params, metric).folder / ENVIRONMENT_FILE
    if not path.exists():
        raise MeasurementError(
            f"no environment is kept with {metric}: it does not depend on one, or was measured before environments "
            "were kept. Ask for a latency or memory metric, or measure with a fresh store."
        )
    record: dict[str, Any] = json.loads(path.read_text())
    return record
