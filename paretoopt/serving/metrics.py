"""What a server tells Prometheus, summed over its workers.

Workers share their values through files in the folder that ``PROMETHEUS_MULTIPROC_DIR`` names; any of them answers for
all. The variable must be set before this module is imported.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """The values of one worker."""

    def __init__(self) -> None:
        """Register the metrics; a worker does so once."""
        registry = CollectorRegistry()
        self._answered = Counter(
            "paretoopt_requests", "Answers of POST /recommend, by HTTP status.", ["status"], registry=registry
        )
        self._seconds = Histogram(
            "paretoopt_request_seconds",
            "From the head of a request to its answer.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._model_seconds = Histogram(
            "paretoopt_model_seconds", "Waiting for the model and running it.", buckets=_BUCKETS, registry=registry
        )
        self._queued = Gauge(
            "paretoopt_queued_requests", "Accepted and not answered.", registry=registry, multiprocess_mode="livesum"
        )

    def answered(self, status: int, seconds: float) -> None:
        """Count one answer."""
        self._answered.labels(str(status)).inc()
        self._seconds.observe(seconds)

    @contextmanager
    def running_model(self) -> Iterator[None]:
        """Time the model."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._model_seconds.observe(time.perf_counter() - began)

    def queued(self, n_requests: int) -> None:
        """Tell how many requests wait."""
        self._queued.set(n_requests)


def exposition() -> bytes:
    """The metrics of all workers, in Prometheus's text format."""
    for path in Path(os.environ[FOLDER_VARIABLE]).glob("gauge_live*_*.db"):
        pid = int(path.stem.rpartition("_")[2])
        if not _is_alive(pid):  # it was killed, and could not say so itself
            mark_process_dead(pid)  # type: ignore[no-untyped-call]  # prometheus-client's is untyped
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus-client's is untyped
    return generate_latest(registry)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
