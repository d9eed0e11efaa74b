"""How well texts are translated, whole and while they come, beside the baselines to beat."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.apps.translation.config import LONGEST_WORD, Config
from runnel.apps.translation.data import TranslationData
from runnel.apps.translation.simultaneous import interpret, source_words
from runnel.apps.translation.translator import Translator
from runnel.datasets.builders.read_splits import SPLITS
from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.shared.errors import InputError
from runnel.shared.evaluation.lagging import average_lagging, length_adaptive_average_lagging
from runnel.shared.evaluation.translation_scores import translation_scores
from runnel.shared.evaluation.word_dictionary import fit_word_dictionary

__all__ = ["WAITS", "AttentionMap", "Evaluation", "evaluate", "references_of", "translate", "verdicts"]

WAITS = (1, 2, 3, 5, 7)

_AT_ONCE = 64
_DICTIONARY_PAIRS = 20_000
_LENGTHS = (5, 10, 15, 25)  # words of the source, the upper bounds of the groups
_FEWEST = 10  # sentences of a group
_EXAMPLES = 12
_MAPS = 3
_MAP_WORDS = (5, 12)  # of the source of an example whose attention is shown

_Translations = Mapping[str, Sequence[str]]


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """What of a source was seen when each subword of its translation was written.

    Attributes:
        source: S subwords.
        target: T subwords.
        weights: float32 [T, S].
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured.

    Attributes:
        metrics: the numbers, plain data for the manifest.
        examples: (source, reference, translation).
        attention: of some examples; empty without attention.
    """

    metrics: dict[str, Any]
    examples: tuple[tuple[str, str, str], ...]
    attention: tuple[AttentionMap, ...]


def evaluate(
    module: Any,
    data: TranslationData,
    config: Config,
    translator: Translator | None = None,
    without_attention: Any = None,
) -> Evaluation:
    """Translates the test split with a model, in memory or loaded from an export, and scores what it gives.

    Args:
        module: has `initial_state`, `step`, `serving_default` and `greedy`.
        data: the pairs; the dictionary to compare with learns from their training split.
        config: the options.
        translator: of the model, to show its attention.
        without_attention: a model of the same kind without attention, to compare with by length.

    Raises:
        InputError: no text of the test split holds a word.
    """
    sources, references = references_of(data.corpus.splits["test"], config.advanced.evaluation_sentences)
    if not sources:
        raise InputError(f"no text of the test split of {config.data} holds a word; expected some; give other pairs")
    translations = {"model": translate(module, sources), "model, greedy": translate(module, sources, "greedy")}
    if without_attention is not None:
        translations["without attention"] = translate(without_attention, sources)
    translations |= _baselines(sources, data.corpus.splits["train"])
    metrics: dict[str, Any] = {
        "scores": {name: translation_scores(given, references) for name, given in translations.items()},
        "by_length": _by_length(sources, references, translations),
        "other_splits": _other_splits(module, data, config),
    }
    if config.can_wait_k:
        few = config.advanced.spoken_sentences
        greedy = translations["model, greedy"][:few]
        metrics["simultaneous"] = _simultaneous(module, sources[:few], references[:few], greedy)
    examples = tuple(
        (source, several[0], given)
        for source, several, given in zip(sources, references, translations["model"], strict=True)
    )
    return Evaluation(metrics, examples[:_EXAMPLES], _attention_maps(translator, data, examples))


def verdicts(metrics: Mapping[str, Any]) -> list[str]:
    """The main figures, a sentence each."""
    scores = metrics["scores"]
    model, rivals = scores["model"], [name for name in scores if not name.startswith("model")]
    lines = [
        (
            f"Of {model['sentences']:,} unseen texts {_percent(model['exact'])} are translated exactly as their "
            f"reference; BLEU {_points(model['bleu'])}, chrF {_points(model['chrf'])}."
        ),
        "BLEU of others: " + ", ".join(f"«{name}» {scores[name]['bleu']['estimate']:.1f}" for name in rivals) + ".",
    ]
    lines += [
        f"On the split «{name}» {_percent(score['exact'])} are exact; BLEU {_points(score['bleu'])}."
        for name, score in metrics["other_splits"].items()
    ]
    if "simultaneous" in metrics:
        at = ", ".join(
            f"{score['bleu']['estimate']:.1f} at {score['al']:.1f} words (k = {k})"
            for k, score in metrics["simultaneous"].items()
            if k != "0"
        )
        lines.append(f"While the speaker speaks, BLEU and the lag behind them (AL) are {at}.")
    return lines


def translate(module: Any, texts: Sequence[str], signature: str = "serving_default") -> list[str]:
    """Translates whole texts, those of like length together.

    Args:
        module: has the signature.
        texts: any number.
        signature: `serving_default`, which searches, or `greedy`.
    """
    order = np.argsort([len(text) for text in texts], kind="stable")
    translations: dict[int, str] = {}
    for begin in range(0, len(texts), _AT_ONCE):
        chosen = order[begin : begin + _AT_ONCE].tolist()
        given = getattr(module, signature)(text=tf.constant([texts[one] for one in chosen]))["translation"].numpy()
        translations |= {one: text.decode() for one, text in zip(chosen, given, strict=True)}
    return [translations[place] for place in range(len(texts))]


def references_of(pairs: Pairs, count: int) -> tuple[list[str], list[list[str]]]:
    """The first different sources that hold a word, and all the targets of each."""
    targets: dict[str, list[str]] = {}
    for source, target in pairs:
        targets.setdefault(source, []).append(target)
    chosen = [source for source in targets if source_words(source)][:count]
    return chosen, [targets[source] for source in chosen]


def _baselines(sources: Sequence[str], train: Pairs) -> dict[str, list[str]]:
    """What comes of copying the source, and of looking up its words."""
    dictionary = fit_word_dictionary(train.sources[:_DICTIONARY_PAIRS], train.targets[:_DICTIONARY_PAIRS])
    return {
        "word by word": [dictionary.translate(source) for source in sources],
        "copy of the source": list(sources),
    }


def _by_length(
    sources: Sequence[str], references: Sequence[Sequence[str]], translations: _Translations
) -> list[dict[str, Any]]:
    """Scores of sentences of like length, where there are enough of them."""
    lengths = np.array([len(source_words(source)) for source in sources])
    edges = [0, *_LENGTHS, max(int(lengths.max()), _LENGTHS[-1] + 1)]
    groups = []
    for low, high in itertools.pairwise(edges):
        rows = np.flatnonzero((lengths > low) & (lengths <= high)).tolist()
        if len(rows) < _FEWEST:
            continue
        scores = {
            name: translation_scores([given[row] for row in rows], [references[row] for row in rows])
            for name, given in translations.items()
            if name in ("model", "without attention", "word by word")
        }
        bleu = {name: score["bleu"]["estimate"] for name, score in scores.items()}
        exact = {name: score["exact"]["estimate"] for name, score in scores.items()}
        groups.append({"words": f"{low + 1}-{high}", "sentences": len(rows), "bleu": bleu, "exact": exact})
    return groups


def _other_splits(module: Any, data: TranslationData, config: Config) -> dict[str, dict[str, Any]]:
    """Scores of the splits that only this dataset has."""
    scores = {}
    for name in [name for name in data.corpus.splits if name not in SPLITS]:
        sources, references = references_of(data.corpus.splits[name], config.advanced.evaluation_sentences)
        if sources:
            scores[name] = translation_scores(translate(module, sources), references)
    return scores


def _simultaneous(
    module: Any, sources: Sequence[str], references: Sequence[Sequence[str]], whole: Sequence[str]
) -> dict[str, Any]:
    """BLEU, AL and LAAL over k, for sentences sent word by word; 0: whole ones, whose translations are given."""
    counts = [len(source_words(source)) for source in sources]
    lengths = [len(several[0].split()) for several in references]
    bleu = translation_scores(whole, references)["bleu"]
    measured: dict[str, Any] = {"0": {"bleu": bleu, "al": float(np.mean(counts)), "laal": float(np.mean(counts))}}
    for wait in WAITS:
        spoken = interpret(module, sources, wait)
        lags = [
            [metric(one.delays, one.source_words, max(length, 1)) for metric in _LAGS]
            for one, length in zip(spoken, lengths, strict=True)
        ]
        al, laal = np.mean(lags, axis=0)
        bleu = translation_scores([one.translation for one in spoken], references)["bleu"]
        measured[str(wait)] = {"bleu": bleu, "al": float(al), "laal": float(laal)}
    return measured


_LAGS = (average_lagging, length_adaptive_average_lagging)


def _attention_maps(
    translator: Translator | None, data: TranslationData, examples: Sequence[tuple[str, str, str]]
) -> tuple[AttentionMap, ...]:
    """Where the model looked for some examples of middling length."""
    if translator is None or translator.bridge is not None:
        return ()
    low, high = _MAP_WORDS
    chosen = [given for given in examples if low <= len(source_words(given[0])) <= high][:_MAPS]
    texts = data.tokenizer.vocabulary
    maps = []
    for source, _, translation in chosen:
        words = [word[:LONGEST_WORD] for word in source_words(source)]
        source_ids, target_ids = (
            data.tokenizer.encode(tf.constant([text])).to_tensor() for text in (" ".join(words), translation)
        )
        weights = translator.attend(source_ids, target_ids).numpy()[0]
        pieces, written = (tuple(texts[token] for token in ids.numpy()[0]) for ids in (source_ids, target_ids))
        maps.append(AttentionMap(pieces, written, weights))
    return tuple(maps)


def _percent(score: Mapping[str, float]) -> str:
    return f"{score['estimate']:.1%} ({score['lower']:.1%} .. {score['upper']:.1%})"


def _points(score: Mapping[str, Any]) -> str:
    if np.isnan(score["lower"]):
        return f"{score['estimate']:.1f}"
    return f"{score['estimate']:.1f} ({score['lower']:.1f} .. {score['upper']:.1f})"
