"""Quality of an artifact's click predictions (AUC and log-loss), and whether quantisation keeps it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretoopt.artifact.artifact import Artifact
from paretoopt.candidate import Measurement
from paretoopt.data.clicks import UNKNOWN, Clicks, Impressions
from paretoopt.measurement.click_intervals import auc_interval, auc_per_cluster, log_loss_interval
from paretoopt.measurement.click_quality import auc, log_loss
from paretoopt.measurement.inference import run_requests
from paretoopt.measurement.per_user import read_per_user, write_per_user
from paretoopt.measurement.ranked_parity import ranked_parity
from paretoopt.measurement.score_parity import LabelledRows
from paretoopt.pipeline.stage import Context, Measure, Requests
from paretoopt.space import Params

_SEARCHED = ("auc", "log_loss")
_TESTED = ("test_auc", "test_log_loss")


def prediction_quality(*, cluster_field: str | None = None) -> Measure:
    """The measure of ``auc`` and ``log_loss`` on validation, and of the same on test as ``test_*``.

    Every row is answered by the artifact itself, in a process of its own. Search on validation; test is for what is
    reported, and is refused as an objective or constraint. Intervals are those of drawing rows anew, or, with a
    ``cluster_field``, of drawing all rows of a value anew; the AUC of each cluster (its part of the mean) is kept, so
    that candidates are compared over the same rows.

    Args:
        cluster_field: The categorical field whose equal values belong together, such as the user's; rows of unknown
            values belong to nobody else. None takes rows as independent.
    """

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        clicks: Clicks = context.data
        probabilities = _answers(artifact, clicks, context)
        measured: dict[str, Measurement] = {}
        kept: dict[str, NDArray[np.float64]] = {}
        halves = np.split(probabilities, [len(clicks.validation)])
        for prefix, part, half in zip(("", "test_"), (clicks.validation, clicks.test), halves, strict=True):
            clusters = _clusters(clicks, part, cluster_field)
            labels = part.labels
            measured[f"{prefix}auc"] = Measurement(auc(labels, half), *auc_interval(labels, half, clusters))
            measured[f"{prefix}log_loss"] = Measurement(
                log_loss(labels, half), *log_loss_interval(labels, half, clusters)
            )
            kept[f"{prefix}auc"] = auc_per_cluster(labels, half, clusters)
        write_per_user(context.folder, kept)
        return measured

    return Measure(
        name="quality",
        metrics=(*_SEARCHED, *_TESTED),
        run=run,
        settings={"cluster_field": cluster_field or ""},
        reported_only=frozenset(_TESTED),
        per_user=read_per_user,
    )


def prediction_parity(*, cluster_field: str | None = None) -> Measure:
    """The measure of ``overlap_at_10`` and ``auc_change`` on all validation rows.

    The 10 best of each 100 rows in random order are compared, however many rows the pipeline's requests have: of a
    single row nothing could be said.

    Args:
        cluster_field: As for :func:`prediction_quality`, for the interval of ``auc_change``.
    """

    def asked(context: Context) -> LabelledRows:
        clicks: Clicks = context.data
        part = clicks.validation
        return LabelledRows(_row_requests(clicks, part), part.labels, _clusters(clicks, part, cluster_field))

    return ranked_parity(output="probabilities", rows=asked, cluster_field=cluster_field or "")


def requests_of(clicks: Clicks, part: Impressions, rows: NDArray[np.int64]) -> Requests:
    """Requests of the rows of ``part`` that ``rows`` names, of shape ``(n_requests, n_rows)``."""
    requests: dict[str, NDArray[np.generic]] = {"categories": part.categories[rows]}
    # An input of width 0 would be asked for in every request, and say nothing.
    return requests | ({"numbers": part.numbers[rows]} if clicks.numeric_fields else {})


def _answers(artifact: Artifact, clicks: Clicks, context: Context) -> NDArray[np.float64]:
    """The probability of each validation row, then of each test row."""
    parts = [_row_requests(clicks, part) for part in (clicks.validation, clicks.test)]
    inputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    answers = run_requests(artifact.model_path, inputs, listener=context.listener)
    return answers["probabilities"][:, 0].astype(np.float64)


def _row_requests(clicks: Clicks, part: Impressions) -> Requests:
    """A request of each row."""
    return requests_of(clicks, part, np.arange(len(part))[:, None])


def _clusters(clicks: Clicks, part: Impressions, cluster_field: str | None) -> NDArray[np.int64] | None:
    if cluster_field is None:
        return None
    values = part.categories[:, clicks.categorical_fields.index(cluster_field)]
    alone = -1 - np.arange(len(values))
    return np.where(values == UNKNOWN, alone, values)
