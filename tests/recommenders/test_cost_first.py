"""A study of a real pipeline that prunes before training."""

from __future__ import annotations

from pathlib import Path

from paretoopt.candidate import Progress
from paretoopt.data.split import Split
from paretoopt.objectives import at_most, maximize, minimize
from paretoopt.search.create import create_study
from paretoopt.space import Ordered, SearchSpace
from tests.recommenders.conftest import make_pipeline


def test_a_model_too_large_is_never_trained(shop: Split, tmp_path: Path) -> None:
    """Of two widths, one breaks the limit on bytes: a single model is trained, and both shapes were measured."""
    pipeline = make_pipeline(shop, tmp_path / "store")
    limit = pipeline.costs({"embedding_dim": 16}).measurements["artifact_mib"].value + 0.01
    study = create_study(
        SearchSpace(embedding_dim=Ordered(16, 64)),
        objectives=[maximize("ndcg_at_10"), minimize("memory_mib")],
        constraints=[at_most("artifact_mib", limit)],
        storage="sqlite:///:memory:",
    )
    heard: list[Progress] = []

    study.optimize(pipeline, listener=heard.append, progress=False)

    assert [progress.message for progress in heard if progress.stage == "fit"].count("started") == 1
    (pruned,), (trained,) = study.pruned(), study.candidates()
    assert (pruned.params["embedding_dim"], trained.params["embedding_dim"]) == (64, 16)
    assert {"latency_p95_ms", "memory_mib", "artifact_mib"} <= set(pruned.measurements)
    assert {run.name for run in pruned.runs} >= {"latency", "memory"}
