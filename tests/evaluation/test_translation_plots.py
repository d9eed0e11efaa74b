import itertools
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from runnel.shared.evaluation import translation_plots as plots
from runnel.shared.evaluation.inline_svg import figure_to_svg
from runnel.shared.evaluation.palette import LIGHT
from runnel.shared.evaluation.plot_style import plot_style

WEIGHTS = [[0.9, 0.1, 0.0], [0.25, 0.25, 0.5]]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(mpl.text.Text) if text.get_text()]


def shown(labels: Sequence[Text]) -> list[str]:
    return [label.get_text() for label in labels]


def lines(axes: Axes, colour: str) -> list[tuple[list[float], list[float]]]:
    found = [line for line in axes.get_lines() if to_hex(line.get_color()) == LIGHT[colour]]
    return [(np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist()) for line in found]


def places(figure: Figure, labels: Sequence[Text]) -> list[Bbox]:
    """Where these stand when the figure is drawn."""
    with plot_style():
        figure.draw_without_rendering()
        return [label.get_window_extent() for label in labels]


def assert_inside(figure: Figure, boxes: Sequence[Bbox]) -> None:
    for box in boxes:
        assert figure.bbox.x0 - 1 <= box.x0 <= box.x1 <= figure.bbox.x1 + 1
        assert figure.bbox.y0 - 1 <= box.y0 <= box.y1 <= figure.bbox.y1 + 1


def attention(sources: int, targets: int, length: int) -> tuple[Figure, list[Text], list[Text]]:
    source, target = ([f"{number} " + "m" * (length - 2) for number in range(count)] for count in (sources, targets))
    figure = plots.attention_map(source, target, np.full((targets, sources), 1 / sources))
    axes = figure.axes[0]
    return figure, axes.get_xticklabels(), axes.get_yticklabels()


def test_an_attention_map_has_a_square_for_each_weight() -> None:
    figure = plots.attention_map(["un", "deux", "trois"], ["one", "two"], WEIGHTS)
    axes, squares = figure.axes[0], figure.axes[0].collections[0]
    offsets = np.asarray(squares.get_offsets()).tolist()
    sizes = dict(zip(map(tuple, offsets), squares.get_sizes(), strict=True))
    assert sizes.keys() == set(itertools.product(range(3), range(2)))
    for (column, row), size in sizes.items():
        assert size / sizes[0, 0] == pytest.approx(WEIGHTS[int(row)][int(column)] / 0.9)
    assert shown(axes.get_xticklabels()) == ["un", "deux", "trois"]
    assert shown(axes.get_yticklabels()) == ["one", "two"]
    assert axes.get_ylim() == (1.6, -0.6)  # the first token of the translation on top
    assert axes.get_xlim() == (-0.6, 2.6)


@pytest.mark.parametrize(("sources", "targets"), [(1, 1), (2, 30), (30, 30), (60, 2)])
def test_squares_do_not_touch(sources: int, targets: int) -> None:
    figure = plots.attention_map(["a"] * sources, ["b"] * targets, np.ones((targets, sources)))
    with plot_style():
        figure.draw_without_rendering()
    axes = figure.axes[0]
    side = np.sqrt(np.max(axes.collections[0].get_sizes())) / 72 * figure.dpi
    (left, top), (right, bottom) = axes.transData.transform([(0, 0), (1, 1)])
    assert side < right - left
    assert side < top - bottom


@pytest.mark.parametrize("length", [2, 40])
@pytest.mark.parametrize(("sources", "targets"), [(1, 1), (2, 30), (12, 12), (18, 3), (30, 30), (60, 1)])
def test_tokens_are_inside_the_figure_and_apart(sources: int, targets: int, length: int) -> None:
    figure, above, beside = attention(sources, targets, length)
    assert (len(above), len(beside)) == (sources, targets)
    boxes, rows = places(figure, above), places(figure, beside)
    assert_inside(figure, [*boxes, *rows])
    assert not any(lower.overlaps(upper) for upper, lower in itertools.pairwise(rows))
    for left, right in itertools.pairwise(boxes):
        # Of lines of text that are inclined, neighbours are apart by the sine of the angle.
        apart = (right.x0 - left.x0) * np.sin(np.radians(above[0].get_rotation()))
        assert apart >= above[0].get_fontsize() / 72 * figure.dpi
    assert all(right > left for left, right in itertools.pairwise(box.x0 for box in boxes))


def test_tokens_are_shown_as_they_are() -> None:
    source = ["$x$", "\\$", "a_{b}^2", "▁internationalization", "▁internationali"]
    target = ["a\nb", "\0", "", "été"]
    figure = plots.attention_map(source, target, np.ones((4, 5)))
    assert shown(figure.axes[0].get_xticklabels()) == [
        *("$x$", "\\$", "a_{b}^2", "▁internationali"[:15] + "…", "▁internationali"),
    ]
    assert shown(figure.axes[0].get_yticklabels()) == ["a␊b", "␀", "", "été"]
    svg = figure_to_svg(figure, "attention", "where it looks")
    assert ">$x$</text>" in svg
    assert ">\\$</text>" in svg
    assert "var(--blue)" in svg
    assert "<image" not in svg


def test_no_tokens_can_be_drawn() -> None:
    assert texts(plots.attention_map([], [], np.zeros((0, 0)))) == []
    assert set(texts(plots.attention_map(["a"], [], np.zeros((0, 1))))) == {"a"}


def curve(lags: Sequence[float], scores: Sequence[float], whole: float) -> tuple[Figure, list[Text]]:
    names = [f"k = {number + 1}" for number in range(len(lags))]
    figure = plots.quality_by_lag(names, lags, scores, whole=whole, metric="BLEU")
    named = [text for text in figure.findobj(mpl.text.Annotation) if isinstance(text, Text)]
    assert sorted(shown(named)) == [*names, "whole sentences"]
    return figure, named


def test_quality_is_drawn_against_the_lag_beside_that_of_whole_sentences() -> None:
    figure, names = curve([1.5, 3.0], [60.0, 80.0], 85.0)
    axes = figure.axes[0]
    assert lines(axes, "blue") == [([1.5, 3.0], [60.0, 80.0])]
    assert [heights for _, heights in lines(axes, "muted")] == [[85.0, 85.0]]
    assert {"BLEU", "average lag behind the speaker, words"} <= set(texts(figure))
    low, high = axes.get_ylim()
    assert low < 60 < 85 < high
    assert {name.get_text(): name.xy for name in names if name.get_text() != "whole sentences"} == {
        "k = 1": (1.5, 60.0),
        "k = 2": (3.0, 80.0),
    }


@pytest.mark.parametrize(
    ("lags", "scores", "whole"),
    [
        ([1.2, 2.9, 4.3], [55.0, 78.0, 85.0], 88.0),
        ([1.2, 2.1, 2.9, 4.3, 4.31], [55.0, 70.0, 78.0, 85.0, 85.1], 85.0),  # the last two are all but the same
        ([3.0, 3.05, 3.1, 3.9, 4.3], [80.0, 80.2, 80.3, 80.4, 80.45], 80.45),
        ([-1.2, 2.9], [85.0, 70.0], 10.0),
        ([2.0], [5.0], 5.0),
    ],
)
def test_points_are_named_inside_the_figure_and_apart(lags: list[float], scores: list[float], whole: float) -> None:
    figure, names = curve(lags, scores, whole)
    boxes = places(figure, names)
    assert_inside(figure, boxes)
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_nothing_simultaneous_can_be_drawn() -> None:
    figure, _ = curve([], [], 85.0)
    assert "whole sentences" in texts(figure)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.attention_map(["a"], ["b"], [[1.0, 0.0]]),
        lambda: plots.attention_map(["a", "b"], ["c"], [[1.0], [0.0]]),
        lambda: plots.attention_map(["a"], ["b"], [1.0]),
        lambda: plots.quality_by_lag(["a"], [1.0, 2.0], [3.0, 4.0], whole=1.0, metric="BLEU"),
        lambda: plots.quality_by_lag(["a", "b"], [1.0, 2.0], [3.0], whole=1.0, metric="BLEU"),
        lambda: plots.quality_by_lag(["a"], 1.0, [3.0], whole=1.0, metric="BLEU"),
    ],
)
def test_plots_refuse_what_does_not_belong_together(draw: object) -> None:
    with pytest.raises(ValueError, match="give"):
        draw()  # type: ignore[operator]
