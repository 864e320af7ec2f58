"""One HTML file that stands alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from paretoopt.candidate import Candidate
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import at_most, maximize, minimize
from paretoopt.report.report import render, write_report
from paretoopt.report.source import Reportable

MakeStudy = Callable[..., Reportable]
OBJECTIVES = (maximize("ndcg_at_10"), minimize("latency_p95_ms"), minimize("memory_mib"))


def test_a_report_is_one_file_that_needs_no_network(make_study: MakeStudy, tmp_path: Path) -> None:
    """No script, style, image or font is loaded from elsewhere, and the file stays below 6 MB."""
    path = write_report(make_study("shop"), tmp_path / "report.html")

    page = path.read_text(encoding="utf-8")
    assert re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=", page) == []
    assert page.count("<script") == page.count("</script>") == 4
    assert path.stat().st_size < 6_000_000


def test_names_parameters_and_reasons_are_escaped(make_study: MakeStudy) -> None:
    """What a user typed is shown, never run."""
    page = render(make_study("<script>alert(1)</script>", (9, {"model": "<img src=x>"}, "</script><b>crash</b>")))

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "model &lt;img src=x&gt;" in page
    assert "&lt;/script&gt;&lt;b&gt;crash&lt;/b&gt;" in page


def test_parameters_cannot_end_the_script(candidates: Sequence[Candidate]) -> None:
    """The plots' data stands in a script, which no value can close."""
    odd = Candidate(0, {"model": "</script><script>alert(1)"}, candidates[0].measurements)

    assert "</script><script>alert(1)" not in render(ParetoFront([odd], OBJECTIVES))


def test_missing_folders_are_made(make_study: MakeStudy, tmp_path: Path) -> None:
    """The path that was written is given back."""
    path = write_report(make_study("shop"), tmp_path / "a" / "b" / "report.html")

    assert path.is_file()


def test_an_older_report_is_replaced_whole(make_study: MakeStudy, tmp_path: Path) -> None:
    """Nothing but the report is left in the folder."""
    path = tmp_path / "report.html"
    path.write_text("old")

    write_report(make_study("shop"), path)

    assert "<h1>shop</h1>" in path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_no_report(make_study: MakeStudy, tmp_path: Path) -> None:
    """The error says what to name instead."""
    with pytest.raises(IsADirectoryError, match=r"is a folder\. Name a file in it"):
        write_report(make_study("shop"), tmp_path)


def test_a_front_alone_can_be_reported(candidates: Sequence[Candidate]) -> None:
    """No study is needed; the constraints are named."""
    page = render(ParetoFront(candidates, OBJECTIVES, [at_most("latency_p95_ms", 20)]))

    assert "<h1>Pareto front</h1>" in page
    assert "Constraints: latency_p95_ms ≤ 20." in page


def test_a_pick_is_shown_with_its_reason(make_study: MakeStudy, candidates: Sequence[Candidate]) -> None:
    """Each fact of the reason stands in the page."""
    study = make_study("shop")
    chosen = study.pareto_front().pick(within=[at_most("latency_p95_ms", 5)], prefer="ndcg_at_10")

    page = render(study, chosen=chosen)

    for line in chosen.why.splitlines():
        assert line in page


@pytest.mark.parametrize("n_objectives", [1, 2, 3])
@pytest.mark.parametrize("n_candidates", [0, 1, 4])
def test_any_number_of_candidates_and_objectives_has_a_report(
    candidates: Sequence[Candidate], n_candidates: int, n_objectives: int
) -> None:
    """From an empty study with one objective on, there is a page."""
    front = ParetoFront(candidates[:n_candidates], OBJECTIVES[:n_objectives])

    assert "</html>" in render(front)


def test_a_study_without_a_feasible_candidate_has_a_report(candidates: Sequence[Candidate]) -> None:
    """The page says that nothing is on the front."""
    page = render(ParetoFront(candidates, OBJECTIVES, [at_most("latency_p95_ms", 0.1)]))

    assert "4 of them are infeasible. None is on the Pareto front" in page
