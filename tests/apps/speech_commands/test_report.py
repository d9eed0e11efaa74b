import dataclasses
import re

import numpy as np
import pytest
from streaming.tone_stream import CONFIG, LABELS, ToneStream, tone_clip, tone_clips, tone_data

from runnel.apps.speech_commands.evaluate import PHRASES, Example, evaluate, verdicts
from runnel.apps.speech_commands.report import build_report
from runnel.datasets.audio.speech_corpus import UNKNOWN
from runnel.shared.evaluation.report import Plot, Report, render_report

RECALL = ("estimate", "lower", "upper")
HISTORY = [{"epoch": 1, "loss": 2.0, "val_loss": 1.5}, {"epoch": 2, "loss": 1.0, "val_loss": 1.25}]


@pytest.fixture(scope="module")
def evaluation():
    stream = ToneStream((0.5, 0.5, np.inf, np.inf), deaf_to=("high",), unknown_as=0.6)
    return evaluate(
        stream, stream.detector, tone_data(), CONFIG, lambda clips: np.full(len(clips), LABELS.index("low"))
    )


@pytest.fixture(scope="module")
def page(evaluation):
    return render_report(build_report(evaluation, tone_data(), CONFIG, HISTORY))


def captions(report: Report) -> list[str]:
    return [item.caption for section in report.sections for item in section.items if isinstance(item, Plot)]


def text_of(page: str) -> str:
    """What a reader sees, plots left out."""
    plain = re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", " ", page, flags=re.DOTALL))
    return " ".join(plain.replace("\N{NO-BREAK SPACE}", " ").replace("&#39;", "'").split())


def test_says_first_what_the_model_is_worth(evaluation, page):
    text = text_of(page)
    for line in verdicts(evaluation.metrics):
        assert " ".join(line.split()) in text
    assert text.index("Are commands heard in continuous audio?") < text.index("Are single clips recognised?")


def test_model_stands_beside_its_baselines(evaluation, page):
    rows = dict(re.findall(r"<th scope=\"row\">([^<]*)</th>\s*<td>([\d.]+)% \(", page))
    clips = evaluation.metrics["clips"]
    assert rows == {
        "model, from a fresh state": f"{100 * clips['accuracy']['estimate']:.1f}",
        "model, 30 s into a stream": f"{100 * clips['mid_stream']['accuracy']['estimate']:.1f}",
        "always _unknown_": f"{100 * 15 / 51:.1f}",
        "convolutional network": f"{100 * 12 / 51:.1f}",
    }


def test_each_command_has_its_row(evaluation, page):
    cells = re.findall(r"<th scope=\"row\">(high|low)</th>(.*?)</tr>", page, flags=re.DOTALL)
    labels = evaluation.metrics["continuous"]["labels"]
    found = {name: re.findall(r"<td[^>]*>([^<]*)</td>", row) for name, row in cells}
    assert found["high"] == [str(labels["high"]["words"]), "0", "0.0%", "0"]
    assert found["low"][2:] == ["100.0%", str(labels["low"]["false_alarms"])]
    assert labels["low"]["false_alarms"] > 0


def test_shows_every_plot(evaluation, page):
    assert captions(build_report(evaluation, tone_data(), CONFIG, HISTORY)) == [
        "Misses against false alarms when all thresholds are moved by the same",
        "What was taken for what",
        "Clips right by the ratio of speech to background noise",
        "Clips right by how loud the word is; 0 dB is full scale",
        "The beginning of the continuous audio",
        "A clip of «high»",
        "A clip of «low»",
        "Loss by epoch",
    ]
    assert page.count("<svg") == 8


def test_an_export_without_history_has_no_training(evaluation):
    report = build_report(evaluation, tone_data(), CONFIG, [])
    assert "Training" not in [section.title for section in report.sections]


def test_phrases_that_sound_alike_are_set_against_each_other():
    """Two tones stand for the phrases; the stream calls them by its own labels."""
    labels = (*PHRASES, *LABELS[2:])
    names = dict(zip(LABELS, labels, strict=True))
    clips = tone_clips({"high": 12, "low": 12, UNKNOWN: 15})
    clips = dataclasses.replace(clips, labels=tuple(names[label] for label in clips.labels))
    data = dataclasses.replace(tone_data(clips), labels=labels)
    stream = ToneStream((0.5, 0.5, np.inf, np.inf), labels=labels, unknown_as=0.6)
    evaluation = evaluate(stream, stream.detector, data, CONFIG)
    phrases = [example for example in evaluation.examples if example.show == PHRASES]
    assert [[event.label for event in example.events] for example in phrases] == [[PHRASES[0]], [PHRASES[1]]]
    page = text_of(render_report(build_report(evaluation, data, CONFIG, [])))
    assert "«recognize speech» and «wreck a nice beach» sound nearly the same" in page
    assert page.count("A clip of «recognize speech»") >= 1


def test_limits_depend_on_the_voices_and_the_hours(evaluation):
    def limits(config, hours=0.1):
        metrics = {**evaluation.metrics, "continuous": {**evaluation.metrics["continuous"], "hours": hours}}
        page = build_report(dataclasses.replace(evaluation, metrics=metrics), tone_data(), config, [])
        (item,) = page.sections[-1].items
        return item.body

    synthetic = limits(dataclasses.replace(CONFIG, data="spoken_commands"), hours=3.0)
    assert "All voices are synthetic" in synthetic
    assert "cannot tell" not in synthetic
    real = limits(CONFIG)
    assert "synthetic" not in real
    assert "0.1 hours cannot tell one false alarm an hour from none" in real
    assert "0.05 hours of it, of the validation split, for 1 false alarms an hour" in real


def test_a_command_that_nobody_spoke_has_a_dash(evaluation):
    labels = {"low": {"words": 0, "hits": 0, "recall": float("nan"), "false_alarms": 3, "false_alarms_per_hour": 30.0}}
    continuous = {**evaluation.metrics["continuous"], "labels": labels, "recall": dict.fromkeys(RECALL, float("nan"))}
    continuous |= {"hits": 0, "delay_ms": {"median": float("nan"), "p95": float("nan")}}
    silent = dataclasses.replace(evaluation, metrics={**evaluation.metrics, "continuous": continuous}, examples=())
    text = text_of(render_report(build_report(silent, tone_data(), CONFIG, [])))
    assert "low 0 0 \N{EN DASH} 3" in text
    assert "nan" not in text


def test_an_example_without_events_is_drawn(evaluation):
    clip = tone_clip("low") / np.float32(32768)
    silent = Example("nothing", clip, np.zeros((50, 4), np.float32), ())
    page = render_report(build_report(dataclasses.replace(evaluation, examples=(silent,)), tone_data(), CONFIG, []))
    assert "Nothing" in text_of(page)


def test_asks_the_network_for_nothing(page):
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
