"""A matplotlib figure as SVG inside an HTML page: the same bytes each time, and readable on light and dark paper."""

import io
import re

from markupsafe import Markup, escape
from matplotlib.figure import Figure

from runnel.shared.evaluation.palette import LIGHT
from runnel.shared.evaluation.plot_style import plot_style

__all__ = ["figure_to_svg"]

LARGEST_SCALE = 1.25


def figure_to_svg(figure: Figure, name: str, description: str) -> Markup:
    """Draws a figure as an <svg> element.

    Colours of the palette become `var(--NAME)`, so that the style sheet of the page decides what they are. Text stays
    text, in the fonts of the page.

    Args:
        figure: what to draw; it is not changed.
        name: letters, digits and hyphens, unique in the page: the prefix of every identifier in the element.
        description: what the figure shows, for those who cannot see it.

    Returns:
        The element, without document header, metadata or any address.
    """
    buffer = io.StringIO()
    with plot_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\n?\s*", "", svg, flags=re.DOTALL)
    return Markup(_with_own_names(_with_palette(_with_header(svg, description)), name))


def _with_header(svg: str, description: str) -> str:
    """Replaces the opening tag: scales with the page up to its widest, no name spaces (HTML needs none)."""
    opening = svg[: svg.index(">") + 1]
    match = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', opening)
    if match is None:
        raise RuntimeError(f"matplotlib wrote an <svg> without viewBox: {opening}")
    widest = round(float(match[1]) * 96 / 72 * LARGEST_SCALE)  # points to CSS pixels
    header = f'<svg role="img" aria-label="{escape(description)}" {match[0]} style="max-width: {widest}px">'
    return header + svg[len(opening) :].replace("xlink:href=", "href=")


def _with_palette(svg: str) -> str:
    """Names the colours of the palette instead of spelling them."""
    for name, colour in LIGHT.items():
        svg = re.sub(rf"(?<=: ){colour}\b", f"var(--{name})", svg)
    return svg


def _with_own_names(svg: str, name: str) -> str:
    """Prefixes identifiers that something refers to and drops the others, so that figures of one page cannot clash."""
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
