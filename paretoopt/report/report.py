"""Writing a report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import jinja2
from plotly.offline import get_plotlyjs

from paretoopt.candidate import Candidate
from paretoopt.front.baseline import find_baseline
from paretoopt.front.choice import Choice
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.report.cards import make_cards, params_text
from paretoopt.report.figures import make_figures, make_panels, templates
from paretoopt.report.highlights import highlights
from paretoopt.report.reuse import make_reuse_table
from paretoopt.report.source import FailedCandidate, Reportable, WithPruned
from paretoopt.report.summary import summarize
from paretoopt.report.table import make_table


def write_report(
    source: Reportable | ParetoFront,
    path: str | os.PathLike[str],
    *,
    baseline: Candidate | None = None,
    chosen: Choice | None = None,
) -> Path:
    """Write one HTML file that shows what a study found; it needs no network and no other file.

    Folders on the way are made. The file appears whole or not at all.

    Args:
        source: A study, or a front of any measured configurations.
        path: The file to write; an older one is replaced.
        baseline: What the others are compared with; left out, the uncompressed candidate, where there is one.
        chosen: A choice to show first, with its reason.

    Returns:
        The path that was written.

    Raises:
        IsADirectoryError: ``path`` is a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"'{target}' is a folder. Name a file in it, for example '{target / 'report.html'}'.")
    page = render(source, baseline=baseline, chosen=chosen)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_text(page, encoding="utf-8")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def render(source: Reportable | ParetoFront, *, baseline: Candidate | None = None, chosen: Choice | None = None) -> str:
    """The report as HTML; the arguments are those of `write_report`."""
    name, front, failures = _parts(source)
    baseline = baseline or find_baseline(front.candidates)
    found = highlights(front, baseline=baseline, chosen=chosen)
    views = make_panels(front, found)
    return _template().render(
        name=name,
        summary=summarize(front, failures=failures, pruned=source.pruned() if isinstance(source, WithPruned) else ()),
        constraints=[str(constraint) for constraint in front.constraints],
        has_baseline=baseline is not None,
        cards=make_cards(found, front.objectives, baseline),
        panels=views.panels,
        hover_texts=views.hover_texts,
        figures=make_figures(front),
        table=make_table(front, found),
        reuse=make_reuse_table(front.candidates),
        failures=[(failure.number, params_text(failure.params), failure.reason) for failure in failures],
        templates=templates(),
        plotly=get_plotlyjs(),
    )


def _parts(source: Reportable | ParetoFront) -> tuple[str, ParetoFront, Sequence[FailedCandidate]]:
    if isinstance(source, ParetoFront):
        return "Pareto front", source, ()
    return source.study_name, source.pareto_front(), source.failures()


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("paretoopt.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
