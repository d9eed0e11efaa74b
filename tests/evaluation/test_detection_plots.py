import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from runnel.shared.evaluation import detection_plots as plots
from runnel.shared.evaluation.detection_plots import Accuracy
from runnel.shared.evaluation.detection_scores import DetCurve, Event, Word
from runnel.shared.evaluation.inline_svg import figure_to_svg
from runnel.shared.evaluation.palette import LIGHT

CURVE = DetCurve(np.arange(4.0), np.array([4.0, 1.0, 2.0, 0.0]), np.array([0.1, 0.3, 0.4, 0.5]), hours=2.0)
OTHER = DetCurve(np.arange(1.0), np.array([3.0]), np.array([0.2]), hours=2.0)
POSTERIORS = np.array([[0.1, 0.9, 0.0], [0.7, 0.2, 0.0], [0.3, 0.6, 0.01]])
LABELS = ["go", "_silence_", "stop"]
ACCURACY = Accuracy([0.5, 0.9], [0.4, 0.8], [0.6, 1.0])


def texts(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(mpl.text.Text) if text.get_text()}


def lines(axes: Axes, colour: str) -> list[tuple[list[float], list[float]]]:
    found = [line for line in axes.get_lines() if to_hex(line.get_color()) == LIGHT[colour]]
    return [(np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist()) for line in found]


def test_det_plot_draws_the_least_misses_up_to_each_rate() -> None:
    figure = plots.det_plot({"GRU": CURVE, "other": OTHER}, model="GRU", operating_point=(0.0, 0.45))
    assert lines(figure.axes[0], "blue") == [([0.25, 1.0, 2.0, 4.0, 4.0], [0.5, 0.3, 0.3, 0.1, 0.1])]
    assert lines(figure.axes[0], "vermilion") == [([3.0, 4.0], [0.2, 0.2])]
    assert lines(figure.axes[0], "ink") == [([0.25], [0.45])]  # no alarm at all stands at the left end
    assert figure.axes[0].get_xscale() == "log"
    assert {"GRU", "other", "as exported", "false alarms an hour", "commands missed", "0", "0.5", "2"} <= texts(figure)
    assert "as exported" not in texts(plots.det_plot({"GRU": CURVE}, model="GRU"))


def test_det_plot_of_short_audio_without_any_alarm_has_an_axis() -> None:
    short = DetCurve(np.arange(2.0), np.array([0.0, 0.0]), np.array([0.1, 0.3]), hours=0.25)
    low, high = plots.det_plot({"GRU": short}, model="GRU", operating_point=(0.0, 0.1)).axes[0].get_xlim()
    assert (low, high) == (2.0, 4.0)


def test_heat_map_shows_counts_and_shares_of_each_row() -> None:
    figure = plots.confusion_heat_map([[3, 1, 0], [0, 1500, 0], [0, 0, 0]], ["go", "stop", "_unknown_"])
    assert {"75 %", "25 %", "100 %", "3", "1", "1,500", "go", "stop", "_unknown_", "recognised as"} <= texts(figure)
    assert "0 %" not in texts(figure)
    cells = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    shade = {patch.get_xy(): patch.get_alpha() for patch in cells}
    assert set(shade) == {(0, 0), (1, 0), (1, 1)}  # (column, row)
    assert (shade[1, 0] or 0) < (shade[0, 0] or 0) < (shade[1, 1] or 0)
    assert figure.axes[0].get_ylim() == (3, 0)  # the first class on top


def test_heat_map_of_many_classes_has_no_numbers_in_it() -> None:
    figure = plots.confusion_heat_map(np.eye(30, dtype=int), [f"word {number}" for number in range(30)])
    assert "100 %" not in texts(figure)
    assert "word 29" in texts(figure)


def test_posteriors_are_drawn_when_they_are_known_and_events_when_they_fired() -> None:
    figure = plots.posteriors_over_time(
        np.linspace(-0.5, 0.5, 960), POSTERIORS, LABELS, events=[Event("go", 640, 0.7)], words=[Word("go", 160, 480)]
    )
    above, below = figure.axes
    assert lines(above, "blue") == [([0.02, 0.04, 0.06], [0.1, 0.7, 0.3]), ([0.04], [0.7])]  # the event in its colour
    assert lines(below, "blue")[0][0] == [0.04, 0.04]
    assert lines(above, "vermilion") == [([0.02, 0.04, 0.06], [0.9, 0.2, 0.6])]
    assert {"go", "_silence_", "waveform", "seconds"} <= texts(figure)
    assert "stop" not in texts(figure)  # never rises
    spans = [patch.get_x() for patch in above.patches if isinstance(patch, Rectangle)]
    assert spans == [0.01]
    drawn = below.collections[0].get_paths()[0].vertices
    assert (drawn[:, 1].min(), drawn[:, 1].max()) == (-0.5, 0.5)


def test_only_the_classes_asked_for_are_drawn() -> None:
    figure = plots.posteriors_over_time(np.zeros(960), POSTERIORS, LABELS, show=["stop"])
    assert lines(figure.axes[0], "blue") == [([0.02, 0.04, 0.06], [0.0, 0.0, 0.01])]
    assert "go" not in texts(figure)


def test_five_classes_rise_highest_and_those_of_events_are_among_them() -> None:
    rows = np.array([[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.02]])
    names = list("abcdefg")
    assert set(names) & texts(plots.posteriors_over_time(np.zeros(320), rows, names)) == set("abcde")
    fired = plots.posteriors_over_time(np.zeros(320), rows, names, events=[Event("g", 320, 0.02)])
    assert set(names) & texts(fired) == set("abcdg")


def test_no_sound_at_all_can_be_drawn() -> None:
    figure = plots.posteriors_over_time([], np.zeros((0, 3)), LABELS)
    assert "waveform" in texts(figure)


def test_accuracy_is_drawn_with_its_intervals() -> None:
    other = Accuracy([0.3, 0.4], [0.2, 0.3], [0.4, 0.5])
    figure = plots.accuracy_by_condition(
        [-5, 10], {"GRU": ACCURACY, "other": other}, model="GRU", condition="speech over noise"
    )
    assert lines(figure.axes[0], "blue") == [([-5.0, 10.0], [0.5, 0.9])]
    bars = [path.vertices.tolist() for path in figure.axes[0].collections[-1].get_paths()]  # the model is drawn last
    assert bars == [[[-5.0, 0.4], [-5.0, 0.6]], [[10.0, 0.8], [10.0, 1.0]]]
    assert {"GRU", "other", "-5", "10", "speech over noise (dB)", "clips recognised"} <= texts(figure)


def test_plots_can_stand_in_a_page() -> None:
    figure = plots.confusion_heat_map([[3, 1], [0, 2]], ["go", "stop"])
    svg = figure_to_svg(figure, "confusion", "which was taken for which")
    assert "var(--blue)" in svg
    assert "<image" not in svg


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.det_plot({"a": CURVE}, model="b"),
        lambda: plots.det_plot({"a": DetCurve(np.zeros(0), np.zeros(0), np.zeros(0), 1.0)}, model="a"),
        lambda: plots.confusion_heat_map([[1, 2]], ["a"]),
        lambda: plots.confusion_heat_map([[1]], ["a", "b"]),
        lambda: plots.confusion_heat_map([[-1]], ["a"]),
        lambda: plots.posteriors_over_time([0.0], POSTERIORS, ["go"]),
        lambda: plots.posteriors_over_time([0.0], POSTERIORS, LABELS, show=["yes"]),
        lambda: plots.posteriors_over_time([0.0], POSTERIORS, LABELS, events=[Event("yes", 1)]),
        lambda: plots.accuracy_by_condition([1], {"a": ACCURACY}, model="a", condition="level"),
        lambda: plots.accuracy_by_condition([1, 2], {"a": ACCURACY}, model="b", condition="level"),
    ],
)
def test_plots_refuse_what_does_not_belong_together(draw: object) -> None:
    with pytest.raises(ValueError, match="give"):
        draw()  # type: ignore[operator]
