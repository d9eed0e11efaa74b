import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from runnel.shared.evaluation import plots
from runnel.shared.evaluation.palette import DARK, LIGHT
from runnel.shared.evaluation.plot_axes import spread

NAN = float("nan")
TIMES = 1_700_000_000 + 86400 * np.arange(5)
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
QUANTILES = np.array([-2.0, -1.0, 0.0, 1.0, 2.0]) + np.arange(5.0)[:, None]


def texts(figure: Figure) -> set[str]:
    found = figure.findobj(mpl.text.Text)
    return {text.get_text() for text in found if text.get_text()}


def lines(figure: Figure, colour: str) -> list[np.ndarray]:
    return [line.get_ydata() for line in figure.axes[0].get_lines() if to_hex(line.get_color()) == LIGHT[colour]]


def test_fan_chart_shows_median_truth_history_and_names_its_bands() -> None:
    truth = np.array([0.5, NAN, 2.5, 3.0, NAN])
    figure = plots.fan_chart(
        TIMES,
        truth,
        QUANTILES,
        LEVELS,
        label="close",
        unit="USD",
        history_timestamps=TIMES[:2] - 86400 * 5,
        history=[7, 8],
    )
    assert {"median", "90 %", "50 %", "truth", "close (USD)", "time (UTC)"} <= texts(figure)
    np.testing.assert_array_equal(lines(figure, "blue"), [[0.0, 1.0, 2.0, 3.0, 4.0]])
    np.testing.assert_array_equal(lines(figure, "ink"), [[7.0, 8.0, *truth]])


def test_fan_chart_of_an_unknown_future_does_not_speak_of_truth() -> None:
    figure = plots.fan_chart(TIMES[:1], [NAN], QUANTILES[:1], LEVELS, label="close")
    assert "truth" not in texts(figure)
    assert "close" in texts(figure)


def test_fan_chart_without_a_median_says_which_quantile_it_draws() -> None:
    assert {"40 % quantile", "20 %"} <= texts(
        plots.fan_chart(TIMES, TIMES * NAN, QUANTILES[:, :2], (0.4, 0.6), label="x")
    )


def test_metric_by_step_draws_every_forecaster_by_name() -> None:
    errors = {"LSTM": [1.0, 2.0], "repeat last": [1.5, 2.5], "climatology": [3.0, 3.0]}
    figure = plots.metric_by_step(errors, model="LSTM", metric="mean absolute error", unit="°C", step="days ahead")
    assert {"LSTM", "repeat last", "climatology", "mean absolute error (°C)", "days ahead"} <= texts(figure)
    np.testing.assert_array_equal(lines(figure, "blue"), [[1.0, 2.0]])
    assert figure.axes[0].get_ylim()[0] == 0


def test_error_of_one_step_is_drawn_as_dots_with_the_least_error_on_top() -> None:
    figure = plots.metric_by_step({"LSTM": [1.25], "repeat last": [1.5], "none": [NAN]}, model="LSTM", metric="error")
    assert {"1.25", "1.5"} <= texts(figure)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names.index("LSTM") > names.index("repeat last")


def test_calibration_plot_holds_the_points() -> None:
    figure = plots.calibration_plot([0.5, 0.9], [0.45, 0.92], [0.4, 0.9], [0.5, 0.94])
    np.testing.assert_array_equal(lines(figure, "blue"), [[0.45, 0.92]])
    assert "share of truths covered" in texts(figure)
    assert {"0 %", "100 %"} <= texts(figure)


def test_training_curves_mark_the_best_epoch() -> None:
    history = [
        {"epoch": 1, "loss": 3.0, "val_loss": 2.5},
        {"epoch": 2, "loss": 2.0},
        {"epoch": 3, "loss": 1.0, "val_loss": 2.75},
    ]
    figure = plots.training_curves(history, loss_name="pinball loss")
    assert {"training", "validation", "best: 2.5", "pinball loss", "epoch"} <= texts(figure)
    assert "validation" not in texts(plots.training_curves([{"epoch": 1, "loss": 3.0}]))


def test_series_with_scores_marks_alarms_in_both_parts() -> None:
    figure = plots.series_with_scores(
        TIMES,
        [1, 2, NAN, 9, 2],
        [0, 0.1, NAN, 0.99, 0.2],
        label="flow",
        unit="l/s",
        threshold=0.95,
        faults=[(TIMES[3], TIMES[4])],
    )
    assert {"flow (l/s)", "anomaly score", "alarm", "shaded: known fault"} <= texts(figure)
    np.testing.assert_array_equal(lines(figure, "vermilion"), [[9.0]])


def test_close_labels_are_moved_apart_in_their_order() -> None:
    placed = spread(np.array([0.1, 0.5, 0.5, 0.52, 0.9]), 0.1)
    np.testing.assert_allclose(placed, [0.1, 0.5067 - 0.1, 0.5067, 0.5067 + 0.1, 0.9], atol=1e-4)
    assert len(spread(np.array([]), 0.1)) == 0


def test_names_of_users_are_no_formulas_and_may_be_long_or_in_any_script() -> None:
    name = r"price $x_1^{ & \frac <b>温度</b> " + "y" * 100
    figure = plots.fan_chart(TIMES, TIMES * NAN, QUANTILES, LEVELS, label=name, unit="$")
    assert f"{name[:63]}… ($)" in texts(figure)


def test_plots_leave_the_settings_of_matplotlib_alone() -> None:
    with mpl.rc_context({"font.size": 31.0, "lines.linewidth": 9.0, "xtick.color": "#123456"}):
        before = dict(mpl.rcParams)
        figure = plots.training_curves([{"epoch": 1, "loss": 3.0}, {"epoch": 2, "loss": 2.0}])
        assert dict(mpl.rcParams) == before
    tick = figure.axes[0].get_xticklabels()[0]
    assert (tick.get_fontsize(), to_hex(tick.get_color())) == (8.8, LIGHT["muted"])


def test_no_figure_is_registered_with_pyplot() -> None:
    import matplotlib.pyplot as plt

    plots.calibration_plot([0.5], [0.5])
    assert plt.get_fignums() == []


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_every_colour_is_readable_on_its_paper(colours: dict[str, str]) -> None:
    def luminance(colour: str) -> float:
        channels = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])  # WCAG 2.1, relative luminance

    for name in set(colours) - {"paper", "card", "rule"}:
        pair = sorted([luminance(colours[name]), luminance(colours["paper"])])
        ratio = (pair[1] + 0.05) / (pair[0] + 0.05)
        assert ratio >= (4.5 if name in {"ink", "muted", "blue"} else 3.0), name
    assert set(LIGHT) == set(DARK)
    assert len(set(colours.values())) == len(colours)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.fan_chart(TIMES, TIMES[:3], QUANTILES, LEVELS, label="x"),
        lambda: plots.fan_chart(TIMES, TIMES, QUANTILES, LEVELS[:3], label="x"),
        lambda: plots.metric_by_step({"a": [1.0]}, model="b", metric="m"),
        lambda: plots.metric_by_step({"a": [1.0], "b": [1.0, 2.0]}, model="b", metric="m"),
        lambda: plots.calibration_plot([0.5], [0.5, 0.6]),
        lambda: plots.calibration_plot([0.5], [0.5], lower=[0.4]),
        lambda: plots.training_curves([]),
        lambda: plots.series_with_scores(TIMES, [1.0], TIMES, label="x"),
    ],
)
def test_plots_refuse_what_does_not_belong_together(draw: object) -> None:
    with pytest.raises(ValueError, match="give"):
        draw()  # type: ignore[operator]
