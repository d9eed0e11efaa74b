"""The report page of a trained translation model."""

from collections.abc import Mapping, Sequence
from typing import Any

from runnel.apps.translation.config import Config
from runnel.apps.translation.data import TranslationData
from runnel.apps.translation.evaluate import Evaluation, verdicts
from runnel.shared.evaluation.plots import metric_by_step, training_curves
from runnel.shared.evaluation.report import Plot, Report, Section, Table, Text
from runnel.shared.evaluation.translation_plots import attention_map, quality_by_lag

__all__ = ["build_report"]


def build_report(
    evaluation: Evaluation, data: TranslationData, config: Config, history: Sequence[Mapping[str, Any]]
) -> Report:
    """Puts the evaluation on a page: how well it translates first, how it looks next, its limits last.

    Args:
        evaluation: what was measured on the test pairs.
        data: the pairs.
        config: the options.
        history: the logs of every epoch.
    """
    metrics = evaluation.metrics
    sections = [
        Section("How well are texts translated?", _scores(metrics)),
        Section("Examples", (Table(("source", "reference", "translation"), evaluation.examples),)),
        Section("Long sentences", _by_length(metrics)),
    ]
    if "simultaneous" in metrics:
        sections.append(Section("While the speaker speaks", _simultaneous(metrics["simultaneous"])))
    if evaluation.attention:
        plots = tuple(
            Plot(attention_map(one.source, one.target, one.weights), f"{_joined(one.source)} → {_joined(one.target)}")
            for one in evaluation.attention
        )
        text = "Each row is a subword of the translation; the squares show what of the source was seen for it."
        sections.append(Section("Where it looks", (Text(text), *plots)))
    if history:
        plot = Plot(training_curves(list(history), loss_name="nats a subword"), "Loss by epoch")
        sections.append(Section("Training", (plot,)))
    sections.append(Section("Limits", (Text(_limits(data, config)),)))
    return Report(title="Translation", summary=tuple(verdicts(metrics)), sections=tuple(sections))


def _scores(metrics: Mapping[str, Any]) -> tuple:
    model = metrics["scores"]["model"]
    everything = {**metrics["scores"], **{f"model, split «{name}»": s for name, s in metrics["other_splits"].items()}}
    rows = tuple(
        (name, _interval(score["bleu"]), _interval(score["chrf"]), _interval(score["exact"], 100.0))
        for name, score in everything.items()
    )
    return (
        Text(
            f"{model['sentences']:,} different texts of the test split, none of which is in the training split. BLEU "
            f"and chrF are of cased, detokenised text ({model['bleu']['signature']}; {model['chrf']['signature']}); in "
            "brackets, 95 % intervals over texts. «word by word» looks up each word in a dictionary learnt from the "
            "training pairs (IBM model 1)."
        ),
        Table(("", "BLEU", "chrF", "exactly the reference, %"), rows, highlight=(0,)),
    )


def _by_length(metrics: Mapping[str, Any]) -> tuple:
    groups = metrics["by_length"]
    if not groups:
        return (Text("There are too few sentences of any length to compare."),)
    names = list(groups[0]["bleu"])
    rows = tuple(
        (group["words"], group["sentences"], *(f"{group['bleu'][name]:.1f}" for name in names)) for group in groups
    )
    told = Text(
        "Without attention all of a sentence must fit into the last state of the encoder: hardest for long ones."
        if "without attention" in names
        else "BLEU by the number of words in the source."
    )
    table = Table(("words of the source", "sentences", *names), rows, highlight=())
    if len(groups) < 2:
        return (told, table)
    values = {name: [group["bleu"][name] for group in groups] for name in names}
    plot = metric_by_step(values, model="model", metric="BLEU", step="group of lengths, shortest first")
    return (told, table, Plot(plot, "BLEU by length"))


def _simultaneous(measured: Mapping[str, Any]) -> tuple:
    waits = [name for name in measured if name != "0"]
    rows = tuple(
        (
            "whole sentence" if name == "0" else f"k = {name}",
            _interval(score["bleu"]),
            f"{score['al']:.2f}",
            f"{score['laal']:.2f}",
        )
        for name, score in measured.items()
    )
    plot = quality_by_lag(
        [f"k = {name}" for name in waits],
        [measured[name]["al"] for name in waits],
        [measured[name]["bleu"]["estimate"] for name in waits],
        whole=measured["0"]["bleu"]["estimate"],
        metric="BLEU",
    )
    return (
        Text(
            "Words are sent one by one, and the first of the translation is written when k of them have come; nothing "
            "is taken back. Average lagging (AL) is by how many words of the source the translation is behind one that "
            "keeps pace; LAAL is the same where translations are longer than their references."
        ),
        Table(("", "BLEU", "AL, words", "LAAL, words"), rows, highlight=()),
        Plot(plot, "Quality against delay"),
    )


def _limits(data: TranslationData, config: Config) -> str:
    lines = [
        (
            f"The model knows the kind of sentences of {data.corpus.name}; others it translates less well, and what it "
            "does not know it may copy, spell or leave out."
        ),
        "It translates sentence by sentence and remembers nothing of the one before.",
        f"Beyond {config.advanced.window} subwords a text is translated in parts.",
    ]
    if not config.can_wait_k:
        lines.append("It translates when a sentence is complete, and not before.")
    return "\n\n".join(lines)


def _interval(score: Mapping[str, Any], scale: float = 1.0) -> str:
    estimate, lower, upper = (scale * score[name] for name in ("estimate", "lower", "upper"))
    return f"{estimate:.1f}" if lower != lower else f"{estimate:.1f} ({lower:.1f} .. {upper:.1f})"


def _joined(pieces: Sequence[str]) -> str:
    return "".join(pieces).replace("▁", " ").strip()
