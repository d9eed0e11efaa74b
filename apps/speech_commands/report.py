"""The report page of a trained recogniser."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from runnel.apps.speech_commands.config import Config
from runnel.apps.speech_commands.data import SpeechData
from runnel.apps.speech_commands.evaluate import PHRASES, Evaluation, Example, format_share, verdicts
from runnel.shared.evaluation.detection_plots import (
    Accuracy,
    accuracy_by_condition,
    confusion_heat_map,
    det_plot,
    posteriors_over_time,
)
from runnel.shared.evaluation.plots import training_curves
from runnel.shared.evaluation.report import KeyFigures, Note, Plot, Report, Section, Table, Text, format_cell

__all__ = ["build_report"]

_SYNTHETIC = "spoken_commands"
_ENOUGH_HOURS = 3.0  # to resolve one false alarm an hour


def build_report(
    evaluation: Evaluation, data: SpeechData, config: Config, history: Sequence[Mapping[str, Any]]
) -> Report:
    """Puts the evaluation on a page: continuous audio first, clips next, what it looks like, its limits last.

    Args:
        evaluation: what was measured on the test split.
        data: the recordings.
        config: the options.
        history: the logs of every epoch.
    """
    metrics = evaluation.metrics
    sections = [
        Section("Are commands heard in continuous audio?", _continuous(evaluation)),
        Section("Which commands", (_by_label(metrics["continuous"]),)),
        Section("Are single clips recognised?", _clips(metrics["clips"], data)),
        Section("In noise, and spoken softly", _trials(metrics["trials"])),
        Section("What the stream hears", _examples(evaluation.examples, data)),
    ]
    if history:
        plot = Plot(training_curves(list(history), loss_name="nats a word and a frame of silence"), "Loss by epoch")
        sections.append(Section("Training", (plot,)))
    sections.append(Section("Limits", (Text(_limits(metrics, config)),)))
    return Report(
        title=f"Speech commands: {len(data.labels) - 2} of them", summary=tuple(verdicts(metrics)), sections=sections
    )


def _continuous(evaluation: Evaluation) -> tuple:
    continuous = evaluation.metrics["continuous"]
    content, recall = continuous["content"], continuous["recall"]
    rate, delay = continuous["false_alarms_per_hour"], continuous["delay_ms"]
    at = " and ".join(f"{_share(value)} at {name}" for name, value in continuous["recall_at"].items())
    point = (rate["estimate"], 1 - recall["estimate"])
    return (
        Text(
            f"{content['hours']:.3g} hours were put together from clips and background noise of the test split: "
            f"{content['commands_per_hour']:,.0f} commands and {content['unknown_per_hour']:,.0f} other words an hour, "
            f"with somebody speaking for {content['speech_share']:.0%} of the time, at drawn distances from the noise "
            "and drawn levels. A command is heard if its event comes while it is spoken or within 0.75 s after it, "
            "and taken for another if an event of another label comes instead. Every other event is a false alarm, a "
            "second one for the same word too. In brackets, 95 % intervals: for "
            "recall by bootstrap over stretches of five minutes, for false alarms the exact ones of a Poisson count."
        ),
        KeyFigures(
            (
                (
                    "commands heard",
                    _share(recall["estimate"]),
                    f"{_share(recall['lower'])} .. {_share(recall['upper'])}",
                ),
                ("commands taken for another", _share(continuous["mistaken"]), "of those spoken"),
                ("false alarms an hour", rate["estimate"], f"{rate['lower']:.2f} .. {rate['upper']:.2f}"),
                ("ms from the end of a word to its event", delay["median"], f"95 % within {format_cell(delay['p95'])}"),
            )
        ),
        Plot(
            det_plot({"model": evaluation.det}, model="model", operating_point=point),
            "Misses against false alarms when all thresholds are moved by the same",
        ),
        Note(
            f"Read off this curve, recall is {at} false alarms an hour at the most. That is for comparing models, as "
            "these thresholds are chosen on the audio that is scored."
        ),
    )


def _by_label(continuous: Mapping[str, Any]) -> Table:
    rows = tuple(
        (label, scores["words"], scores["hits"], _share(scores["recall"]), scores["false_alarms"])
        for label, scores in continuous["labels"].items()
    )
    return Table(("command", "spoken", "heard", "recall", "false alarms"), rows)


def _share(value: float) -> str:
    return format_cell(None) if math.isnan(value) else f"{value:.1%}"


def _clips(clips: Mapping[str, Any], data: SpeechData) -> tuple:
    mid_stream = clips["mid_stream"]
    rows = (
        ("model, from a fresh state", format_share(clips["accuracy"])),
        (f"model, {mid_stream['seconds']:g} s into a stream", format_share(mid_stream["accuracy"])),
        *((name, format_share(score)) for name, score in clips["baselines"].items()),
    )
    speakers = f" of {clips['speakers']:,} speakers" if clips["speakers"] else ""
    return (
        Text(
            f"{clips['clips']:,} test clips{speakers}, each answered with one of {len(data.labels)} classes by its "
            f"frames together, each as far as it is not silence. {clips['silence']} The intervals are of a bootstrap "
            "over speakers where ten or more are known, else over clips."
        ),
        Table(("", "clips right"), rows, highlight=(0,)),
        Plot(confusion_heat_map(clips["confusion"], data.labels), "What was taken for what"),
    )


def _trials(trials: Mapping[str, Any]) -> tuple:
    plots = []
    for name, condition, caption in (
        ("snr", "speech over noise", "Clips right by the ratio of speech to background noise"),
        ("level", "peak level", "Clips right by how loud the word is; 0 dB is full scale"),
    ):
        pairs = sorted(zip(trials[name]["db"], trials[name]["accuracy"], strict=True), key=lambda pair: pair[0])
        bounds = ([score[bound] for _, score in pairs] for bound in ("estimate", "lower", "upper"))
        figure = accuracy_by_condition(
            [db for db, _ in pairs], {"model": Accuracy(*bounds)}, model="model", condition=condition
        )
        plots.append(Plot(figure, caption))
    return (
        Text(
            f"{trials['clips']:,} of the test clips in which a word is spoken, with noise of the test split added, or "
            f"made louder or softer. As they were recorded {format_share(trials['as_recorded'])} are right."
        ),
        *plots,
    )


def _examples(examples: Sequence[Example], data: SpeechData) -> tuple:
    items: list[Any] = [
        Text(
            "The posteriors of the frames, before they are smoothed. Shaded, where a command is spoken; a triangle "
            "marks an event, at its smoothed posterior."
        )
    ]
    if any(example.show == PHRASES for example in examples):
        items.append(
            Text(f"«{PHRASES[0]}» and «{PHRASES[1]}» sound nearly the same: what came before decides between them.")
        )
    items += [
        Plot(
            posteriors_over_time(
                example.waveform,
                example.probabilities,
                data.labels,
                events=example.events,
                words=example.words,
                show=example.show,
            ),
            example.title[:1].upper() + example.title[1:],
        )
        for example in examples
    ]
    return tuple(items)


def _limits(metrics: Mapping[str, Any], config: Config) -> str:
    hours = metrics["continuous"]["hours"]
    lines = [
        (
            "The continuous audio is made by pasting clips into noise, for the thresholds as for the test: people who "
            "talk to each other, music and rooms that echo are not in it. The thresholds were chosen on "
            f"{config.advanced.validation_hours:g} hours of it, of the validation split, for "
            f"{config.false_alarms_per_hour:g} false alarms an hour; choose them anew on audio like yours."
        ),
        "Words that are neither commands nor among the unknown words of the training may be taken for a command.",
    ]
    if config.data == _SYNTHETIC:
        lines.insert(0, "All voices are synthetic. How well real people are understood, these figures do not say.")
    if hours < _ENOUGH_HOURS:
        lines.append(
            f"{hours:.3g} hours cannot tell one false alarm an hour from none or from several; three hours are the "
            "least for that."
        )
    return "\n\n".join(lines)
