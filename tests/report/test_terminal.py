"""The front as a table for the terminal."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from paretoopt.candidate import Candidate, Measurement
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import maximize, minimize
from paretoopt.report.terminal import front_table


def make_front() -> ParetoFront:
    """Two members and one dominated candidate."""

    def candidate(number: int, quality: float, throughput: float) -> Candidate:
        measured = {"ndcg_at_10": Measurement(quality), "throughput_rps": Measurement(throughput)}
        return Candidate(number, {"embedding_dim": 16 * (number + 1)}, measured)

    candidates = [candidate(0, 0.1, 25_850.0), candidate(1, 0.2, 900.0), candidate(2, 0.05, 800.0)]
    return ParetoFront(candidates, [maximize("ndcg_at_10"), maximize("throughput_rps")])


def printed(front: ParetoFront, width: int = 80, **marked: int) -> list[str]:
    """The lines of the table in a terminal of ``width`` columns."""
    console = Console(width=width, no_color=True)
    with console.capture() as captured:
        console.print(front_table(front, marked=marked))
    return captured.get().splitlines()


def test_the_best_in_the_first_objective_comes_first() -> None:
    """Members are listed by quality, and the dominated candidate is not."""
    rows = [line.split() for line in printed(make_front()) if line.strip()[:1].isdigit()]

    assert rows == [["1", "32", "0.2", "900"], ["0", "16", "0.1", "25,850"]]


def test_what_all_have_in_common_has_no_column() -> None:
    """It stands below the table, so that columns are left for what differs."""
    front = make_front()
    candidates = [replace(one, params={**one.params, "linear_bits": 8}) for one in front.candidates]

    lines = printed(ParetoFront(candidates, front.objectives))

    assert [line.split() for line in lines if line.strip()[:1].isdigit()] == [
        ["1", "32", "0.2", "900"],
        ["0", "16", "0.1", "25,850"],
    ]
    assert "All have linear_bits=8." in " ".join(lines)


def test_a_marked_member_carries_its_name() -> None:
    """The name stands before the trial's number."""
    assert any(line.split()[:2] == ["pick", "0"] for line in printed(make_front(), pick=0))


def test_the_title_counts_members_and_candidates() -> None:
    """How many of how many."""
    assert "2 of 3 measured configurations" in " ".join(" ".join(printed(make_front())).split())


def test_nothing_is_cut_off_in_a_narrow_terminal() -> None:
    """Headings and numbers are folded, never shortened."""
    assert "…" not in "".join(printed(make_front(), width=24))


def test_numbers_are_never_written_with_an_exponent() -> None:
    """Large values are grouped in thousands."""
    front = ParetoFront([Candidate(0, {}, {"artifact_mib": Measurement(1_234_567.0)})], [minimize("artifact_mib")])

    assert "1,234,567" in " ".join(printed(front))


def test_the_last_column_has_the_number_of_seeds() -> None:
    """Where some member was trained from several."""
    front = make_front()
    repeated = ParetoFront([replace(one, n_seeds=3) for one in front.candidates], front.objectives)

    assert not any("seeds" in line for line in printed(front))
    assert any(line.rstrip().endswith("seeds") for line in printed(repeated))
    assert sum(line.rstrip().endswith(" 3") for line in printed(repeated)) == 2
