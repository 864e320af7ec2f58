"""What is known of one candidate: its parameters, its measurements, and the work they took."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.space import Params


@dataclass(frozen=True)
class Measurement:
    """One measured value with its 95 % confidence interval.

    Attributes:
        value: The estimate, in the unit that the metric's name ends with.
        low: Lower end of the interval; None where the uncertainty is not known.
        high: Upper end of the interval; None where the uncertainty is not known.
    """

    value: float
    low: float | None = None
    high: float | None = None


Measurements = Mapping[str, Measurement]
"""A measurement for each metric name."""


@dataclass(frozen=True)
class StageRun:
    """One stage or measure of an evaluation.

    Attributes:
        name: The stage's or measure's name, for example ``"fit"``.
        key: Content address of its output in the store.
        reused: True where the output was in the store already.
        seconds: What the output cost when it was made (not what reusing it took).
        environment: Where it was measured, as far as values depend on it; None where they do not.
        trains: True where the stage trains, with one worker, so that its seconds are worker-seconds of training.
    """

    name: str
    key: str
    reused: bool
    seconds: float
    environment: str | None = None
    trains: bool = False


@dataclass(frozen=True)
class RemainingStage:
    """A stage that trains, whose output the store lacks.

    Attributes:
        name: The stage's name, for example ``"fit"``.
        key: Content address of the output: candidates that share the stage have the same.
        params: The parameters that the output depends on.
    """

    name: str
    key: str
    params: Params


@dataclass(frozen=True)
class Evaluation:
    """The measurements of one candidate and the stages they came from."""

    measurements: Measurements
    runs: tuple[StageRun, ...] = ()


@dataclass(frozen=True)
class Remeasurement:
    """What was measured anew of one candidate, and where.

    Attributes:
        measurements: What depends on the device.
        devices: What names the device, by the measure's name.
        environments: What the measure kept of its environment, ready for JSON, by the measure's name; without
            measures that keep nothing.
    """

    measurements: Measurements
    devices: Mapping[str, str]
    environments: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Candidate:
    """One evaluated configuration of a study.

    Attributes:
        number: The trial's number.
        params: The configuration.
        measurements: What was measured.
        runs: The stages and measures that it took, reused ones included; what the finals measured again says where
            they did.
        probability_nondominated: How probable it is, given the uncertainty of all values, that none of the
            candidates that it was measured again with dominates it; None where that was not done.
        n_seeds: Trainings that the values of quality are the mean of, each from a seed of its own.
    """

    number: int
    params: Params
    measurements: Measurements
    runs: tuple[StageRun, ...] = ()
    probability_nondominated: float | None = None
    n_seeds: int = 1


@dataclass(frozen=True)
class Progress:
    """What is going on now.

    Attributes:
        stage: Name of the stage or measure at work.
        message: A few words for a person, for example ``"epoch 3, NDCG@10 0.071"``.
        fraction: Share of the stage done, in [0, 1]; None where it is not known.
        epoch: The epoch that a stage which trains has ended, from 1 on; None for any other news.
        values: What the epoch came to on validation data, by the names of the pipeline's metrics.
        key: Content address of the output that is made; None outside of stages.
    """

    stage: str
    message: str
    fraction: float | None = None
    epoch: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    key: str | None = None


ProgressListener = Callable[[Progress], None]
"""Called from within a stage as it goes on; it may raise ``StoppedEarlyError`` to end the stage."""

UserStatistic = Callable[[NDArray[np.int64]], float]
"""From how often a sample of users has each of them, an array of shape ``(n_users,)``, to a metric of the sample."""
