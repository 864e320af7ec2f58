"""A small study to report on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from paretoopt.candidate import Candidate, Measurement, StageRun
from paretoopt.front.front_of import front_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import maximize, minimize
from paretoopt.report.report import write_report
from paretoopt.space import Params

OBJECTIVES = (maximize("ndcg_at_10"), minimize("latency_p95_ms"), minimize("memory_mib"))
MakeCandidate = Callable[..., Candidate]
OpenReport = Callable[..., Page]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Failure:
    """A candidate that could not be evaluated."""

    number: int
    params: Params
    reason: str
    training_cost: float = 0.0


@dataclass(frozen=True)
class FinishedStudy:
    """A study as a report reads it."""

    study_name: str
    front: ParetoFront
    failed: tuple[Failure, ...] = ()

    def pareto_front(self) -> ParetoFront:
        """The front."""
        return self.front

    def failures(self) -> Sequence[Failure]:
        """What failed."""
        return self.failed


@pytest.fixture
def make() -> MakeCandidate:
    """A candidate: ``make(3, quality=0.1, latency=5, memory=9, embedding_dim=64, linear_bits=8)``."""

    def build(number: int, *, quality: float, latency: float, memory: float, **params: float) -> Candidate:
        measured = {
            "ndcg_at_10": Measurement(quality, quality - 0.01, quality + 0.01),
            "latency_p95_ms": Measurement(latency),
            "memory_mib": Measurement(memory),
        }
        runs = (StageRun("fit", "one", number > 0, 60.0, trains=True), StageRun("latency", str(number), False, 5.0))
        return Candidate(number, params, measured, runs)

    return build


@pytest.fixture
def candidates(make: MakeCandidate) -> list[Candidate]:
    """The uncompressed candidate, two members, and a dominated one."""
    return [
        make(0, quality=0.09, latency=10, memory=40, embedding_dim=64, pruning_ratio=0.0, linear_bits=32),
        make(1, quality=0.088, latency=3, memory=10, embedding_dim=64, pruning_ratio=0.25, linear_bits=8),
        make(2, quality=0.05, latency=2, memory=5, embedding_dim=16, pruning_ratio=0.5, linear_bits=8),
        make(3, quality=0.04, latency=9, memory=39, embedding_dim=16, pruning_ratio=0.0, linear_bits=32),
    ]


@pytest.fixture
def make_study(candidates: Sequence[Candidate]) -> Callable[..., FinishedStudy]:
    """A study of ``candidates`` with a name of one's own and failures: ``make_study("shop", (3, {}, "why"))``."""

    def build(name: str, *failed: tuple[int, Params, str]) -> FinishedStudy:
        return FinishedStudy(name, ParetoFront(candidates, OBJECTIVES), tuple(Failure(*one) for one in failed))

    return build


@pytest.fixture(scope="session")
def movielens() -> ParetoFront:
    """The 96 candidates that were measured on MovieLens 100K, with their intervals."""
    table = Path(__file__).parents[2] / "docs" / "results" / "movielens.csv"
    return front_of(table, [*OBJECTIVES, maximize("closed_loop_rps")])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, the one of the system; nothing is downloaded."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no Chromium on the path: install one of {', '.join(BROWSERS)}, for example with apt-get")
    # Chromium refuses its sandbox to root, as in a container.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def written(movielens: ParetoFront, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of MovieLens, written once for the many tests that open it."""
    return write_report(movielens, tmp_path_factory.mktemp("report") / "movielens.html")


@pytest.fixture
def open_report(browser: Browser, movielens: ParetoFront, written: Path, tmp_path: Path) -> Iterator[OpenReport]:
    """Opens a report from disk, offline; no error and no request may come of whatever the test then does with it."""
    troubles: list[str] = []
    contexts: list[BrowserContext] = []

    def load(source: ParetoFront | FinishedStudy, **options: Any) -> Page:  # noqa: ANN401 - Playwright's own
        path = written if source is movielens else write_report(source, tmp_path / "report.html")
        context = browser.new_context(offline=True, **({"viewport": {"width": 1366, "height": 768}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda told: troubles.append(told.text) if told.type == "error" else None)
        page.on("request", lambda asked: troubles.append(asked.url) if asked.url != path.as_uri() else None)
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready]")
        return page

    yield load
    for context in contexts:
        context.close()
    assert troubles == []
