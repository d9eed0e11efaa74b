"""The report page of a trained language model."""

from collections.abc import Mapping, Sequence
from typing import Any

from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import LanguageData
from runnel.apps.autocomplete.evaluate import SHOWN, Evaluation, format_share, verdicts
from runnel.shared.evaluation.plots import metric_by_step, training_curves
from runnel.shared.evaluation.report import Code, Note, Plot, Report, Section, Table, Text

__all__ = ["build_report"]


def build_report(
    evaluation: Evaluation, data: LanguageData, config: Config, history: Sequence[Mapping[str, Any]]
) -> Report:
    """Puts the evaluation on a page: whether the suggestions help first, how they look next, their limits last.

    Args:
        evaluation: what was measured on the test text.
        data: the text.
        config: the options.
        history: the logs of every epoch.
    """
    metrics = evaluation.metrics
    sections = [
        Section("Do the suggestions help somebody who types?", _typing(metrics)),
        Section("What is suggested", _examples(evaluation)),
        Section("How well the text is expected", _likelihood(metrics, data)),
        Section("What the model writes", _samples(evaluation)),
        Section("Does the state age?", (Note(metrics["state_age"]["verdict"]),)),
    ]
    if history:
        plot = Plot(training_curves(list(history), loss_name="nats a token"), "Loss by epoch")
        sections.append(Section("Training", (plot,)))
    sections.append(Section("Limits", (Text(_limits(config)),)))
    return Report(
        title=f"Autocomplete by {'words' if config.level == 'word' else 'characters'}",
        summary=tuple(verdicts(metrics)),
        sections=tuple(sections),
    )


def _typing(metrics: Mapping[str, Any]) -> tuple:
    rows = tuple(
        (name, *(format_share(scores[key]) for key in ("top1", f"top{SHOWN}", "mrr", "keystroke_savings")))
        for name, scores in metrics["typing"].items()
    )
    return (
        Text(
            f"{metrics['characters']:,} characters that training never saw were typed into the stream key by key: "
            f"{metrics['words']:,} words. A word counts for the recall if it is among {SHOWN} suggestions before its "
            f"first character is typed. Keys are spared to somebody who accepts one of {SHOWN} suggestions as soon as "
            "it is right: one key in place of the rest of the word, and of the space where one follows. They are "
            "counted against all keys of the text, marks, spaces and new lines included. In brackets, 95 % bootstrap "
            "intervals."
        ),
        Table(
            ("", "first suggestion", f"{SHOWN} suggestions", "mean reciprocal rank", "keys spared"),
            rows,
            highlight=(0,),
        ),
        Plot(
            metric_by_step(
                metrics["found_by_keys"],
                model="model",
                metric=f"share of words among {SHOWN} suggestions",
                step="characters typed",
                first=0,
            ),
            "How soon words are suggested",
        ),
    )


def _examples(evaluation: Evaluation) -> tuple:
    rows = tuple((f"…{typed[-40:]}", ", ".join(suggestions)) for typed, suggestions in evaluation.examples)
    return (Table(("typed so far", "suggestions, best first"), rows),)


def _likelihood(metrics: Mapping[str, Any], data: LanguageData) -> tuple:
    likelihood = metrics["likelihood"]
    titles = {"nats": "nats a token", "perplexity": "perplexity", "bits_per_character": "bits a character"}
    rows = tuple((name, *scores.values()) for name, scores in likelihood["scores"].items())
    return (
        Text(
            f"Over {likelihood['tokens']:,} tokens of {data.tokenizer.size:,} different ones; "
            f"{likelihood['unknown']:.1%} of them are unknown, which counts as a token of its own."
        ),
        Table(("", *(titles[name] for name in likelihood["scores"]["model"])), rows, highlight=(0,)),
        Note(likelihood["verdict"]),
    )


def _samples(evaluation: Evaluation) -> tuple:
    span = evaluation.metrics["longest_verbatim_span"]
    text = "\n\n".join(f"{prompt}| {written}" for prompt, written in evaluation.samples)
    copied = (
        f"The longest stretch that also stands in the training text has {span['characters']} characters, "
        f"of {span['of']:,}: «{span['text']}»."
    )
    return (Code(text, "Written after the bar, temperature 0.8, nucleus 0.95"), Note(copied))


def _limits(config: Config) -> str:
    lines = [
        "The model knows the kind of text it was trained on; other text it completes less well.",
        "What it writes sounds like its training text and need not be true.",
    ]
    if config.level == "word":
        lines.append("Words that are not in its vocabulary are never suggested; the manifest lists the vocabulary.")
    else:
        lines.append("Words are spelt character by character: it may suggest a word that does not exist.")
    return "\n\n".join(lines)
