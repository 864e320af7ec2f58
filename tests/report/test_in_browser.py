"""The report in headless Chromium: what a reader does, and what the page answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from playwright.sync_api import Locator, Page

import paretoopt as po
from paretoopt.candidate import Candidate
from paretoopt.errors import NoFeasibleCandidateError
from paretoopt.front.feasibility import On, is_feasible
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import Constraint, Objective, at_least, at_most, maximize, minimize
from paretoopt.report.source import Reportable

OpenReport = Callable[..., Page]
SENSES = {
    "ndcg_at_10": at_least,
    "latency_p95_ms": at_most,
    "memory_mib": at_most,
    "closed_loop_rps": at_least,
    "artifact_mib": at_most,
    "test_hr_at_10": at_least,
}


def set_limit(page: Page, metric: str, position: int) -> None:
    """Move a slider as a reader does; 0 to 100."""
    slider = page.locator(f"[data-limit={metric}]")
    slider.evaluate("(slider, place) => { slider.value = place; slider.dispatchEvent(new Event('input')); }", position)


def shown_limits(page: Page) -> list[Constraint]:
    """The limits that the page says it holds."""
    bounds = {metric: page.locator(f"[data-bound={metric}]").input_value() for metric in SENSES}
    return [SENSES[metric](metric, float(bound)) for metric, bound in bounds.items() if bound]


def picked(page: Page) -> int | None:
    """The trial that the page picked; None where nothing is within the limits."""
    trial = page.locator("#pick").get_attribute("data-trial")
    return int(trial) if trial else None


def listed(page: Page) -> list[int]:
    """The trials of the table, from the top."""
    rows: Locator = page.locator("#candidates tbody tr")
    return [int(trial) for trial in rows.evaluate_all("rows => rows.map(row => row.dataset.trial)")]


def expected_pick(front: ParetoFront, limits: Sequence[Constraint], prefer: str | None, on: On) -> int | None:
    """What Python picks."""
    try:
        return front.pick(within=limits, prefer=prefer, on=on).number
    except NoFeasibleCandidateError:
        return None


def test_sliders_move_the_pick_to_what_python_picks(open_report: OpenReport, movielens: ParetoFront) -> None:
    """Thirty settings of six sliders, by every preference, on estimates and on the ends of intervals."""
    page = open_report(movielens)
    random = np.random.default_rng(3)
    page.locator("#more-limits > summary").click()
    answers = []

    for place in range(30):
        on: On = "bound" if place % 2 else "estimate"
        prefer = [None, *(objective.metric for objective in movielens.objectives)][place % 5]
        page.locator("#reset").click()
        page.locator("#on-bound").set_checked(on == "bound")
        page.locator("#prefer").select_option(prefer or "")
        for metric in random.choice(list(SENSES), size=random.integers(0, 4), replace=False):
            strictness = int(random.integers(20, 85))
            set_limit(page, str(metric), 100 - strictness if SENSES[str(metric)] is at_most else strictness)
        answers.append(picked(page))
        assert answers[-1] == expected_pick(movielens, shown_limits(page), prefer, on)

    assert None in answers
    assert len(set(answers)) > 5


@pytest.mark.slow
def test_limits_and_what_was_set_aside_are_those_of_the_front(open_report: OpenReport, movielens: ParetoFront) -> None:
    """Where only objectives count, what finals put aside is no choice; the study's own limits always hold."""
    aside = {movielens.knee().number, movielens.pick(prefer="ndcg_at_10").number}
    front = ParetoFront(movielens.candidates, movielens.objectives, [at_most("latency_p99_ms", 0.25)], aside)
    page = open_report(front)

    assert picked(page) == front.knee().number
    page.locator("#prefer").select_option("ndcg_at_10")
    assert picked(page) == front.pick(prefer="ndcg_at_10").number
    page.locator("#more-limits > summary").click()
    set_limit(page, "artifact_mib", 60)
    assert picked(page) == expected_pick(front, shown_limits(page), "ndcg_at_10", "bound")
    assert picked(page) in aside


@pytest.mark.slow
@pytest.mark.parametrize("on", ["estimate", "bound"])
def test_a_typed_limit_holds_to_the_last_digit(open_report: OpenReport, movielens: ParetoFront, on: On) -> None:
    """The pick's own value, or the end of its interval, still allows it as a limit; a little less does not."""
    page = open_report(movielens)
    page.locator("#on-bound").set_checked(on == "bound")
    number = page.locator("[data-bound=latency_p95_ms]")
    page.locator("#prefer").select_option("ndcg_at_10")
    best = movielens.pick(prefer="ndcg_at_10", on=on)
    measured = best.measurements["latency_p95_ms"]
    limit = measured.high if on == "bound" else measured.value
    assert limit is not None

    number.fill(repr(limit))
    assert picked(page) == expected_pick(movielens, [at_most("latency_p95_ms", limit)], "ndcg_at_10", on) == best.number
    number.fill(repr(limit * (1 - 1e-9)))
    within = at_most("latency_p95_ms", limit * (1 - 1e-9))
    assert picked(page) == expected_pick(movielens, [within], "ndcg_at_10", on) != best.number


def test_front_and_table_follow_the_limits(open_report: OpenReport, movielens: ParetoFront) -> None:
    """The table lists the front of those within the limits, and the plot draws as many members."""
    page = open_report(movielens)
    assert sorted(listed(page)) == sorted(member.number for member in movielens)

    set_limit(page, "latency_p95_ms", 5)
    limits = shown_limits(page)
    within = [one for one in movielens.candidates if is_feasible(one, movielens.objectives, limits, "bound")]
    expected = sorted(member.number for member in ParetoFront(within, movielens.objectives))

    assert 0 < len(expected) < len(movielens)
    assert sorted(listed(page)) == expected
    page.wait_for_function(
        "n => document.getElementById('front').data.find(one => one.name === 'Pareto front').x.length === n",
        arg=len(expected),
    )
    page.locator("#listed").select_option("within")
    assert sorted(listed(page)) == sorted(one.number for one in within)


def test_where_nothing_is_within_the_limits_the_nearest_miss_is_named(
    open_report: OpenReport, movielens: ParetoFront
) -> None:
    """The reader learns which limit to relax."""
    page = open_report(movielens)
    page.locator("[data-bound=memory_mib]").fill("1")

    least = min(movielens.candidates, key=lambda one: one.measurements["memory_mib"].value)
    assert page.locator("#pick-headline").inner_text() == "No candidate is within the limits."
    assert f"nearest is trial {least.number}, which misses it by" in page.locator("#pick").inner_text()
    assert listed(page) == []


def test_two_are_pinned_and_compared(open_report: OpenReport, movielens: ParetoFront) -> None:
    """A click on a point or a row pins it; a third takes the place of the second; unpinning makes room."""
    page = open_report(movielens)
    page.locator("#front .nsewdrag").hover()
    first, second, third = listed(page)[:3]
    heads = page.locator("#comparison thead th")
    for trial in (first, second, third):
        page.locator(f"tr[data-trial='{trial}'] td:nth-child(2)").click()

    assert heads.all_inner_texts() == ["", f"A, trial {first}", f"B, trial {third}", "change"]
    page.get_by_role("button", name=f"Unpin trial {first}").click()
    assert heads.all_inner_texts()[2] == f"A, trial {third}"
    page.get_by_role("button", name=f"Unpin trial {third}").click()
    click_point(page, "dominated", 0)
    dominated = page.evaluate(
        "document.getElementById('front').data.find(one => one.name === 'dominated').hovertext[0]"
    )
    assert heads.all_inner_texts()[2] == f"A, {re.findall(r'trial [0-9]+', dominated)[0]}"


@pytest.mark.slow
def test_hovering_shows_the_whole_configuration(open_report: OpenReport, movielens: ParetoFront) -> None:
    """Every parameter and every metric, with intervals."""
    page = open_report(movielens)
    page.mouse.move(*point(page, "dominated", 3))
    page.wait_for_selector(".hoverlayer .hovertext")

    text = page.locator(".hoverlayer").text_content() or ""
    for title in (
        "embedding dim: ",
        "pruning ratio: ",
        "serving workers: ",
        "NDCG@10 (test): ",
        "artifact size (MiB): ",
    ):
        assert title in text


def test_titles_sort_the_table(open_report: OpenReport, movielens: ParetoFront) -> None:
    """First the greatest, then the least, and the heading says which."""
    page = open_report(movielens)
    header = page.locator("#candidates th", has_text="latency p95")
    latency = {one.number: one.measurements["latency_p95_ms"].value for one in movielens.candidates}

    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert listed(page) == sorted(listed(page), key=lambda trial: -latency[trial])
    header.get_by_role("button").press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert listed(page) == sorted(listed(page), key=lambda trial: latency[trial])


def test_what_is_copied_picks_and_exports_the_same(open_report: OpenReport, movielens: ParetoFront) -> None:
    """The copied line of the pick, run in Python, picks the same; the other lines export the pinned trial."""
    page = open_report(movielens, permissions=["clipboard-read", "clipboard-write"])
    set_limit(page, "latency_p95_ms", 3)
    page.locator("#on-bound").uncheck()
    page.locator("#prefer").select_option("memory_mib")

    line = copied(page, "Copy the pick")
    assert 'on="estimate"' in line
    assert eval(line, {"front": movielens, "po": po}).number == picked(page)
    page.get_by_role("button", name="Pin this one").click()
    number = picked(page)
    assert f"if one.number == {number})" in copied(page, "Copy the Python")
    expected = f"paretoopt export STUDY.py --trial {number} --output deploy/trial-{number}"
    assert copied(page, "Copy the command line") == expected


def test_everything_can_be_done_from_the_keyboard(open_report: OpenReport, movielens: ParetoFront) -> None:
    """Arrows move a slider and go from row to row, Enter pins, and what is picked is announced."""
    page = open_report(movielens)
    page.locator("[data-bound=latency_p95_ms]").focus()
    page.keyboard.press("Tab")
    for _ in range(4):
        page.keyboard.press("PageDown")
    page.keyboard.press("ArrowLeft")

    assert page.evaluate("document.activeElement.dataset.limit") == "latency_p95_ms"
    assert page.evaluate("document.activeElement.getAttribute('aria-valuetext')") == str(shown_limits(page)[0].bound)
    assert picked(page) == expected_pick(movielens, shown_limits(page), None, "bound")
    assert page.locator("#pick-headline").get_attribute("aria-live") == "polite"
    page.locator("#candidates th button").last.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    second = listed(page)[1]
    assert page.locator("#comparison thead").inner_text().count(f"trial {second}") == 1
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_laptop_and_phone_are_readable(
    open_report: OpenReport, movielens: ParetoFront, width: int, height: int, scheme: str
) -> None:
    """Nothing is wider than the screen, texts stand out from the page, and the front is drawn."""
    page = open_report(movielens, viewport={"width": width, "height": height}, color_scheme=scheme)

    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("#front .point").count() >= len(movielens.candidates)
    for selector in ("h1", ".muted", "#pick-headline", ".better", ".worse", ".pin", ".note"):
        assert contrast(page.locator(selector).first) > 4.5


def test_what_users_typed_is_shown_and_never_run(
    open_report: OpenReport, candidates: Sequence[Candidate], make_study: Callable[..., Reportable]
) -> None:
    """Names of parameters, values, metrics and reasons, in hover texts and tables made by script too."""
    evil = "<img src=x onerror=alert(1)>"
    named = [
        Candidate(
            one.number, {evil: evil + str(one.number)}, {**one.measurements, evil: one.measurements["memory_mib"]}
        )
        for one in candidates
    ]
    objectives: list[Objective] = [maximize("ndcg_at_10"), minimize(evil)]
    page = open_report(ParetoFront(named, objectives))

    page.locator("#candidates .pin").first.click()
    page.mouse.move(*point(page, "Pareto front", 0))
    assert page.locator("img").count() == 0
    assert evil in page.locator("#comparison").inner_text()
    page = open_report(make_study(evil, (9, {evil: evil}, evil)))
    assert page.locator("img").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("n_objectives", [1, 2])
@pytest.mark.parametrize("n_candidates", [0, 1, 4])
def test_small_studies_have_a_page_without_errors(
    open_report: OpenReport, candidates: Sequence[Candidate], n_candidates: int, n_objectives: int
) -> None:
    """Down to an empty one with a single objective."""
    objectives = [maximize("ndcg_at_10"), minimize("latency_p95_ms")]
    page = open_report(ParetoFront(candidates[:n_candidates], objectives[:n_objectives]))

    assert page.locator("h1").inner_text() == "Pareto front"
    assert page.locator("#candidates tbody tr").count() == (0 if n_candidates == 0 else len(listed(page)))


def copied(page: Page, name: str) -> str:
    """What is in the clipboard after a press of that button."""
    button = page.get_by_role("button", name=name).first
    button.click()
    button.locator("xpath=..").get_by_text("copied").wait_for()
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def point(page: Page, name: str, place: int) -> tuple[float, float]:
    """Where a point of the front's plot is on the screen."""
    page.locator("#front").scroll_into_view_if_needed()
    x, y = page.evaluate(
        """([name, place]) => {
          const plot = document.getElementById("front");
          const trace = plot.data.find(one => one.name === name);
          const { xaxis, yaxis } = plot._fullLayout;
          const box = plot.getBoundingClientRect();
          const across = xaxis._offset + xaxis.d2p(trace.x[place]);
          return [box.left + across, box.top + yaxis._offset + yaxis.d2p(trace.y[place])];
        }""",
        [name, place],
    )
    return x, y


def click_point(page: Page, name: str, place: int) -> None:
    """Point at it, so that plotly knows which one is meant, and click."""
    page.mouse.move(*point(page, name, place))
    page.wait_for_selector(".hoverlayer .hovertext")
    page.mouse.click(*point(page, name, place))


def contrast(text: Locator) -> float:
    """The contrast of a text with what is behind it, by WCAG 2."""
    found: float = text.evaluate(
        """element => {
          const parse = color => color.match(/[\\d.]+/g).map(Number);
          const linear = c => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
          const weights = [0.2126, 0.7152, 0.0722];
          const light = parts => weights.reduce((sum, weight, k) => sum + weight * linear(parts[k] / 255), 0);
          let behind = element;
          while (parse(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
          const colors = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
          const lights = colors.map(color => light(parse(color)));
          return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
        }"""
    )
    return found
