"""What the names of metrics and parameters are called on axes and in tables, with their units."""

from __future__ import annotations

import html
import math
import re

from paretoopt.candidate import Candidate, Measurement

_WHOLE_TITLES = {
    "memory_total_mib": "total memory (MiB)",
    "artifact_mib": "artifact size (MiB)",
    "training_cost": "training cost (worker-seconds)",
    "serving_cost": "serving cost (per million requests)",
}
_UNITS = {"ms": "ms", "s": "s", "seconds": "s", "mib": "MiB", "rps": "requests/s"}
_QUALITY = re.compile(r"(?P<test>test_)?(?P<measure>ndcg|hr|mrr|map|recall|precision)_at_(?P<k>\d+)")
_ACRONYMS = {"ndcg": "NDCG", "hr": "HR", "mrr": "MRR", "map": "MAP"}


def title(name: str) -> str:
    """The name for a person, with its unit or the data it was measured on.

    >>> title("ndcg_at_10"), title("test_hr_at_10"), title("latency_p95_ms"), title("embedding_dim")
    ('NDCG@10 (validation)', 'HR@10 (test)', 'latency p95 (ms)', 'embedding dim')
    """
    if name in _WHOLE_TITLES:
        return _WHOLE_TITLES[name]
    quality = _QUALITY.fullmatch(name)
    if quality:
        measure = _ACRONYMS.get(quality["measure"], quality["measure"])
        return f"{measure}@{quality['k']} ({'test' if quality['test'] else 'validation'})"
    stem, _, suffix = name.rpartition("_")
    if stem and suffix in _UNITS:
        return f"{_words(stem)} ({_UNITS[suffix]})"
    return _words(name)


def short_title(name: str) -> str:
    """The name for a person, without what stands in brackets.

    >>> short_title("latency_p95_ms")
    'latency p95'
    """
    return title(name).partition(" (")[0]


def number_text(value: float) -> str:
    """A number with the digits that a reader needs: at most four, thousands set apart.

    >>> number_text(0.091234), number_text(12.0), number_text(123456.0), number_text(float("nan"))
    ('0.09123', '12', '123,456', '–')
    """
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def value_text(value: object) -> str:
    """A parameter's value for a person."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return number_text(float(value)) if isinstance(value, int | float) and is_number else str(value)


def interval_text(measurement: Measurement) -> str:
    """The interval as ``low – high``; empty where it is not known."""
    if measurement.low is None or measurement.high is None:
        return ""
    return f"{number_text(measurement.low)} – {number_text(measurement.high)}"


def hover_text(candidate: Candidate) -> str:
    """The whole configuration and every metric, as the HTML that plotly's hover labels take."""
    lines = [f"<b>trial {candidate.number}</b>"]
    lines += [f"{_safe(title(name))}: {_safe(value_text(value))}" for name, value in candidate.params.items()]
    lines.append("")
    for name, measurement in candidate.measurements.items():
        interval = interval_text(measurement)
        lines.append(f"{_safe(title(name))}: {number_text(measurement.value)}" + (f" ({interval})" if interval else ""))
    return "<br>".join(lines)


def _safe(text: str) -> str:
    return html.escape(text, quote=False)


def _words(name: str) -> str:
    return name.replace("_", " ").strip()
