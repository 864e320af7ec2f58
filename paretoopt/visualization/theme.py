"""The one place with colours: a light and a dark plotly template, and what each colour means.

Colours are those of Okabe and Ito (2008), which people with any colour vision tell apart; scales
are the middle of viridis, whose ends would vanish into a white or a black page.
"""

from __future__ import annotations

import plotly.graph_objects as go
import plotly.io as pio

MEMBER = "#0072B2"
DOMINATED = "#8A919E"
INFEASIBLE = "#D55E00"
MARK = "#D6499A"
SPENT = "#0072B2"
SAVED = "#9CC9E5"
INTERVAL = "rgba(138,145,158,0.45)"
OUTLINE = "rgba(120,126,138,0.9)"
SCALE = [(0.0, "#5A4FA8"), (0.3, "#2F7FA0"), (0.6, "#29AF7F"), (0.85, "#9BD93C"), (1.0, "#D2E21B")]
SHARES = [(0.0, "rgba(0,114,178,0.06)"), (1.0, "#0072B2")]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def _template(*, text: str, muted: str, grid: str) -> go.layout.Template:
    axis = {
        "gridcolor": grid,
        "linecolor": muted,
        "tickcolor": muted,
        "zeroline": False,
        "showline": True,
        "ticks": "outside",
        "automargin": True,
        "title": {"standoff": 10},
    }
    layout = go.Layout(
        font={"family": FONT, "size": 13, "color": text},
        # Transparent, so that a page's own background shows through.
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=[MEMBER, "#E69F00", "#009E73", "#CC79A7", "#56B4E9", INFEASIBLE],
        xaxis=axis,
        yaxis=axis,
        margin={"l": 60, "r": 20, "t": 50, "b": 50},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": muted, "activecolor": text},
        hoverlabel={"align": "left", "font": {"family": FONT, "size": 12}},
    )
    return go.layout.Template(layout=layout)


LIGHT = _template(text="#1F2430", muted="#9AA1AD", grid="#E6E8EC")
DARK = _template(text="#E4E7EC", muted="#5C6370", grid="#2C313A")

# So that a user says figure.update_layout(template="paretoopt_dark").
pio.templates["paretoopt"] = LIGHT
pio.templates["paretoopt_dark"] = DARK
