"""How much the suggestions help, measured by typing the test text key by key, beside the baselines to beat."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import LanguageData, Tokenizer
from runnel.apps.autocomplete.likelihood import compare_likelihoods, compare_state_ages, encode_passage
from runnel.apps.autocomplete.typist import Passage, passages, type_passages, typed_words
from runnel.apps.autocomplete.write_on import write_on
from runnel.datasets.text.text_corpus import TextCorpus
from runnel.shared.errors import InputError
from runnel.shared.evaluation.kneser_ney import KneserNey, fit_kneser_ney
from runnel.shared.evaluation.most_frequent_word import MostFrequentWord, fit_most_frequent_word
from runnel.shared.evaluation.prefix_ranks import PrefixRanks
from runnel.shared.evaluation.typing_metrics import TypedWords, compare_typing, typing_scores
from runnel.shared.evaluation.verbatim_overlap import longest_verbatim_span
from runnel.shared.preprocessing.word_tokenizer import WordTokenizer, fit_words

__all__ = ["SHOWN", "Evaluation", "evaluate", "format_share", "verdicts"]

SHOWN = 3  # suggestions that count, as on a keyboard

_NGRAM_ORDER = {"word": 4, "char": 7}
_PROMPTS = 3
_CURVE_KEYS = 9


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured, as plain data for the manifest, and what the model wrote.

    Attributes:
        metrics: the numbers.
        samples: (prompt, what the model wrote after it).
        examples: (what had been typed, the suggestions then).
    """

    metrics: dict[str, Any]
    samples: tuple[tuple[str, str], ...]
    examples: tuple[tuple[str, tuple[str, ...]], ...]


def evaluate(module: Any, data: LanguageData, config: Config, without_cache: Any = None) -> Evaluation:
    """Types the test text into a model, in memory or loaded from an export, and scores its suggestions.

    Args:
        module: has `initial_state`, `step`, `score` and `generate`.
        data: the text; baselines are fitted to its training split.
        config: the options.
        without_cache: the same model without its cache, for comparison.

    Raises:
        InputError: the test text holds no word.
    """
    text, past = (_joined(data.corpus.splits[split]) for split in ("test", "validation"))
    typed = passages(text, config.advanced.evaluation_characters)
    if not any(passage.words for passage in typed):
        raise InputError(f"the test split of {config.data} holds no word; expected at least one; give more text")
    models = {"model": module} | ({} if without_cache is None else {"model without cache": without_cache})
    tokenizer = _word_tokenizer(data, config)
    train = _encode(tokenizer, data)
    ngram = fit_kneser_ney(train, tokenizer.size, _NGRAM_ORDER["word"])
    baselines: dict[str, KneserNey | MostFrequentWord] = {
        "Kneser-Ney n-gram": ngram,
        "most frequent words": fit_most_frequent_word(train, tokenizer.size),
    }
    ranks = PrefixRanks([surface.decode() for surface in tokenizer.surfaces.numpy()])
    scored = {name: type_passages(one, typed, SHOWN) for name, one in models.items()}
    scored |= {name: _type_baseline(one, ranks, tokenizer, typed) for name, one in baselines.items()}
    if config.level == "char":
        ngram = fit_kneser_ney(_encode(data.tokenizer, data), data.tokenizer.size, _NGRAM_ORDER["char"])
    samples = _samples(module, text)
    age = config.advanced.long_state_characters
    metrics = {
        "characters": sum(len(passage.text) for passage in typed),
        "words": len(scored["model"].length),
        "typing": {name: typing_scores(words, SHOWN) for name, words in scored.items()},
        "found_by_keys": {name: _found_by_keys(words) for name, words in scored.items()},
        "top3_lead": {
            name: compare_typing(scored["model"], words, SHOWN) for name, words in scored.items() if name != "model"
        },
        "likelihood": compare_likelihoods(models, ngram, typed, data),
        "state_age": compare_state_ages(module, text, past, age),
        "longest_verbatim_span": _longest_copy(samples, data.corpus),
    }
    return Evaluation(metrics, samples, _examples(module, typed[0]))


def verdicts(metrics: Mapping[str, Any]) -> list[str]:
    """The main figures, a sentence each."""
    typing = metrics["typing"]
    scores = typing["model"]
    lines = [
        (
            f"The next word is among {SHOWN} suggestions for {format_share(scores[f'top{SHOWN}'])} of the words; "
            f"{format_share(scores['keystroke_savings'])} of the keys are spared."
        )
    ]
    lines += [_lead_verdict(name, lead, typing) for name, lead in metrics["top3_lead"].items()]
    lines.append(metrics["likelihood"]["verdict"])
    lines.append(metrics["state_age"]["verdict"])
    return lines


def format_share(score: Mapping[str, float]) -> str:
    """A share with its interval, for people."""
    if math.isnan(score["lower"]):
        return f"{score['estimate']:.1%} (too few words for an interval)"
    return f"{score['estimate']:.1%} ({score['lower']:.1%} .. {score['upper']:.1%})"


def _lead_verdict(baseline: str, lead: Mapping[str, float], typing: Mapping[str, Any]) -> str:
    """Whether the next word is found more often than by a baseline, in a sentence."""
    if math.isnan(lead["lower"]):
        return f"There are too few words to compare the model with «{baseline}»."
    if not all(math.isfinite(bound) for bound in lead.values()):  # of a baseline that is right hardly ever, or never
        own, other = (format_share(typing[name][f"top{SHOWN}"]) for name in ("model", baseline))
        return f"{SHOWN} suggestions of the model hold {own} of the next words; those of «{baseline}» {other}."
    interval = f"(95 % interval {lead['lower']:+.1%} .. {lead['upper']:+.1%})"
    if lead["lower"] <= 0 <= lead["upper"]:
        return f"In {SHOWN} suggestions the model cannot be told apart from «{baseline}» {interval}."
    relation = "more" if lead["estimate"] > 0 else "fewer"
    share = f"{abs(lead['estimate']):.1%} {relation}"
    return f"{SHOWN} suggestions hold {share} next words than those of «{baseline}» {interval}."


def _found_by_keys(words: TypedWords) -> list[float]:
    """The share of words that have been among the suggestions when 0, 1, .. of their characters are typed."""
    listed = (words.ranks >= 0) & (words.ranks < SHOWN)
    return np.maximum.accumulate(listed, axis=1).mean(axis=0)[:_CURVE_KEYS].tolist()


def _word_tokenizer(data: LanguageData, config: Config) -> WordTokenizer:
    """That of the data, or for characters one that knows as many words as the default."""
    if isinstance(data.tokenizer, WordTokenizer):
        return data.tokenizer
    return WordTokenizer(fit_words(data.corpus.splits["train"], Config().vocabulary, config.advanced.minimum_count))


def _type_baseline(
    baseline: KneserNey | MostFrequentWord, ranks: PrefixRanks, tokenizer: WordTokenizer, typed: Sequence[Passage]
) -> TypedWords:
    """The same words typed with a baseline that has read the same text before them."""
    found = []
    for passage in typed:
        token_ids, before = encode_passage(tokenizer, passage)
        for word, (token, _) in enumerate(passage.words):
            probabilities = baseline.probabilities(token_ids[: before + token])
            found.append(ranks.ranks(probabilities, passage.surface(word), SHOWN))
    return typed_words(typed, found)


def _samples(module: Any, text: str) -> tuple[tuple[str, str], ...]:
    """What the model writes after the beginnings of some paragraphs."""
    beginnings = [" ".join(part.split()[:4]) + " " for part in text.split("\n\n") if len(part.split()) > 4]
    prompts = beginnings[:: max(len(beginnings) // _PROMPTS, 1)][:_PROMPTS] or [text[:20]]
    written = write_on(module, prompts, max_tokens=80, temperature=0.8, top_p=0.95)
    return tuple(zip(prompts, written, strict=True))


def _longest_copy(samples: Sequence[tuple[str, str]], corpus: TextCorpus) -> dict[str, Any]:
    """The longest piece of what the model wrote that stands in the training text."""
    training = "\n\n".join(corpus.splits["train"])
    spans = [longest_verbatim_span(written, training) for _, written in samples]
    longest = max(spans, key=len)
    return {"characters": len(longest), "text": longest, "of": sum(len(written) for _, written in samples)}


def _examples(module: Any, passage: Passage) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What is suggested while a passage's first words are typed."""
    text = passage.text
    ends = [at for at in range(len(text)) if text[at].isspace()][3:7]
    typed_so_far = [passage.before + text[: end + extra] for end in ends for extra in (1, 3)] or [text]
    shown = module.serving_default(text=tf.constant(typed_so_far))["suggestions"].numpy()
    return tuple(
        (so_far, tuple(word.decode() for word in row if word)) for so_far, row in zip(typed_so_far, shown, strict=True)
    )


def _joined(documents: Sequence[str]) -> str:
    """Documents one after the other, each with exactly one blank line at its end, as `encode` gives them."""
    return "".join(text.rstrip("\n") + "\n\n" for text in documents)


def _encode(tokenizer: Tokenizer, data: LanguageData) -> list[np.ndarray]:
    """The token ids of each document of the training split."""
    return [tokenizer.encode(tf.constant([text])).flat_values.numpy() for text in data.corpus.splits["train"]]
