"""Quality of an artifact's answers to the validation examples of one's own data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.artifact.artifact import Artifact
from paretoopt.candidate import Measurement
from paretoopt.data.examples import SplitExamples
from paretoopt.errors import CandidateError, PipelineError
from paretoopt.measurement.bootstrap import CONFIDENCE
from paretoopt.measurement.inference import run_requests
from paretoopt.pipeline.source import source_version
from paretoopt.pipeline.stage import Context, Measure
from paretoopt.space import Params

Score = Callable[[NDArray[Any], NDArray[Any]], float]
"""``(targets, answers) -> quality`` over all examples, such as :func:`paretoopt.auc` or scikit-learn's metrics."""

_N_RESAMPLES = 200


def output_quality(scores: Mapping[str, Score], *, output: str) -> Measure:
    """The measure of ``scores`` on the artifact's answers to every validation example.

    The pipeline's data is what :func:`paretoopt.split_examples` gives. Intervals are percentile bootstraps over
    examples (Efron and Tibshirani 1993, chapter 13).

    Args:
        scores: Plain functions by the metrics' names; their source is part of the store's key.
        output: The artifact's output that answers.

    Raises:
        PipelineError: There is no score, or one is no plain function.
    """
    if not scores:
        raise PipelineError("output_quality needs a score, for example {'auc': po.auc}.")

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        data: SplitExamples = context.data
        answers = run_requests(artifact.model_path, data.validation.inputs, listener=context.listener)
        if output not in answers:
            raise CandidateError(f"the artifact has no output {output!r}. It has {', '.join(answers)}: state output=.")
        targets = data.validation.targets
        return {name: _measured(score, targets, answers[output], context.seed) for name, score in scores.items()}

    return Measure(
        name="quality",
        metrics=tuple(scores),
        run=run,
        settings={"output": output, **{f"score {name}": _version(name, score) for name, score in scores.items()}},
    )


def _version(name: str, score: Score) -> str:
    try:
        return source_version(score)
    except PipelineError as error:
        raise PipelineError(
            f"the score of {name!r} is no plain function, so that the store could not tell it from another. "
            "Write `def score(targets, answers): ...` at the top of a module."
        ) from error


def _measured(score: Score, targets: NDArray[Any], answers: NDArray[Any], seed: int) -> Measurement:
    random = np.random.default_rng(seed)
    draws = (random.integers(0, len(targets), len(targets)) for _ in range(_N_RESAMPLES))
    resampled = [float(score(targets[rows], answers[rows])) for rows in draws]
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Measurement(float(score(targets, answers)), float(low), float(high))
