"""Stages and measures: the two kinds of step in a pipeline, and what they are handed."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Measurement, ProgressListener, UserStatistic
from paretoopt.errors import PipelineError
from paretoopt.pipeline.source import source_version
from paretoopt.space import Parameter, Params, Value

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

Requests = Mapping[str, NDArray[Any]]
"""Real inputs to serve: arrays stacked along axis 0, so that request i is ``{name: array[i : i + 1]}``."""


@dataclass(frozen=True)
class Earlier:
    """An earlier stage's output of the same candidate that a step uses beside its input.

    Where the stage is inactive, its output is that of the active stage before it.

    Attributes:
        stage: The stage's name.
        changes: Parameters that are to have other values there, for example ``{"embedding_dim": 128}``
            for a larger teacher; all others are those of the candidate.

    >>> Earlier("fit", {"embedding_dim": 128}).stage
    'fit'
    """

    stage: str
    changes: Mapping[str, Value] = field(default_factory=dict)


def _nothing_earlier(stage: str) -> Any:  # noqa: ANN401 (what a stage gives)
    raise PipelineError(f"the output of {stage!r} is asked for outside of a pipeline, which alone could make it.")


@dataclass(frozen=True)
class Context:
    """What a stage or measure may use beside the model and its parameters.

    Attributes:
        data: The pipeline's data.
        requests: The pipeline's requests. They are part of a measure's key, but not of a stage's: a stage may
            use their names, types and shapes, and never let its output depend on their values.
        build: Gives a fresh, untrained model for this candidate.
        seed: Seed of everything random in the stage.
        folder: The store entry of the step; what a step writes here beside its output is kept with it.
        listener: Call it with a :class:`paretoopt.candidate.Progress` now and then.
        earlier: Gives an earlier stage's output by the stage's name, made or loaded when it is asked for; the step
            declares it in ``uses``.
    """

    data: Any
    requests: Requests
    build: Callable[[], Any]
    seed: int
    folder: Path
    listener: ProgressListener
    earlier: Callable[[str], Any] = _nothing_earlier


BuildFunction = Callable[[Params, Any], Any] | Callable[[Params, Any, int], Any]
"""``(params, data) -> model``, or ``(params, data, seed) -> model`` where initial weights come from the seed."""
RunStage = Callable[[Any, Params, Context], Any]
RunMeasure = Callable[[Any, Params, Context], Mapping[str, Measurement]]
Save = Callable[[Any, Path], None]
Load = Callable[[Path, Context], Any]


@dataclass(frozen=True)
class Stage:
    """A step that takes a model and returns a model.

    Attributes:
        name: Names the stage in reports and errors, for example ``"prune"``.
        run: ``(model, params, context) -> model``; it sees only the parameters it reads.
        save: Writes the returned model into an empty folder, without pickle.
        load: Reads it back.
        reads: The parameters that the output depends on, beside those of the stages before it.
        is_active: Whether the stage does anything for these parameters; an inactive stage is passed
            over, so that candidates with and without it share what comes before.
        settings: Constants that the output depends on; they enter the store's key.
        version: Raise it when the stage's code changes what it computes.
        uses: Outputs of earlier stages that ``run`` asks ``context.earlier`` for.
        trains: True where the stage learns weights and keeps the model's shape; :meth:`Pipeline.untrained`
            leaves it out, and so do measures that the shape alone decides.
        shape_needs_training: Whether, for these parameters, the shape of the output depends on trained weights, so
            that the cost of an untrained model says nothing certain and is measured after training.
    """

    name: str
    run: RunStage
    save: Save
    load: Load
    reads: tuple[Parameter, ...] = ()
    is_active: Callable[[Params], bool] = lambda params: True
    settings: Mapping[str, Value] = field(default_factory=dict)
    version: str = "1"
    uses: tuple[Earlier, ...] = ()
    trains: bool = False
    shape_needs_training: Callable[[Params], bool] = lambda params: False

    def identity(self) -> list[Any]:
        """What tells this stage from another, as JSON."""
        return [self.name, self.version, dict(self.settings)]


@dataclass(frozen=True)
class Measure:
    """A step that takes the deployable model and gives measurements.

    Attributes:
        name: Names the measure in reports and errors, for example ``"latency"``.
        metrics: The names of the metrics it gives, known before anything runs.
        run: ``(model, params, context) -> {metric: Measurement}``.
        reads: The parameters that the result depends on, beside those of the stages.
        needs_training: False where the result depends on the model's shape alone (latency, memory): it is then taken
            before any training, on untrained weights, once for all candidates of the shape. Where a stage's
            ``shape_needs_training``, it is taken on what was trained.
        device: Gives a name for the device that is measured; None where the result is the same on
            every device.
        settings: Constants that the result depends on; they enter the store's key.
        version: Raise it when the measure's code changes what it computes.
        reported_only: The metrics among ``metrics`` that no search may see, such as those of test data; as an
            objective or constraint they are refused.
        is_timed: True where the machine's speed of the moment moves the results (latency). A study's finals
            correct them for it.
        per_user: Reads, from the measure's folder, the values by metric whose means some of the metrics are:
            one per user, the same users in the same order for every candidate.
        uses: Outputs of stages that ``run`` asks ``context.earlier`` for.
        user_statistics: From the measure's folder and the data, how metrics that are no means over users, but come
            from the values of ``per_user``, are computed of a sample of these users.

    Raises:
        PipelineError: ``reported_only`` names a metric that is not among ``metrics``.
    """

    name: str
    metrics: tuple[str, ...]
    run: RunMeasure
    reads: tuple[Parameter, ...] = ()
    needs_training: bool = True
    device: Callable[[], str] | None = None
    settings: Mapping[str, Value] = field(default_factory=dict)
    version: str = "1"
    reported_only: frozenset[str] = frozenset()
    is_timed: bool = False
    per_user: Callable[[Path], Mapping[str, NDArray[np.float64]]] | None = None
    uses: tuple[Earlier, ...] = ()
    user_statistics: Callable[[Path, Any], Mapping[str, UserStatistic]] | None = None

    def __post_init__(self) -> None:
        """Refuse a name that would protect nothing."""
        unknown = sorted(self.reported_only - set(self.metrics))
        if unknown:
            raise PipelineError(
                f"measure {self.name!r} keeps {', '.join(unknown)} for reports, but gives {', '.join(self.metrics)}. "
                "Name metrics that it gives."
            )

    def identity(self) -> list[Any]:
        """What tells this measure from another, as JSON."""
        return [self.name, self.version, list(self.metrics), dict(self.settings)]


@dataclass(frozen=True)
class Build:
    """A function that builds the untrained model, with the parameters it reads.

    Attributes:
        function: ``(params, data) -> model``, or ``(params, data, seed) -> model``; it sees the parameters it reads.
        reads: Those parameters.
        version: Names the code; :func:`reads` takes it from the function's source.
    """

    function: BuildFunction
    reads: tuple[Parameter, ...]
    version: str

    @property
    def takes_seed(self) -> bool:
        """Whether the function takes a third argument, so that a seed decides the initial weights."""
        parameters = inspect.signature(self.function).parameters.values()
        return sum(one.kind in _POSITIONAL and one.default is one.empty for one in parameters) == 3

    def model(self, params: Params, data: Any, seed: int) -> Any:  # noqa: ANN401 (whatever the function takes and gives)
        """The untrained model."""
        function = cast("Callable[..., Any]", self.function)
        return function(params, data, seed) if self.takes_seed else function(params, data)


def reads(*parameters: Parameter) -> Callable[[BuildFunction], Build]:
    """Declare the parameters that a build function reads.

    The function's source, and that of what it uses of its own module, is part of the store's key, so
    that editing the model trains anew. For code imported from elsewhere, give :class:`Build` a version.

    Raises:
        PipelineError: What the function builds depends on more than its source.

    >>> @reads(Parameter("embedding_dim", default=64))
    ... def build(params, data):
    ...     return params["embedding_dim"]
    >>> build.reads[0].name
    'embedding_dim'
    """

    def declare(function: BuildFunction) -> Build:
        return Build(function, parameters, source_version(function))

    return declare


class DeclaredParams(dict[str, Value]):
    """The parameters that a step has declared to read; asking for another one says how to declare it."""

    def get(self, name: str, default: object = None) -> Value:  # noqa: ARG002 (a default would hide the mistake)
        """The value of ``name``, which must be declared all the same."""
        return self[name]

    def __missing__(self, name: str) -> Value:
        """Explain why ``name`` is not here."""
        raise PipelineError(
            f"parameter {name!r} is asked for, but only {sorted(self)} are declared, so a change of {name!r} would go "
            f"unnoticed by the store. Declare it: reads=(Parameter({name!r}, default=...),)."
        )


def visible(params: Params, reads: tuple[Parameter, ...]) -> DeclaredParams:
    """The part of ``params`` that a step has declared to read."""
    return DeclaredParams({parameter.name: params[parameter.name] for parameter in reads})


def request_count(requests: Requests) -> int:
    """The number of requests.

    Raises:
        PipelineError: There is none, the arrays differ in length, or one holds Python objects.
    """
    objects = [name for name, array in requests.items() if np.asarray(array).dtype.hasobject]
    if objects:
        raise PipelineError(
            f"requests {', '.join(objects)} hold Python objects, whose content has no fixed form. "
            "Turn them into numbers or fixed-width text, for example array.astype(np.str_)."
        )
    lengths = {name: len(array) if np.ndim(array) else 0 for name, array in requests.items()}
    if not lengths or len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise PipelineError(
            f"requests must be arrays of one length along axis 0, with at least one request, but got {lengths}."
        )
    return next(iter(lengths.values()))


def requests_fingerprint(requests: Requests) -> str:
    """The hexadecimal SHA-256 of the requests' names, types, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(requests):
        array = np.ascontiguousarray(requests[name])
        digest.update(f"{name}:{array.dtype.str}:{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
