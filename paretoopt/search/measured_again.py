"""What is measured again of a study's candidates: finals of latency and memory, repeats of quality."""

from __future__ import annotations

import optuna

from paretoopt.candidate import ProgressListener
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.search.costed import with_cost_metrics
from paretoopt.search.creation import refuse_another_pipeline
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.evaluator import Evaluator, as_evaluator
from paretoopt.search.finals import Finals, FinalsLimits, measuring
from paretoopt.search.progress import both, display_of
from paretoopt.search.records import read_candidates
from paretoopt.search.repeats import Repeats, RepeatsLimits, repeating
from paretoopt.search.repeats_records import with_repeats
from paretoopt.search.repeats_trainings import known_repeats


def hold_finals(
    study: optuna.Study,
    definition: StudyDefinition,
    pipeline: Evaluator,
    limits: FinalsLimits,
    *,
    top: int | None,
    anchor: int | None,
    listener: ProgressListener | None,
    progress: bool,
) -> None:
    """Measure the members of the front again; :meth:`paretoopt.Study.finals` has the arguments and errors."""
    evaluator = measuring(with_cost_metrics(as_evaluator(pipeline, definition.metrics), definition.costs))
    refuse_another_pipeline(study, evaluator)
    trials = study.get_trials(deepcopy=False)
    searched = read_candidates(trials)
    known = known_repeats(study, searched)
    candidates = searched if known is None else with_repeats(searched, known.result)
    front = ParetoFront(candidates, definition.objectives, definition.constraints)
    finals = Finals(study, front, evaluator, top=top, anchor=anchor, repeats=known)
    with display_of(study.study_name, definition, trials, progress=progress) as display:
        finals.run(limits, listener=both(display.heard, listener), display=display)


def repeat_trainings(
    study: optuna.Study,
    definition: StudyDefinition,
    pipeline: Evaluator,
    limits: RepeatsLimits,
    *,
    listener: ProgressListener | None,
    progress: bool,
) -> None:
    """Train again from other seeds; :meth:`paretoopt.Study.repeats` has the arguments and errors."""
    evaluator = as_evaluator(pipeline, definition.metrics)
    repeater = repeating(evaluator, definition)
    refuse_another_pipeline(study, evaluator)
    trials = study.get_trials(deepcopy=False)
    with display_of(study.study_name, definition, trials, progress=progress) as display:
        heard = both(display.heard, listener)
        repeats = Repeats(study, read_candidates(trials), definition, repeater, listener=heard, display=display)
        repeats.run(limits)
