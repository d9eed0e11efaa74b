import re
from html.parser import HTMLParser

import matplotlib as mpl
from matplotlib.figure import Figure

from runnel.shared.evaluation.inline_svg import figure_to_svg
from runnel.shared.evaluation.plots import fan_chart, series_with_scores

TIMES = list(range(0, 86400 * 8, 86400))


def example(label: str = "flow") -> Figure:
    return series_with_scores(TIMES, range(8), [0.1] * 7 + [1.0], label=label, threshold=0.9)


def test_the_same_figure_gives_the_same_bytes() -> None:
    figure = example()
    assert figure_to_svg(figure, "a", "b") == figure_to_svg(figure, "a", "b") == figure_to_svg(example(), "a", "b")


def test_settings_of_the_caller_change_nothing() -> None:
    expected = figure_to_svg(example(), "a", "b")
    with mpl.rc_context({"svg.fonttype": "path", "font.size": 30, "savefig.dpi": 300, "xtick.color": "red"}):
        assert figure_to_svg(example(), "a", "b") == expected


def test_no_address_no_header_no_colour_outside_the_palette() -> None:
    svg = figure_to_svg(example(), "a", "b")
    assert svg.startswith("<svg role=")
    assert svg.endswith("</svg>")
    for absent in ("http", "xlink", "<metadata", "<!--", "<?xml", "xmlns"):
        assert absent not in svg
    assert "var(--blue)" in svg
    assert re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", svg) == []


def test_every_reference_has_its_target_under_the_name_of_the_figure() -> None:
    svg = figure_to_svg(example(), "plot-1-2", "b")
    targets = set(re.findall(r' id="([^"]+)"', svg))
    used = set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg))
    assert used == targets
    assert used
    assert all(name.startswith("plot-1-2-") for name in used)


def test_text_stays_text_and_is_escaped() -> None:
    label = 'a<b> & "c" $d_1$ 温度'
    svg = figure_to_svg(fan_chart(TIMES[:2], [1.0, 2.0], [[1.0], [2.0]], [0.5], label=label), "a", 'says "<i>" & more')

    class Texts(HTMLParser):
        found: list[str]
        alternative: str | None

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "svg":
                self.alternative = dict(attrs)["aria-label"]

        def handle_data(self, data: str) -> None:
            self.found.append(data)

    parser = Texts()
    parser.found = []
    parser.feed(svg)
    assert label in parser.found
    assert parser.alternative == 'says "<i>" & more'
