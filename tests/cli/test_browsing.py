"""The verbs that look at a study: what they print, write and refuse."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from paretoopt.search.stored_study import open_stored_study

Ask = Callable[..., tuple[int, str, str]]


def test_studies_are_listed_with_what_they_search(study_url: str, ask: Ask) -> None:
    """Name, objectives, constraints, and how many trials stand how."""
    (study,) = json.loads(ask("studies", "--storage", study_url, "--format", "json")[1])

    assert study["study_name"] == "toy"
    assert study["objectives"] == ["quality ↑", "memory_mib ↓"]
    assert study["constraints"] == ["memory_mib ≤ 40"]
    assert (study["complete"], study["pruned"], study["running"]) == (5, 1, 0)


def test_trials_say_why_they_failed(study_url: str, ask: Ask) -> None:
    """Every candidate is there once; the one that failed has its reason."""
    rows = json.loads(ask("trials", "--storage", study_url, "--format", "json")[1])
    evaluated = [row for row in rows if row["state"] != "fail"]

    assert sorted(row["size"] for row in evaluated) == [1, 2, 3, 4, 5, 6]
    assert {row["size"]: row["reason"] for row in evaluated if row["reason"]} == {6: "fit: out of memory"}


def test_best_trials_are_the_front(study_url: str, ask: Ask) -> None:
    """The members of the front, each with its measurements and their intervals."""
    rows = json.loads(ask("best-trials", "--storage", study_url, "--format", "json")[1])

    assert sorted(row["number"] for row in rows) == sorted(
        member.number for member in open_stored_study(storage=study_url).pareto_front()
    )
    assert {(row["size"], row["quality"], row["quality_low"], row["artifact_mib"]) for row in rows} == {
        (size, size, size - 0.25, 9 - size) for size in (1, 2, 3, 4)
    }


def test_csv_has_what_json_has(study_url: str, ask: Ask) -> None:
    """One line per row, one column per key, and nothing else on standard output."""
    listed = json.loads(ask("trials", "--storage", study_url, "--format", "json")[1])
    status, printed, told = ask("trials", "--storage", study_url, "--format", "csv")

    assert (status, told) == (0, "")
    assert list(csv.DictReader(io.StringIO(printed))) == [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in listed
    ]


@pytest.mark.parametrize(
    ("wishes", "size"),
    [
        (["--prefer", "quality"], 4),
        (["--prefer", "quality", "--within", "memory_mib<=25"], 2),
        (["--prefer", "memory_mib", "--within", "quality>=3", "--within", "memory_mib<=40", "--on-estimate"], 3),
        (["--prefer", "minimize:artifact_mib"], 4),
        (["--rule", "weighted_sum", "--weight", "quality=1"], 4),
        (["--rule", "topsis", "--weight", "memory_mib=1", "--on-estimate"], 1),
    ],
)
def test_pick_is_the_picking_of_the_front(study_url: str, ask: Ask, wishes: list[str], size: int) -> None:
    """Limits and the preference are those of ``front.pick``; the reason comes along."""
    (picked,) = json.loads(ask("pick", *wishes, "--storage", study_url, "--format", "json")[1])

    assert picked["size"] == size
    assert picked["why"].startswith(f"Trial {picked['number']} has the ")


def test_pick_tells_a_person_the_reason(study_url: str, ask: Ask) -> None:
    """The reason stands above the table."""
    status, printed, _ = ask("pick", "--prefer", "quality", "--storage", study_url)

    assert status == 0
    assert "has the highest quality of 4 non-dominated candidates within the limits." in printed.splitlines()[0]
    assert printed.splitlines()[-2].split() == ["trial", "size", "quality", "memory_mib"]


@pytest.mark.parametrize(
    "kind", ["pareto-front", "parallel-coordinates", "hypervolume-history", "marginal-effects", "stage-seconds"]
)
def test_a_plot_is_one_file(study_url: str, ask: Ask, kind: str) -> None:
    """The file's name is printed; it holds the plot and what draws it."""
    status, printed, _ = ask("plot", kind, "--storage", study_url)

    assert (status, printed) == (0, f"{kind}.html\n")
    assert "Plotly.newPlot" in Path(f"{kind}.html").read_text(encoding="utf-8")


def test_the_report_is_that_of_the_study(study_url: str, ask: Ask) -> None:
    """The file's name is printed, and the page tells of the study."""
    assert ask("report", "--output", "pages/toy.html", "--storage", study_url)[:2] == (0, "pages/toy.html\n")
    assert "toy" in Path("pages/toy.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "cause", "remedy"),
    [
        (["studies"], "There is no study database 'paretoopt.db'.", "Name another storage, or run a study first."),
        (["trials", "--storage", "toy.db"], "storage='toy.db' is no database URL.", "Write storage='sqlite:///toy.db'"),
        (["trials", "--storage", "URL", "--study-name", "tow"], "sqlite:///", "It has 'toy'."),
        (["pick", "--storage", "URL", "--within", "size"], "'size' is no limit.", "Write METRIC<=NUMBER"),
        (["pick", "--storage", "URL", "--within", "size<=big"], "'size<=big' is no limit.", "Write METRIC<=NUMBER"),
        (["pick", "--storage", "URL", "--prefer", "a b"], "'a b' is no preference.", "Write METRIC, minimize:"),
        (["pick", "--storage", "URL", "--prefer", "artifact_mib"], "'artifact_mib' is no objective", "Write minimize("),
        (["pick", "--storage", "URL", "--within", "quality>=9"], "", ""),
        (["plot", "--storage", "URL", "--x", "speed"], "'speed'", ""),
        (["plot", "stage-seconds", "--storage", "URL", "--x", "size"], "stage-seconds has no axes", "Leave --x"),
        (["plot", "--storage", "URL", "--output", "toy.db/x.html"], "toy.db/x.html cannot be written", "Name a file"),
        (["report", "--storage", "URL", "--output", "."], ". cannot be written", "Name a file with --output."),
        (["studios"], "No such command 'studios'", "Did you mean 'studies'?"),
        (["winners"], "No such command 'winners'", "See paretoopt --help."),
    ],
)
def test_a_mistake_has_a_cause_and_a_remedy(
    study_url: str, ask: Ask, arguments: list[str], cause: str, remedy: str
) -> None:
    """Exit status 2, nothing on standard output, and two lines on standard error."""
    status, printed, told = ask(*(study_url if one == "URL" else one for one in arguments))

    assert (status, printed) == (2, "")
    first, second = told.splitlines()
    assert first.startswith(f"Error: {cause}")
    assert second.startswith(remedy)
    assert second


def test_looking_makes_no_database(study_url: str, ask: Ask, tmp_path: Path) -> None:
    """A typing error in a file's name leaves no file behind."""
    assert ask("studies", "--storage", "sqlite:///typo.db")[0] == 2
    assert not (tmp_path / "typo.db").exists()
