"""Quality of an artifact on slates (HR@k, NDCG@k, AUC and log-loss, per user), and whether quantisation keeps it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretoopt.artifact.artifact import Artifact
from paretoopt.candidate import Measurement
from paretoopt.data.slate_metrics import slate_quality
from paretoopt.data.slates import SlateData, Slates, slate_requests
from paretoopt.errors import CandidateError
from paretoopt.measurement.bootstrap import bounded_mean_interval, mean_interval
from paretoopt.measurement.click_quality import log_losses
from paretoopt.measurement.inference import run_requests
from paretoopt.measurement.per_user import read_per_user, write_per_user
from paretoopt.measurement.ranked_parity import ranked_parity
from paretoopt.pipeline.stage import Context, Measure, Requests
from paretoopt.space import Params

_PHASES = {"": "validation", "test_": "test"}


def slate_ranking_quality(*, k: int, length: int) -> Measure:
    """The measure of ``ndcg_at_k``, ``hr_at_k``, ``auc`` and ``log_loss`` on validation, and on test as ``test_*``.

    Each user's slate is scored by the artifact itself, in a process of its own. Every metric is a mean over users;
    intervals are BCa bootstraps over them. ``auc`` is that of a slate. ``log_loss`` is over all candidates of a slate:
    a model that learnt from 4 negatives per event expects more clicks than one in a slate of 100, so use it to compare
    candidates, not as a calibration.

    Args:
        k: Length of the list that counts.
        length: Items of history that a request holds; 0 for none.
    """
    names = (f"ndcg_at_{k}", f"hr_at_{k}", "auc", "log_loss")
    tested = tuple(f"test_{name}" for name in names)

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        data: SlateData = context.data
        per_user: dict[str, NDArray[np.float64]] = {}
        for prefix, phase in _PHASES.items():
            slates = data.validation if phase == "validation" else data.test
            requests = slate_requests(data, phase, length=length)
            scores = run_requests(artifact.model_path, requests, listener=context.listener)["scores"]
            columns = _columns(scores.astype(np.float64), slates, k)
            per_user |= {f"{prefix}{name}": column for name, column in zip(names, columns, strict=True)}
        write_per_user(context.folder, per_user)
        return {name: _measurement(name, values) for name, values in per_user.items()}

    return Measure(
        name="quality",
        metrics=(*names, *tested),
        run=run,
        settings={"k": k, "length": length, "ranking": "slates"},
        reported_only=frozenset(tested),
        per_user=read_per_user,
    )


def slate_parity(*, k: int, length: int) -> Measure:
    """The measure of ``overlap_at_k`` and ``ndcg_change_at_k`` by the scores of each user's validation slate.

    An artifact that lists the best candidates as well is compared by the scores that it lists them by. The pipeline's
    own requests do not do: nobody knows which of their candidates is wanted, and there may be a single one.

    Args:
        k: Length of the list that counts.
        length: Items of history that a request holds; 0 for none.
    """

    def asked(context: Context) -> tuple[Requests, Slates]:
        data: SlateData = context.data
        return slate_requests(data, "validation", length=length), data.validation

    return ranked_parity(k=k, output="scores", slates=asked, length=length)


def _columns(scores: NDArray[np.float64], slates: Slates, k: int) -> tuple[NDArray[np.float64], ...]:
    """NDCG@k, HR@k, AUC and log-loss of each user."""
    if not np.isfinite(scores).all():
        raise CandidateError("the artifact gives scores that are NaN or infinite: its weights are broken.")
    quality = slate_quality(scores, slates, k)
    return quality.gains, quality.hits, quality.areas, _slate_log_losses(scores, slates)


def _slate_log_losses(probabilities: NDArray[np.float64], slates: Slates) -> NDArray[np.float64]:
    """The log-loss of each user's slate, mean over its candidates."""
    is_clicked = np.arange(slates.candidates.shape[1]) == slates.positions[:, None]
    losses = log_losses(is_clicked[slates.is_real].astype(np.int64), probabilities[slates.is_real])
    rows = np.nonzero(slates.is_real)[0]
    means: NDArray[np.float64] = np.bincount(rows, weights=losses) / slates.is_real.sum(1)
    return means


def _measurement(name: str, values: NDArray[np.float64]) -> Measurement:
    interval = mean_interval if name.endswith("log_loss") else bounded_mean_interval
    return Measurement(float(values.mean()), *interval(values))
