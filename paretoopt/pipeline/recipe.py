"""The parts of a pipeline, and whether they fit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from paretoopt.errors import PipelineError, SpaceError
from paretoopt.pipeline.parameters import merged, spelt_out
from paretoopt.pipeline.stage import Build, Earlier, Measure, Requests, Stage, requests_fingerprint
from paretoopt.space import Parameter, Params
from paretoopt.store.keys import content_key
from paretoopt.store.store import Store


@dataclass(frozen=True)
class Recipe:
    """The parts of a pipeline, as :class:`paretoopt.Pipeline` takes them.

    Attributes:
        seed: Of measures.
        training_seed: Of the built model and of stages.
    """

    data: Any
    build: Build
    stages: tuple[Stage, ...]
    measures: tuple[Measure, ...]
    requests: Requests
    store: Store
    seed: int
    training_seed: int

    @cached_property
    def requests_fingerprint(self) -> str:
        """Names the requests' content."""
        return requests_fingerprint(self.requests)

    @property
    def origin(self) -> list[Any]:
        """What every output depends on, as JSON."""
        return [self.data.fingerprint, self.build.version, self.training_seed]

    @property
    def measuring_seed(self) -> list[int]:
        """What measures depend on beside the outputs: their seed, where the outputs have another one."""
        return [] if self.seed == self.training_seed else [self.seed]

    @property
    def steps(self) -> tuple[Stage | Measure, ...]:
        """The stages, then the measures."""
        return (*self.stages, *self.measures)

    @property
    def shape_measures(self) -> tuple[Measure, ...]:
        """The measures that the model's shape alone decides."""
        return tuple(measure for measure in self.measures if not measure.needs_training)

    @property
    def quality_measures(self) -> tuple[Measure, ...]:
        """The measures that training alone moves: the same on every device."""
        return tuple(measure for measure in self.measures if measure.needs_training and measure.device is None)

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Every parameter that a part reads, by name.

        Raises:
            PipelineError: Two parts read the same name with different defaults.
        """
        reads = [self.build.reads, *(step.reads for step in self.steps)]
        return merged(parameter for parameters in reads for parameter in parameters)

    def changed(self, params: Params, use: Earlier) -> Params:
        """The canonical candidate ``params`` with the changes of ``use``."""
        return {**params, **spelt_out(use.changes, self.parameters)}


def reseeded(recipe: Recipe, seed: int) -> Recipe:
    """The same with everything built and trained from ``seed``.

    Raises:
        PipelineError: The build function takes no seed.
    """
    if not recipe.build.takes_seed:
        raise PipelineError(
            "the build function takes no seed, so that its initial weights would not come from another one. Give it "
            "a third argument: def build(params, data, seed), and draw the weights from that seed."
        )
    return replace(recipe, training_seed=seed)


def refuse_missing_parts(data: Any, stages: Sequence[Stage], measures: Sequence[Measure]) -> None:  # noqa: ANN401
    """Refuse what no recipe can be made of.

    Raises:
        PipelineError: There is no stage or measure, or the data have no fingerprint.
    """
    if not stages or not measures:
        raise PipelineError("A Pipeline needs at least one stage and one measure.")
    if not isinstance(getattr(data, "fingerprint", None), str):
        raise PipelineError(
            f"data of type {type(data).__name__} has no fingerprint, so its results could not be told from those "
            "of other data. Give it a string attribute `fingerprint` that changes with its content."
        )


def check_recipe(recipe: Recipe) -> None:
    """Refuse parts that do not fit together.

    Raises:
        PipelineError: As said, naming the part and the remedy.
    """
    _refuse_repeated_names(recipe)
    before: list[str] = []
    for stage in recipe.stages:
        _refuse_uses(recipe, f"stage {stage.name!r}", stage.uses, before)
        before.append(stage.name)
    for measure in recipe.measures:
        _refuse_uses(recipe, f"measure {measure.name!r}", measure.uses, before)


def recipe_fingerprint(recipe: Recipe) -> str:
    """Names the data, steps, settings and defaults.

    Raises:
        PipelineError: A part has no fixed form.
    """
    defaults = {name: parameter.default for name, parameter in recipe.parameters.items()}
    steps = [_identity(step) for step in recipe.steps]
    try:
        return content_key(recipe.origin, steps, recipe.requests_fingerprint, defaults, *recipe.measuring_seed)
    except (TypeError, ValueError) as error:
        raise PipelineError(
            f"the steps cannot be named in the store: {error}. Use finite numbers, text, True and False in "
            "settings, defaults, version and seed."
        ) from error


def _identity(step: Stage | Measure) -> list[Any]:
    uses = [[use.stage, dict(use.changes)] for use in step.uses]
    return [*step.identity(), uses] if uses else step.identity()


def _refuse_uses(recipe: Recipe, step: str, uses: Sequence[Earlier], before: Sequence[str]) -> None:
    names = [use.stage for use in uses]
    for use in uses:
        if use.stage not in before:
            where = f"comes after {', '.join(before)}" if before else "is the first one"
            raise PipelineError(f"{step} uses the output of stage {use.stage!r}, but {where}. Use one that it follows.")
        if names.count(use.stage) > 1:
            raise PipelineError(
                f"{step} uses stage {use.stage!r} twice, and could not tell which it asks for. Use one."
            )
        _refuse_changes(recipe, step, use)


def _refuse_changes(recipe: Recipe, step: str, use: Earlier) -> None:
    try:
        for name, value in spelt_out(use.changes, recipe.parameters).items():
            recipe.parameters[name].check(value)
    except SpaceError as error:
        raise PipelineError(f"{step} uses stage {use.stage!r} with {dict(use.changes)}: {error}") from error


def _refuse_repeated_names(recipe: Recipe) -> None:
    for kind, names in (
        ("stage", [stage.name for stage in recipe.stages]),
        ("measure", [measure.name for measure in recipe.measures]),
        ("metric", [metric for measure in recipe.measures for metric in measure.metrics]),
    ):
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise PipelineError(f"{kind} {', '.join(sorted(repeated))} stands twice in the pipeline. Rename one.")
