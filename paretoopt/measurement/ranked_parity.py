"""The measure of whether an artifact still ranks as it did before it was quantised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from paretoopt.artifact.artifact import Artifact
from paretoopt.candidate import Measurement
from paretoopt.data.slates import Slates
from paretoopt.errors import CandidateError, PipelineError
from paretoopt.measurement.inference import run_requests
from paretoopt.measurement.list_parity import Lists, compare_lists
from paretoopt.measurement.parity_rules import AUC_CHANGE, ParityRules
from paretoopt.measurement.score_parity import LabelledRows, Scores, compare_rows, compare_slates
from paretoopt.pipeline.stage import Context, Earlier, Measure, Requests, RunMeasure
from paretoopt.space import Params, Value

Targets = Callable[[Context], NDArray[np.int64]]
"""From the data and seed to the item that each of the pipeline's requests should find; shape ``(n_requests,)``."""
AskedSlates = Callable[[Context], tuple[Requests, Slates]]
"""From the data to requests with candidates, and to the candidates with the wanted one, in the order of the scores."""
AskedRows = Callable[[Context], LabelledRows]
"""From the data to requests of one row each, with their labels."""


def ranked_parity(
    *,
    k: int = 10,
    output: str = "items",
    targets: Targets | None = None,
    slates: AskedSlates | None = None,
    rows: AskedRows | None = None,
    before: str = "export",
    least_overlap: float = 0.25,
    largest_loss: float = 0.5,
    **asked_settings: Value,
) -> Measure:
    """The measure of ``overlap_at_k``, and of the change of quality: ``ndcg_change_at_k`` or ``auc_change``.

    Compared are the answers of the artifact with those of the artifact after stage ``before``: the share of the best k
    in common, and the difference of quality. A candidate fails where its rankings are not those of the same model. What
    ``output`` holds is told by one of:

    - ``targets``, or nothing: lists of items, best first, for the pipeline's requests; NDCG with ``targets`` alone.
    - ``slates``: the scores of each request's candidates. NDCG, expected over the orders of equal scores.
    - ``rows``: one score for each request. Each 100, in random order, are a slate; the AUC is that over all.

    With scores, both limits count from what chance gives (k of the candidates; the NDCG or AUC of equal scores). The
    defaults lie between what 2 bits leave of the overlap and what a table with its rows in a wrong order leaves: of
    lists, 0.39 to 0.76, and 0.005 to 0.19 (80 to 50,000 items); of scores, `studies/benchmarks/rank_parity.py` tells.

    Args:
        k: Items of each list that are compared.
        output: The artifact's output that holds the lists or scores.
        targets: Gives the item that each request should find; None to leave NDCG out.
        slates: Gives what is asked instead of the pipeline's requests, and the candidates with the wanted one.
        rows: Gives what is asked instead of the pipeline's requests, and the labels.
        before: The stage whose artifact is compared with.
        least_overlap: A candidate whose lists share less fails; with 0, none does.
        largest_loss: A candidate fails that loses more than this share of the quality, interval included; with 1, none
            does.
        asked_settings: What ``targets``, ``slates`` or ``rows`` depend on beside the data; it enters the store's key.

    Raises:
        PipelineError: A limit is not between 0 and 1, ``k`` is no positive number, or more than one of ``targets``,
            ``slates`` and ``rows`` is given.
    """
    rules = ParityRules(k, least_overlap, largest_loss)
    _refuse_more_than_one({"targets": targets, "slates": slates, "rows": rows})
    if slates is not None:
        ranking = _of_slates(output, rules, slates)
    else:
        ranking = _of_lists(output, rules, targets) if rows is None else _of_rows(output, rules, rows)
    return Measure(
        name="ranked_parity",
        metrics=(rules.overlap_metric, *ranking.changes),
        run=_unless_equal(ranking, before, rules),
        settings={"output": output, **asdict(rules), **ranking.settings, **asked_settings},
        uses=(Earlier(before),),
    )


@dataclass(frozen=True)
class _Ranking:
    """How two artifacts are compared, the metric of quality that this gives, and what it adds to the key."""

    compare: Callable[[Artifact, Artifact, Context], Mapping[str, Measurement]]
    changes: tuple[str, ...]
    settings: Mapping[str, Value] = field(default_factory=dict)


def _refuse_more_than_one(ways: Mapping[str, object]) -> None:
    given = [name for name, way in ways.items() if way is not None]
    if len(given) > 1:
        raise PipelineError(f"{' and '.join(given)} say different things of one output. Give one of them.")


def _unless_equal(ranking: _Ranking, before: str, rules: ParityRules) -> RunMeasure:
    def run(artifact: Artifact, params: Params, context: Context) -> Mapping[str, Measurement]:
        full: Artifact = context.earlier(before)
        if full == artifact:  # the candidate is not quantised
            unchanged = dict.fromkeys(ranking.changes, Measurement(0.0, 0.0, 0.0))
            return {rules.overlap_metric: Measurement(1.0, 1.0, 1.0), **unchanged}
        return ranking.compare(full, artifact, context)

    return run


def _of_lists(output: str, rules: ParityRules, targets: Targets | None) -> _Ranking:
    def compare(full: Artifact, artifact: Artifact, context: Context) -> dict[str, Measurement]:
        earlier, now = (_lists(one, output, rules.k, context) for one in (full, artifact))
        return compare_lists(earlier, now, rules, wanted=None if targets is None else targets(context))

    return _Ranking(compare, () if targets is None else (rules.change_metric,))


def _of_slates(output: str, rules: ParityRules, asked: AskedSlates) -> _Ranking:
    def compare(full: Artifact, artifact: Artifact, context: Context) -> dict[str, Measurement]:
        requests, slates = asked(context)
        earlier, now = (_scores(one, output, requests, slates.is_real, context) for one in (full, artifact))
        return compare_slates(earlier, now, slates, rules)

    return _Ranking(compare, (rules.change_metric,), {"ranks": "slates"})


def _of_rows(output: str, rules: ParityRules, asked: AskedRows) -> _Ranking:
    def compare(full: Artifact, artifact: Artifact, context: Context) -> dict[str, Measurement]:
        rows = asked(context)
        is_real = np.ones(len(rows.labels), dtype=bool)
        earlier, now = (_scores(one, output, rows.requests, is_real, context) for one in (full, artifact))
        return compare_rows(earlier, now, rows, rules, seed=context.seed)

    return _Ranking(compare, (AUC_CHANGE,), {"ranks": "rows"})


def _lists(artifact: Artifact, output: str, k: int, context: Context) -> Lists:
    lists = _answers(artifact, output, context.requests, context)
    if lists.ndim != 2 or lists.shape[1] < k:
        raise CandidateError(f"output {output!r} has the shape {lists.shape}, so it holds no lists of k={k}. Lower k.")
    return lists[:, :k].astype(np.int64)


def _scores(
    artifact: Artifact, output: str, requests: Requests, is_real: NDArray[np.bool_], context: Context
) -> Scores:
    """The scores in the shape of ``is_real``; those of nothing real are 0."""
    answers = _answers(artifact, output, requests, context)
    if answers.shape not in (is_real.shape, (*is_real.shape, 1)):
        raise CandidateError(
            f"output {output!r} has the shape {answers.shape}, but what is ranked has {is_real.shape}. Give requests "
            "and what they ask in the same order, or state another output=."
        )
    scores = np.where(is_real, answers.reshape(is_real.shape).astype(np.float64), 0.0)
    if not np.isfinite(scores).all():
        raise CandidateError("the artifact gives scores that are NaN or infinite: its weights are broken.")
    return scores


def _answers(artifact: Artifact, output: str, requests: Requests, context: Context) -> NDArray[np.generic]:
    answers = run_requests(artifact.model_path, requests, listener=context.listener)
    if output not in answers:
        raise CandidateError(f"the artifact has no output {output!r}. It has {', '.join(answers)}: state output=.")
    return answers[output]
