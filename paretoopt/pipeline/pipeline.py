"""The pipeline: from the parameters of one candidate to its measurements."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Evaluation, Measurements, ProgressListener, RemainingStage, Remeasurement, UserStatistic
from paretoopt.errors import MeasurementError, PipelineError
from paretoopt.pipeline.evaluation import CandidateRun, ignore_progress, recent_runs
from paretoopt.pipeline.input_range import InputRange, check_input_ranges
from paretoopt.pipeline.outputs import StageOutputs
from paretoopt.pipeline.parameters import canonical, check_metrics, check_space, refuse_reported_only
from paretoopt.pipeline.recipe import Recipe, check_recipe, recipe_fingerprint, refuse_missing_parts, reseeded
from paretoopt.pipeline.stage import Build, BuildFunction, Measure, Requests, Stage, request_count
from paretoopt.pipeline.stage import reads as declare
from paretoopt.space import Parameter, Params, SearchSpace, Value
from paretoopt.store.store import Entry, Store


class Pipeline:
    """What each candidate goes through: build, stages in order, then measures.

    Outputs are kept under a hash of step, parameters read, data and input: nothing is computed twice.

    Raises:
        PipelineError: The parts do not fit together.
        SpaceError: Raised by every method that takes ``params`` which cannot be used.
        StoreError: The store cannot be written.
    """

    def __init__(
        self,
        *,
        data: Any,  # noqa: ANN401 (whatever build, stages and measures agree on)
        build: Build | BuildFunction,
        stages: Sequence[Stage],
        measures: Sequence[Measure],
        requests: Requests,
        store: Store | str | Path | None = None,
        seed: int = 0,
        bundle_files: Mapping[str, bytes] = MappingProxyType({}),
        notes: str = "",
        input_ranges: Mapping[str, InputRange] = MappingProxyType({}),
    ) -> None:
        """Compose a pipeline.

        Args:
            data: Anything with a ``fingerprint`` string that names its content.
            build: Gives the untrained model; :func:`paretoopt.reads` declares what it reads.
            stages: Applied in order; the last one gives what is measured and exported.
            measures: Applied to the last stage's output.
            requests: Real inputs to serve, stacked along axis 0.
            store: A store or its folder; None for the user's cache.
            seed: Seed of everything random.
            bundle_files: Files that an exported bundle carries beside the model, by name.
            notes: What somebody who deploys a bundle must know of its inputs and outputs.
            input_ranges: What whole numbers in requests may be, by input; left out, those that ``requests`` hold.
        """
        refuse_missing_parts(data, stages, measures)
        request_count(requests)
        self._recipe = Recipe(
            data=data,
            build=build if isinstance(build, Build) else declare()(build),
            stages=tuple(stages),
            measures=tuple(measures),
            requests=requests,
            store=store if isinstance(store, Store) else Store(store),
            seed=seed,
            training_seed=seed,
        )
        self.bundle_files = bundle_files
        self.notes = notes
        self.input_ranges = input_ranges
        check_recipe(self._recipe)
        check_input_ranges(input_ranges, requests)
        self._recent_run = recent_runs(self._recipe)
        self._fingerprint = recipe_fingerprint(self._recipe)
        self._times_remeasured: Counter[frozenset[tuple[str, Value]]] = Counter()

    def with_seed(self, seed: int) -> Pipeline:
        """This pipeline with everything built and trained from another seed; data, requests and measures stay.

        Raises:
            PipelineError: The build function takes no seed.
        """
        other = copy.copy(self)
        other._recipe = reseeded(self._recipe, seed)
        other._recent_run = recent_runs(other._recipe)
        other._fingerprint = recipe_fingerprint(other._recipe)
        other._times_remeasured = Counter()
        return other

    @property
    def seed(self) -> int:
        """What everything is built and trained from."""
        return self._recipe.training_seed

    @property
    def data(self) -> Any:  # noqa: ANN401
        """The data that build, stages and measures see."""
        return self._recipe.data

    @property
    def requests(self) -> Requests:
        """The real inputs that are served."""
        return self._recipe.requests

    @property
    def store(self) -> Store:
        """Where outputs are kept."""
        return self._recipe.store

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Every parameter that a part of the pipeline reads, by name."""
        return MappingProxyType(self._recipe.parameters)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is measured of each candidate."""
        return self._recipe.measures

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all metrics that are measured."""
        return tuple(metric for measure in self._recipe.measures for metric in measure.metrics)

    @property
    def fingerprint(self) -> str:
        """Names this pipeline's data, steps, settings and defaults; results of two compare where it is equal."""
        return self._fingerprint

    def check(self, space: SearchSpace, metrics: Sequence[str]) -> None:
        """Refuse, before any training, what could not work.

        Raises:
            SpaceError: A dimension that nothing reads, or a value that cannot be used.
            ObjectiveError: A metric that nothing measures, or one that is for reports only.
        """
        check_space(space, self.parameters)
        check_metrics(metrics, self.metrics)
        reported_only = frozenset().union(*(measure.reported_only for measure in self._recipe.measures))
        refuse_reported_only(metrics, reported_only, self.metrics)

    def canonical(self, params: Params) -> dict[str, Value]:
        """``params`` with shorthands spelt out and defaults filled in; SpaceError for what cannot be used."""
        return canonical(params, self.parameters)

    def evaluate(self, params: Params, listener: ProgressListener = ignore_progress) -> Evaluation:
        """Train, compress, export and measure one candidate, reusing all that the store has.

        Raises:
            SpaceError: ``params`` cannot be used.
            CandidateError: A stage or measure failed; the message names it.
            StoreError: The store cannot be written.
        """
        return self._run(params, listener).evaluation()

    @property
    def quality_metrics(self) -> tuple[str, ...]:
        """The metrics that training alone moves: those of trained models that no device has a part in."""
        return tuple(metric for measure in self._recipe.quality_measures for metric in measure.metrics)

    def quality(self, params: Params, listener: ProgressListener = ignore_progress) -> Evaluation:
        """The :attr:`quality_metrics`, as :meth:`evaluate` gives them; no latency or memory is measured."""
        return self._run(params, listener).quality()

    def artifact_key(self, params: Params) -> str:
        """Content address of what the last stage gives for ``params``; nothing is made."""
        return self._recent_run(self.canonical(params)).artifact_key

    def deployable(self, params: Params, listener: ProgressListener = ignore_progress) -> Any:  # noqa: ANN401
        """The last stage's output for ``params``, made where the store does not have it.

        Raises:
            SpaceError: ``params`` cannot be used.
            CandidateError: A stage failed.
        """
        return self._run(params, listener).model()

    def untrained(self, params: Params, listener: ProgressListener = ignore_progress) -> Any:  # noqa: ANN401
        """The last stage's output for ``params``, made without the stages that train.

        It has the shape of :meth:`deployable`, and so its cost, wherever no stage shapes the model by its trained
        weights. Errors are those of :meth:`deployable`.
        """
        return StageOutputs(self._recipe, self.canonical(params), listener, trained=False).output()

    def output_of(self, stage: str, params: Params, listener: ProgressListener = ignore_progress) -> Any:  # noqa: ANN401
        """What ``stage`` gives for ``params``, made where the store does not have it.

        Where the stage is inactive, it is what the active stage before it gives.

        Raises:
            PipelineError: The pipeline has no such stage.
            SpaceError: ``params`` cannot be used.
            CandidateError: A stage failed.
        """
        names = [known.name for known in self._recipe.stages]
        if stage not in names:
            raise PipelineError(f"the pipeline has no stage {stage!r}. Its stages are {', '.join(names)}.")
        return StageOutputs(self._recipe, self.canonical(params), listener, until=stage).output()

    def shape_needs_training(self, params: Params) -> bool:
        """Whether trained weights decide the shape of what ships, so that :meth:`untrained` only resembles it."""
        return self._recent_run(self.canonical(params)).shape_needs_training

    @property
    def shape_metrics(self) -> tuple[str, ...]:
        """The metrics that the shape alone decides, such as latency and memory: they are known before training."""
        return tuple(metric for measure in self._recipe.shape_measures for metric in measure.metrics)

    def costs(self, params: Params, listener: ProgressListener = ignore_progress) -> Evaluation:
        """Measure, before any training, what depends on the shape alone.

        Where the untrained weights make no artifact, nothing is measured; where :meth:`shape_needs_training`, what is
        measured is an estimate.

        Raises:
            SpaceError: ``params`` cannot be used.
            CandidateError: A stage or measure failed; the message names it.
        """
        return self._run(params, listener).costs()

    def known_costs(self, params: Params) -> Measurements | None:
        """What :meth:`costs` gives, read from the store; None where something is missing."""
        return self._recent_run(self.canonical(params)).known_costs()

    def costs_are_final(self, params: Params) -> bool:
        """Whether :meth:`costs` gives what the trained candidate costs: not where :meth:`shape_needs_training`."""
        return not self.shape_needs_training(params)

    def remaining(self, params: Params) -> tuple[RemainingStage, ...]:
        """The stages that have to train before ``params`` are measured: none where the store has what they give."""
        return self._recent_run(self.canonical(params)).remaining()

    def measured(self, params: Params, metric: str) -> Entry:
        """The store's entry of the measure that gave ``metric`` for ``params``; nothing is measured anew.

        Raises:
            ObjectiveError: The pipeline does not measure ``metric``.
            SpaceError: ``params`` cannot be used.
            MeasurementError: This pipeline has not measured ``params`` on this machine.
        """
        check_metrics([metric], self.metrics)
        entry = self._recent_run(self.canonical(params)).found(metric)
        if entry is None:
            raise MeasurementError(
                f"{metric} of {dict(params)} was not measured by this pipeline, with its data, settings and store at "
                f"{self.store.folder}, on this machine. Call pipeline.evaluate(params) first, or use the pipeline that "
                "measured it."
            )
        return entry

    @property
    def timed_metrics(self) -> tuple[str, ...]:
        """The metrics that the machine's speed of the moment moves."""
        return tuple(metric for measure in self._recipe.measures if measure.is_timed for metric in measure.metrics)

    def device(self) -> str:
        """Names the devices that are measured; measurements compare where it is equal."""
        names = [measure.device() for measure in self._recipe.measures if measure.device is not None]
        return "; ".join(dict.fromkeys(names))

    def remeasure(self, params: Params, listener: ProgressListener = ignore_progress) -> Remeasurement:
        """Measure anew what depends on the device, such as latency and memory; the store is neither asked nor told.

        The n-th time of every candidate has the same seed, the next time another one. So candidates that are measured
        by turns get the same arrivals in one round, and other arrivals in the next.

        Raises:
            SpaceError: ``params`` cannot be used.
            CandidateError: A stage or measure failed; the message names it.
        """
        canonical_params = self.canonical(params)
        candidate = frozenset(canonical_params.items())
        self._times_remeasured[candidate] += 1
        return CandidateRun(self._recipe, canonical_params, listener).remeasured(self._times_remeasured[candidate])

    def per_user(self, params: Params, listener: ProgressListener = ignore_progress) -> dict[str, NDArray[np.float64]]:
        """The values, one per user, whose means are metrics of quality; made, as by :meth:`evaluate`, if missing."""
        return self._run(params, listener).per_user()

    def user_statistics(self, params: Params, listener: ProgressListener = ignore_progress) -> dict[str, UserStatistic]:
        """How metrics that are no means over users come from the values of :meth:`per_user`, for a sample of users."""
        return self._run(params, listener).user_statistics()

    def _run(self, params: Params, listener: ProgressListener = ignore_progress) -> CandidateRun:
        return CandidateRun(self._recipe, self.canonical(params), listener)
