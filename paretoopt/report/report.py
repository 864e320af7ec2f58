"""Writing a report."""

from __future__ import annotations

import base64
import gzip
import os
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import jinja2
from plotly.offline import get_plotlyjs

from paretoopt.candidate import Candidate
from paretoopt.front.baseline import find_baseline
from paretoopt.front.choice import Choice
from paretoopt.front.feasibility import metrics_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.report.cards import make_cards, params_text
from paretoopt.report.explorer import explorer_data
from paretoopt.report.figures import EFFECTS, make_figures, templates
from paretoopt.report.highlights import highlights
from paretoopt.report.reuse import make_reuse_table
from paretoopt.report.source import FailedCandidate, Reportable, WithPruned
from paretoopt.report.summary import summarize
from paretoopt.visualization.labels import short_title, title
from paretoopt.visualization.pareto_front import axes_of

_SCRIPTS = ("rule.js", "words.js", "limits.js", "front.js", "table.js", "choice.js", "page.js")


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
    data = explorer_data(front, found, baseline=baseline)
    figures = make_figures(front, baseline=baseline)
    return _template().render(
        name=name,
        summary=summarize(front, failures=failures, pruned=source.pruned() if isinstance(source, WithPruned) else ()),
        constraints=[str(constraint) for constraint in front.constraints],
        has_baseline=baseline is not None,
        cards=make_cards(found, front.objectives, baseline),
        can_explore=_can_explore(front),
        objectives=front.objectives,
        metrics=tuple(data.metrics),
        axes=_axes(front),
        explorer=asdict(data),
        effects=[one.removeprefix(EFFECTS) for one in figures if one.startswith(EFFECTS)],
        figures=figures,
        reuse=make_reuse_table(front.candidates),
        failures=[(failure.number, params_text(failure.params), failure.reason) for failure in failures],
        templates=templates(),
        plotly=_packed(get_plotlyjs()),
        style=_part("report.css"),
        script="\n".join(_part(name) for name in _SCRIPTS),
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
    # Objectives stand first, and parameters in their own order.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    environment.globals |= {"title": title, "short_title": short_title}
    return environment.get_template("report.html.j2")


def _packed(text: str) -> str:
    """The text, gzipped, as characters of base 64: plotly.js shrinks from 4.8 MB to 2.0 MB."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _can_explore(front: ParetoFront) -> bool:
    """Whether there is something to choose from, and two metrics to draw it in."""
    return len(dict.fromkeys([*(one.metric for one in front.objectives), *metrics_of(front.candidates)])) > 1 and bool(
        front.candidates
    )


def _axes(front: ParetoFront) -> dict[str, str]:
    if not _can_explore(front):
        return {}
    x, y, _ = axes_of(front)
    return {"x": x, "y": y}


def _part(name: str) -> str:
    return files("paretoopt.report").joinpath("templates", name).read_text(encoding="utf-8")
