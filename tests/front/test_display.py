"""A front in a notebook."""

from __future__ import annotations

from paretoopt.candidate import Candidate, Measurement
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import at_most, minimize


def test_a_notebook_shows_the_members_best_first() -> None:
    """What the front is of, how many there are, and a row each; intervals stay in the frame."""
    latencies = {0: 2.0, 1: 1.0, 2: 1.0}
    candidates = [
        Candidate(number, {"dim": number}, {"ms": Measurement(ms, ms, ms), "mib": Measurement(3.0 - ms)})
        for number, ms in latencies.items()
    ]

    shown = ParetoFront(candidates[:2], [minimize("ms"), minimize("mib")], [at_most("ms", 5)])._repr_html_()

    assert "Pareto front of ms ↓, mib ↓, within ms ≤ 5: 2 of 2 candidates" in shown
    assert shown.index("<td>1</td>") < shown.index("<td>0</td>")
    assert "ms_low" not in shown


def test_a_notebook_runs_nothing_of_a_name() -> None:
    """Text from users is escaped, in headings and in cells; an empty front has a heading."""
    evil = "<script>alert(1)</script>"
    front = ParetoFront([Candidate(0, {evil: evil}, {evil: Measurement(1.0)})], [minimize(evil)])

    assert "<script>" not in front._repr_html_()
    assert "0 of 0 candidates" in ParetoFront([], [minimize("ms")])._repr_html_()
