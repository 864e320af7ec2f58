"""The finals of a study of the next-item pipeline: real artifacts in real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretoopt.data.split import Split
from paretoopt.objectives import maximize, minimize
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.search.create import create_study
from paretoopt.space import Ordered, SearchSpace


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_finals_of_real_artifacts(pipeline: Pipeline, shop: Split, tmp_path: Path) -> None:
    """Two widths, measured in six rounds beside the uncompressed one: intervals, probabilities, paired quality."""
    study = create_study(
        SearchSpace(embedding_dim=Ordered(8, 16), embedding_bits=Ordered(32, 4)),
        objectives=[maximize("ndcg_at_10"), minimize("latency_p50_ms"), minimize("memory_mib")],
        storage=f"sqlite:///{tmp_path / 'study.db'}",
    )
    study.optimize(pipeline, n_trials=4, progress=False)

    front = study.finals(pipeline, top=2, rounds=6, progress=False)

    finalists = [one for one in front.candidates if one.probability_nondominated is not None]
    assert 2 <= len(finalists) <= 3
    for metric in ("latency_p50_ms", "latency_p95_ms", "closed_loop_rps", "memory_mib"):
        for measured in (one.measurements[metric] for one in finalists):
            assert measured.low is not None
            assert measured.high is not None
            assert 0 < measured.low <= measured.value <= measured.high
    assert set(pipeline.per_user(finalists[0].params)) >= {"ndcg_at_10", "test_ndcg_at_10"}
    assert all(len(values) == shop.n_users for values in pipeline.per_user(finalists[0].params).values())


def test_latency_is_corrected_for_drift_and_memory_is_not(pipeline: Pipeline) -> None:
    """A slow machine makes requests slow, and no artifact larger."""
    assert {"latency_p50_ms", "latency_p95_ms", "closed_loop_rps"} <= set(pipeline.timed_metrics)
    assert not {"memory_mib", "artifact_mib", "ndcg_at_10"} & set(pipeline.timed_metrics)
