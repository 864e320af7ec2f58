"""The plots of a model card, as SVG.

A card is read where no script runs. Static export of plotly needs a browser, and matplotlib eight more packages; two
scatter plots are a page of template, and jinja2 is here already.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import jinja2

from paretoopt.candidate import Measurement
from paretoopt.visualization import theme
from paretoopt.visualization.labels import number_text, title
from paretoopt.visualization.pareto_front_record import Interval, ParetoFrontData, Point
from paretoopt.visualization.scale import is_log, log_ticks

_LEFT, _RIGHT, _TOP, _BOTTOM = 80.0, 620.0, 40.0, 340.0
_MARGIN = 0.06
_N_STEPS = 5


@dataclass(frozen=True)
class _Tick:
    at: float
    text: str


@dataclass(frozen=True)
class _Axis:
    title: str
    place: Callable[[float], float]
    ticks: tuple[_Tick, ...]


@dataclass(frozen=True)
class _Dot:
    x: float
    y: float
    color: str
    radius: float
    text: str
    bars: tuple[tuple[float, float, float, float], ...] = ()
    is_mark: bool = False


@dataclass(frozen=True)
class _Key:
    text: str
    color: str


def front_svg(data: ParetoFrontData) -> str:
    """The front with its intervals, the dominated faded, the infeasible and the chosen one set apart."""
    marked = [mark.point for mark in data.marks]
    points = [*data.infeasible, *data.dominated, *data.members, *marked]
    x = _axis(data.x, _ends([(one.x, one.x_interval) for one in points]), (_LEFT, _RIGHT))
    y = _axis(data.y, _ends([(one.y, one.y_interval) for one in points]), (_BOTTOM, _TOP))
    groups = (
        (data.infeasible, "infeasible", theme.INFEASIBLE, 3.0),
        (data.dominated, "dominated", theme.DOMINATED, 3.0),
        (data.members, "Pareto front", theme.MEMBER, 5.0),
    )
    dots = [_dot(one, x, y, color, radius, has_bars=radius > 3) for group, _, color, radius in groups for one in group]
    dots += [replace(_dot(one, x, y, theme.MARK, 9.0, has_bars=False), is_mark=True) for one in marked]
    dots = [replace(dot, text=f"trial {one.number}") for dot, one in zip(dots, points, strict=True)]
    keys = [_Key(text, color) for group, text, color, _ in groups if group]
    return _drawn(x, y, dots, [*keys, *(_Key(mark.label, theme.MARK) for mark in data.marks)])


def latency_svg(latencies: Mapping[str, Measurement]) -> str:
    """Each percentile across, its milliseconds up.

    Args:
        latencies: By the metric's name, for example ``"latency_p95_ms"``.
    """
    intervals = [(one.value, _interval(one)) for one in latencies.values()]
    y = _axis("latency_ms", _ends(intervals), (_BOTTOM, _TOP))
    step = (_RIGHT - _LEFT) / (len(latencies) + 1)
    places = {name: _LEFT + step * (number + 1) for number, name in enumerate(latencies)}
    names = {name: name.removeprefix("latency_").removesuffix("_ms").replace("_", ".") for name in latencies}
    x = _Axis("percentile", float, tuple(_Tick(places[name], names[name]) for name in latencies))
    dots = [
        _dot(Point(0, places[name], one.value, math.nan, None, _interval(one), names[name]), x, y, theme.MEMBER, 5.0)
        for name, one in latencies.items()
    ]
    return _drawn(x, y, dots, [])


def linear_ticks(low: float, high: float) -> list[float]:
    """Round values from ``low`` to ``high``: multiples of 1, 2 or 5 times a power of ten.

    >>> linear_ticks(0.0, 1.1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = (high - low) / _N_STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * min((1, 2, 5, 10), key=lambda factor: abs(math.log(factor * power / rough)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _interval(measurement: Measurement) -> Interval | None:
    if measurement.low is None or measurement.high is None:
        return None
    return measurement.low, measurement.high


def _ends(values: Sequence[tuple[float, Interval | None]]) -> list[float]:
    """Everything that has to fit on an axis."""
    return [end for value, interval in values for end in (value, *(interval or ())) if math.isfinite(end)]


def _axis(name: str, values: Sequence[float], pixels: tuple[float, float]) -> _Axis:
    uses_log = is_log(values)
    scale: Callable[[float], float] = math.log10 if uses_log else float
    low, high = scale(min(values, default=0.0)), scale(max(values, default=1.0))
    margin = _MARGIN * (high - low) or abs(low) * _MARGIN or 1.0
    low, high = low - margin, high + margin

    def place(value: float) -> float:
        return round(pixels[0] + (scale(value) - low) / (high - low) * (pixels[1] - pixels[0]), 1)

    ticks = log_ticks(10**low, 10**high) if uses_log else linear_ticks(low, high)
    return _Axis(title(name), place, tuple(_Tick(place(tick), number_text(tick)) for tick in ticks))


def _dot(point: Point, x: _Axis, y: _Axis, color: str, radius: float, *, has_bars: bool = True) -> _Dot:
    across, up = x.place(point.x), y.place(point.y)
    bars = []
    if has_bars:
        if point.x_interval is not None:
            bars.append((x.place(point.x_interval[0]), up, x.place(point.x_interval[1]), up))
        if point.y_interval is not None:
            bars.append((across, y.place(point.y_interval[0]), across, y.place(point.y_interval[1])))
    return _Dot(across, up, color, radius, point.hover, tuple(bars))


def _drawn(x: _Axis, y: _Axis, dots: Sequence[_Dot], keys: Sequence[_Key]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("paretoopt.bundle"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("scatter.svg.j2").render(x=x, y=y, dots=dots, keys=keys, font=theme.FONT)
