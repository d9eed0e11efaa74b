"""Colours of plots and of the report page: Okabe and Ito's colour-blind safe set, on paper and on a dark screen."""

__all__ = ["DARK", "LIGHT", "SERIES_COLOURS"]

LIGHT = {
    "paper": "#ffffff",
    "card": "#f6f7f9",
    "ink": "#1c2127",
    "muted": "#5f6b7a",
    "rule": "#d8dde4",
    "blue": "#0072b2",
    "vermilion": "#c44f00",
    "green": "#00825c",
    "purple": "#a8568a",
    "orange": "#b37400",
    "sky": "#2b8fc7",
}
"""Colours on white; figures are drawn in these."""

DARK = {
    "paper": "#14181d",
    "card": "#1d232a",
    "ink": "#e6eaef",
    "muted": "#9aa6b4",
    "rule": "#343d48",
    "blue": "#5bb4e8",
    "vermilion": "#ff8f4f",
    "green": "#3fc79a",
    "purple": "#e39cc6",
    "orange": "#f0b23f",
    "sky": "#8accf0",
}
"""The same names on a dark screen."""

SERIES_COLOURS = tuple(LIGHT[name] for name in ("vermilion", "green", "purple", "orange", "sky"))
"""For the lines beside the model's blue, in this order."""
