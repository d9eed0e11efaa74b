import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from runnel.shared.evaluation.plots import calibration_plot
from runnel.shared.evaluation.report import (
    Code,
    Item,
    KeyFigures,
    Note,
    Plot,
    Report,
    Section,
    Table,
    Text,
    format_cell,
    render_report,
    write_report,
)

HOSTILE = "<script>alert(1)</script> & \"q\" 'r' {{ 7 * 7 }} {% x %}"
DASH = "\N{EN DASH}"
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Collects the text of a page and checks that every element is closed in its order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def every_item(text: str = "words") -> tuple[Item, ...]:
    return (
        Text(f"{text}\n\nsecond paragraph"),
        Note(text),
        KeyFigures([(text, 1.5, text), ("rows", 12345, "")]),
        Table((text, "error"), [(text, 0.5), ("none", None)], caption=text, highlight=(0,)),
        Plot(calibration_plot([0.5, 0.9], [0.4, 0.9]), text),
        Code(text, caption=text),
    )


def example(text: str = "words") -> Report:
    return Report(text, (text, "second line"), [Section(text, every_item(text))] * 3, footer=text)


def test_the_page_asks_for_nothing() -> None:
    html = render_report(example())
    assert "http://" not in html
    assert "https://" not in html
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    for tag, attributes in Page(html).tags:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "base"}
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")


def test_user_text_appears_as_it_is() -> None:
    page = Page(render_report(example(HOSTILE)))
    assert "script" not in {tag for tag, _ in page.tags}
    # title and heading, summary, navigation and headings of three sections, footer; ten places in each section
    assert page.text.count(HOSTILE) == 2 + 1 + 3 * 2 + 1 + 3 * 10
    assert {attributes["aria-label"] for tag, attributes in page.tags if tag == "svg"} == {HOSTILE}


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    assert render_report(example()) == render_report(example())
    path = tmp_path / "report.html"
    write_report(example("Größe 温度"), path)
    assert path.read_bytes().decode("utf-8") == render_report(example("Größe 温度"))
    assert b"\r" not in path.read_bytes()


def test_identifiers_are_unique_and_links_lead_to_them() -> None:
    page = Page(render_report(example()))
    names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(names)) == len(names)
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links == ["#section-1", "#section-2", "#section-3"]
    assert {str(link)[1:] for link in links} <= set(names)


def test_the_page_follows_dark_screens_phones_and_printers() -> None:
    html = render_report(example())
    for rule in ("prefers-color-scheme: dark", "@media print", 'name="viewport"'):
        assert rule in html


def test_a_table_aligns_numbers_and_marks_the_model() -> None:
    table = Table(("name", "error", "note"), [("LSTM", 0.123456, "a"), ("last", math.nan, None)], highlight=(0,))
    html = render_report(Report("t", (), [Section("s", [table])]))
    assert '<tr class="highlight"><th scope="row">LSTM</th><td class="number">0.1235</td><td>a</td></tr>' in html
    assert '<th scope="col" class="number">error</th>' in html
    assert f'<td class="number">{DASH}</td>' in html
    assert "<nav" not in html
    assert "<footer>" not in html
    with pytest.raises(ValueError, match="row 1 has 1 cells; the header has 2"):
        Table(("a", "b"), [(1, 2), (3,)])


def test_an_empty_report_is_a_page() -> None:
    for sections in ([], [Section("s", [])], [Section("s", [Table(("a",), [])])]):
        assert "<h1>t</h1>" in render_report(Report("t", (), sections))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("as it is", "as it is"),
        (None, DASH),
        (math.nan, DASH),
        (math.inf, "infinite"),
        (-math.inf, "-infinite"),
        (True, "True"),
        (7, "7"),
        (1234567, "1,234,567"),
        (0.0, "0"),
        (0.5, "0.5000"),
        (-12.3456, "-12.35"),
        (999.96, "1,000"),
        (123456.7, "123,457"),
        (0.000012345, "1.234e-05"),
        (1e20, "1e+20"),
    ],
)
def test_format_cell(cell: str | float | None, text: str) -> None:
    assert format_cell(cell) == text
