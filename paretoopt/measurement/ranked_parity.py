"""Whether an artifact still ranks as it did before it was quantised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.artifact.artifact import Artifact
from paretoopt.candidate import Measurement
from paretoopt.errors import CandidateError, PipelineError
from paretoopt.measurement.bootstrap import bounded_mean_interval, mean_interval
from paretoopt.measurement.inference import run_requests
from paretoopt.pipeline.stage import Context, Earlier, Measure
from paretoopt.space import Params
from paretoopt.training.ranking import discounted_gains

Lists = NDArray[np.int64]
"""Recommended item ids, best first; shape ``(n_requests, k)``."""
Targets = Callable[[Context], NDArray[np.int64]]
"""From the data and seed to the item that each of the pipeline's requests should find; shape ``(n_requests,)``."""

_REMEDY = "It takes more bits: raise the lower bound of linear_bits or embedding_bits."


@dataclass(frozen=True)
class ParityRules:
    """What is compared, and what a candidate must keep.

    Attributes:
        k: Items of each list that are compared.
        least_overlap: A candidate whose lists share less fails.
        largest_loss: A candidate fails that loses more than this share of NDCG, interval included.

    Raises:
        PipelineError: A limit is not between 0 and 1, or ``k`` is no positive number.
    """

    k: int = 10
    least_overlap: float = 0.25
    largest_loss: float = 0.5

    def __post_init__(self) -> None:
        """Refuse rules that make no sense."""
        if type(self.k) is not int or self.k < 1:
            raise PipelineError(f"k must be a whole number from 1 on, but is {self.k!r}.")
        for name, share in (("least_overlap", self.least_overlap), ("largest_loss", self.largest_loss)):
            if not 0 <= share <= 1:
                raise PipelineError(f"{name} must be from 0 to 1, but is {share!r}.")

    @property
    def overlap_metric(self) -> str:
        """The name of the overlap."""
        return f"overlap_at_{self.k}"

    @property
    def change_metric(self) -> str:
        """The name of the change of NDCG."""
        return f"ndcg_change_at_{self.k}"


def ranked_parity(
    *,
    k: int = 10,
    output: str = "items",
    targets: Targets | None = None,
    before: str = "export",
    least_overlap: float = 0.25,
    largest_loss: float = 0.5,
) -> Measure:
    """The measure of ``overlap_at_k`` and, with ``targets``, ``ndcg_change_at_k``, on the pipeline's requests.

    Both compare the lists that the artifact gives with those of the artifact after stage ``before``: the share of
    items in common, and the difference of NDCG. A candidate fails where its lists are not those of the same model. The
    defaults lie between what 2 bits leave of the overlap (0.39 to 0.76, measured on 80 to 50,000 items) and what a
    table with its rows in a wrong order leaves (0.005 to 0.19).

    Args:
        k: Items of each list that are compared.
        output: The artifact's output that holds the lists.
        targets: Gives the item that each request should find; None to leave NDCG out.
        before: The stage whose artifact is compared with.
        least_overlap: A candidate whose lists share less fails.
        largest_loss: A candidate fails that loses more than this share of NDCG, interval included.

    Raises:
        PipelineError: A limit is not between 0 and 1, or ``k`` is no positive number.
    """
    rules = ParityRules(k, least_overlap, largest_loss)
    metrics = (rules.overlap_metric, *((rules.change_metric,) if targets is not None else ()))

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        full: Artifact = context.earlier(before)
        if full == artifact:  # the candidate is not quantised
            unchanged = (Measurement(1.0, 1.0, 1.0), Measurement(0.0, 0.0, 0.0))
            return dict(zip(metrics, unchanged, strict=False))
        earlier, now = (_lists(one, output, k, context) for one in (full, artifact))
        return compare_lists(earlier, now, rules, wanted=None if targets is None else targets(context))

    return Measure(
        name="ranked_parity",
        metrics=metrics,
        run=run,
        settings={"output": output, **asdict(rules)},
        uses=(Earlier(before),),
    )


def compare_lists(
    earlier: Lists, now: Lists, rules: ParityRules, *, wanted: NDArray[np.int64] | None = None
) -> dict[str, Measurement]:
    """The overlap of two artifacts' lists and, where the ``wanted`` items are known, the change of NDCG.

    Raises:
        CandidateError: The lists are too different; the message holds the figures.
    """
    shared = overlaps(earlier, now)
    overlap = Measurement(float(shared.mean()), *bounded_mean_interval(shared))
    _refuse_other_lists(overlap, rules, len(shared))
    if wanted is None:
        return {rules.overlap_metric: overlap}
    before, after = (discounted_gains(lists, wanted) for lists in (earlier, now))
    change = Measurement(float((after - before).mean()), *mean_interval(after - before))
    _refuse_loss(change, float(before.mean()), rules)
    return {rules.overlap_metric: overlap, rules.change_metric: change}


def overlaps(one: Lists, other: Lists) -> NDArray[np.float64]:
    """The share of items that two lists have in common, whatever their order, for each request.

    >>> overlaps(np.array([[1, 2], [3, 4]]), np.array([[2, 1], [3, 5]])).tolist()
    [1.0, 0.5]
    """
    shared: NDArray[np.float64] = (one[:, :, None] == other[:, None, :]).any(2).mean(1)
    return shared


def _lists(artifact: Artifact, output: str, k: int, context: Context) -> Lists:
    answers = run_requests(artifact.model_path, context.requests, listener=context.listener)
    if output not in answers:
        raise CandidateError(f"the artifact has no output {output!r}. It has {', '.join(answers)}: state output=.")
    lists = answers[output]
    if lists.ndim != 2 or lists.shape[1] < k:
        raise CandidateError(f"output {output!r} has the shape {lists.shape}, so it holds no lists of k={k}. Lower k.")
    return lists[:, :k].astype(np.int64)


def _refuse_other_lists(overlap: Measurement, rules: ParityRules, n_requests: int) -> None:
    if overlap.value < rules.least_overlap:
        raise CandidateError(
            f"quantised, the model's top {rules.k} share {overlap.value:.3f} ({overlap.low:.3f} to {overlap.high:.3f}) "
            f"with those before, on {n_requests:,} requests, where least_overlap is {rules.least_overlap:g}. {_REMEDY}"
        )


def _refuse_loss(change: Measurement, full: float, rules: ParityRules) -> None:
    if change.high is not None and change.high < -rules.largest_loss * full:
        raise CandidateError(
            f"quantisation changes NDCG@{rules.k} of {full:.4f} by {change.value:.4f} ({change.low:.4f} to "
            f"{change.high:.4f}), where largest_loss is {rules.largest_loss:g} of it. {_REMEDY}"
        )
