"""The stages' outputs for one candidate, each made or loaded only when it is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from paretoopt.candidate import Progress, ProgressListener, RemainingStage, StageRun
from paretoopt.errors import CandidateError, PipelineError
from paretoopt.pipeline.blame import blaming
from paretoopt.pipeline.recipe import Recipe
from paretoopt.pipeline.stage import Context, Measure, Stage, visible
from paretoopt.space import Params
from paretoopt.store.keys import content_key
from paretoopt.store.store import Entry

_ASKED = "asked"
_TRAINS = "trains"


class StageOutputs:
    """What the stages give for one candidate, up to a stage."""

    def __init__(
        self,
        recipe: Recipe,
        params: Params,
        listener: ProgressListener,
        *,
        until: str | None = None,
        trained: bool = True,
        entries: dict[str, Entry] | None = None,
    ) -> None:
        """Prepare; nothing is computed yet.

        Args:
            recipe: The pipeline's parts.
            params: The canonical candidate.
            listener: Told what is going on.
            until: The last stage to go through; None for all.
            trained: False to leave out the stages that train.
            entries: The store's entries that this evaluation has found or made already, by key.
        """
        self._recipe = recipe
        self._params = params
        self._listener = listener
        self._trained = trained
        self._stages = [
            stage for stage in _stages(recipe, until) if stage.is_active(params) and (trained or not stage.trains)
        ]
        self._entries: dict[str, Entry] = {} if entries is None else entries
        self._earlier: dict[str, dict[str, StageOutputs]] = {}
        self._keys = self._chained_keys()

    @property
    def key(self) -> str:
        """Content address of the last output; of the built model where no stage is active."""
        return self._keys[-1]

    def output(self) -> Any:  # noqa: ANN401 (what the last stage gives)
        """The last stage's output, loaded afresh.

        Raises:
            CandidateError: A stage failed; the message names it.
        """
        return self._output(len(self._stages))

    @property
    def training_cost(self) -> float:
        """Worker-seconds of training that went into what was made since this object was."""
        made = [entry for entry in self._entries.values() if not entry.reused]
        return sum(entry.seconds for entry in made if entry.description.get(_TRAINS))

    def remaining(self) -> Iterator[RemainingStage]:
        """The stages that have to train before the last output is there, in the order in which they would."""
        n_stages = len(self._stages)
        held = (n for n in range(n_stages, 0, -1) if self._recipe.store.holds(self._keys[n]))
        for position in range(next(held, 0), n_stages):
            stage, key = self._stages[position], self._keys[position + 1]
            for outputs in self.earlier(stage).values():
                yield from outputs.remaining()
            if stage.trains:
                yield RemainingStage(stage.name, key, self._read_until(position))

    def runs(self) -> Iterator[StageRun]:
        """The stages whose outputs are in the store, then what they asked for of earlier ones."""
        found = [(stage, self.entry(key)) for stage, key in zip(self._stages, self._keys[1:], strict=True)]
        kept = [(stage, entry) for stage, entry in found if entry is not None]
        yield from (run_of(stage.name, entry, trains=stage.trains) for stage, entry in kept)
        for stage, entry in kept:
            yield from self.runs_asked_by(stage, entry)

    def runs_asked_by(self, step: Stage | Measure, entry: Entry) -> Iterator[StageRun]:
        """The stages of the earlier outputs that ``step`` asked for when its ``entry`` was made."""
        asked = entry.description.get(_ASKED, ())
        for outputs in (outputs for stage, outputs in self.earlier(step).items() if stage in asked):
            yield from outputs.runs()

    def entry(self, key: str) -> Entry | None:
        """The store's entry; None where there is none."""
        return self._entries.get(key) or self._recipe.store.find(key)

    def earlier(self, step: Stage | Measure) -> dict[str, StageOutputs]:
        """What ``step`` uses of earlier stages, by stage; nothing is computed."""
        if step.name not in self._earlier:
            self._earlier[step.name] = self._earlier_anew(step)
        return self._earlier[step.name]

    def _earlier_anew(self, step: Stage | Measure) -> dict[str, StageOutputs]:
        return {
            use.stage: StageOutputs(
                self._recipe,
                self._recipe.changed(self._params, use),
                self._listener,
                until=use.stage,
                trained=self._trained,
                entries=self._entries,
            )
            for use in step.uses
        }

    def earlier_keys(self, step: Stage | Measure) -> list[dict[str, str]]:
        """What ``step`` uses adds this to its key: nothing where it uses nothing."""
        keys = {stage: outputs.key for stage, outputs in self.earlier(step).items()}
        return [keys] if keys else []

    def context(self, folder: Path, asking: Asking) -> Context:
        """What a step is handed."""
        recipe = self._recipe
        return Context(recipe.data, recipe.requests, self._build, recipe.training_seed, folder, self._listener, asking)

    def asking(self, step: Stage | Measure) -> Asking:
        """What ``step`` may ask of earlier stages."""
        return Asking(step.name, self.earlier(step))

    def _output(self, n_stages: int) -> Any:  # noqa: ANN401
        """What the first ``n_stages`` active stages give."""
        if n_stages == 0:
            return self._build()
        stage, key = self._stages[n_stages - 1], self._keys[n_stages]
        if key not in self._entries:
            self._entries[key] = self._made(n_stages)
        folder = self._entries[key].folder
        with blaming(stage.name):
            return stage.load(folder, self.context(folder, self.asking(stage)))

    def _made(self, n_stages: int) -> Entry:
        stage, key = self._stages[n_stages - 1], self._keys[n_stages]
        params = visible(self._params, stage.reads)
        asking, listener = self.asking(stage), naming(self._listener, key)

        def make(folder: Path) -> float:
            model = self._output(n_stages - 1)
            listener(Progress(stage.name, "started"))
            started = time.perf_counter()
            context = replace(self.context(folder, asking), listener=listener)
            try:
                with blaming(stage.name):
                    stage.save(stage.run(model, params, context), folder)
            except CandidateError as error:
                error.training_cost += time.perf_counter() - started - asking.seconds if stage.trains else 0.0
                raise
            return time.perf_counter() - started - asking.seconds

        description = {
            "stage": stage.name,
            "params": dict(self._params),
            "reads": params,
            _TRAINS: stage.trains,
            **asking.description,
        }
        return self._recipe.store.get_or_make(key, make, description)

    def _read_until(self, position: int) -> Params:
        """The parameters that the output of the stage at ``position`` depends on, without those of other outputs."""
        reads = [*self._recipe.build.reads]
        reads += [parameter for stage in self._stages[: position + 1] for parameter in stage.reads]
        return dict(visible(self._params, tuple(reads)))

    def _build(self) -> Any:  # noqa: ANN401
        build = self._recipe.build
        with blaming("build"):
            return build.model(visible(self._params, build.reads), self._recipe.data, self._recipe.training_seed)

    def _chained_keys(self) -> list[str]:
        """The key of the built model, then of each stage's output."""
        key = content_key(self._recipe.origin, visible(self._params, self._recipe.build.reads))
        keys = [key]
        for stage in self._stages:
            key = content_key(stage.identity(), visible(self._params, stage.reads), key, *self.earlier_keys(stage))
            keys.append(key)
        return keys


@dataclass
class Asking:
    """Gives one step the earlier outputs that it declares, and remembers which it asked for.

    Attributes:
        step: The step's name.
        outputs: The outputs by stage.
        seconds: What giving them took; it is no cost of the step.
        asked: The stages whose outputs were asked for.
    """

    step: str
    outputs: Mapping[str, StageOutputs]
    seconds: float = 0.0
    asked: list[str] = field(default_factory=list)

    def __call__(self, stage: str) -> Any:  # noqa: ANN401
        """The output of ``stage``, loaded afresh.

        Raises:
            PipelineError: The step does not declare that it uses the output.
            CandidateError: A stage failed; the message names it.
        """
        if stage not in self.outputs:
            raise PipelineError(
                f"{self.step} asks for the output of {stage!r}, but declares {sorted(self.outputs)}, so a change of "
                f"{stage!r} would go unnoticed by the store. Declare it: uses=(Earlier({stage!r}),)."
            )
        started = time.perf_counter()
        try:
            return self.outputs[stage].output()
        finally:
            self.seconds += time.perf_counter() - started
            self.asked += [] if stage in self.asked else [stage]

    @property
    def description(self) -> dict[str, Any]:
        """What a store's entry keeps of it; the list fills up while the step runs."""
        return {_ASKED: self.asked} if self.outputs else {}


def naming(listener: ProgressListener, key: str) -> ProgressListener:
    """``listener``, told with all news that they are of the output under ``key``."""
    return lambda progress: listener(replace(progress, key=key))


def run_of(name: str, entry: Entry, *, trains: bool = False) -> StageRun:
    """The step ``name`` that gave ``entry``."""
    return StageRun(name, entry.key, entry.reused, entry.seconds, entry.description.get("device"), trains)


def _stages(recipe: Recipe, until: str | None) -> tuple[Stage, ...]:
    """The stages up to and including ``until``."""
    if until is None:
        return recipe.stages
    names = [stage.name for stage in recipe.stages]
    return recipe.stages[: names.index(until) + 1]
