"""How much the suggestions help, measured by typing the test text key by key, beside the baselines to beat."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import LanguageData
from runnel.apps.autocomplete.typist import Passage, passages, type_passages
from runnel.datasets.text.text_corpus import TextCorpus
from runnel.shared.errors import InputError
from runnel.shared.evaluation.bootstrap import paired_skill
from runnel.shared.evaluation.kneser_ney import KneserNey, fit_kneser_ney
from runnel.shared.evaluation.most_frequent_word import MostFrequentWord, fit_most_frequent_word
from runnel.shared.evaluation.prefix_ranks import PrefixRanks
from runnel.shared.evaluation.typing_metrics import TypedWords, compare_typing, typing_scores
from runnel.shared.evaluation.verbatim_overlap import longest_verbatim_span
from runnel.shared.preprocessing.word_tokenizer import WordTokenizer, fit_words
from runnel.shared.streaming.replay import start

__all__ = ["SHOWN", "Evaluation", "evaluate", "verdicts"]

SHOWN = 3  # suggestions that count, as on a keyboard

_SESSIONS = 32
_NGRAM_ORDER = {"word": 4, "char": 7}
_AGED_PASSAGES = 8
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
    text = "\n\n".join(data.corpus.splits["test"])[: config.advanced.evaluation_characters]
    typed = passages(text, _SESSIONS)
    if not any(passage.words for passage in typed):
        raise InputError(f"the test split of {config.data} holds no word; expected at least one; give more text")
    scored = {"model": type_passages(module, typed)}
    if without_cache is not None:
        scored["model without cache"] = type_passages(without_cache, typed)
    scored |= _type_baselines(typed, data, config)
    samples = _samples(module, text)
    metrics = {
        "characters": len(text),
        "words": len(scored["model"].length),
        "typing": {name: typing_scores(words, SHOWN) for name, words in scored.items()},
        "found_by_keys": {name: _found_by_keys(words) for name, words in scored.items()},
        "top3_lead": {
            name: compare_typing(scored["model"], words, SHOWN) for name, words in scored.items() if name != "model"
        },
        "likelihood": _likelihood(module, without_cache, typed, data, config),
        "state_age": _compare_state_ages(module, typed, data.corpus, config.advanced.long_state_characters),
        "longest_verbatim_span": _longest_copy(samples, data.corpus),
    }
    return Evaluation(metrics, samples, _examples(module, typed))


def verdicts(metrics: Mapping[str, Any]) -> list[str]:
    """The main figures, a sentence each."""
    scores = metrics["typing"]["model"]
    lines = [
        (
            f"The next word is among {SHOWN} suggestions for {_share(scores[f'top{SHOWN}'])} of the words; "
            f"{_share(scores['keystroke_savings'])} of the keys are spared."
        )
    ]
    lines += [_lead_verdict(name, lead) for name, lead in metrics["top3_lead"].items()]
    lines.append(metrics["likelihood"]["verdict"])
    lines.append(metrics["state_age"]["verdict"])
    return lines


def _lead_verdict(baseline: str, lead: Mapping[str, float]) -> str:
    """Whether the next word is found more often than by a baseline, in a sentence."""
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


def _share(score: Mapping[str, float]) -> str:
    return f"{score['estimate']:.1%} ({score['lower']:.1%} .. {score['upper']:.1%})"


def _type_baselines(typed: Sequence[Passage], data: LanguageData, config: Config) -> dict[str, TypedWords]:
    """The same words typed with baselines that know the same training text and as many words."""
    tokenizer = data.tokenizer
    if not isinstance(tokenizer, WordTokenizer):
        texts = data.corpus.splits["train"]
        tokenizer = WordTokenizer(fit_words(texts, Config().vocabulary, config.advanced.minimum_count))
    train = [_encode(tokenizer, text) for text in data.corpus.splits["train"]]
    baselines: dict[str, KneserNey | MostFrequentWord] = {
        "Kneser-Ney n-gram": fit_kneser_ney(train, tokenizer.size, _NGRAM_ORDER["word"]),
        "most frequent words": fit_most_frequent_word(train, tokenizer.size),
    }
    ranks = PrefixRanks([surface.decode() for surface in tokenizer.surfaces.numpy()])
    token_ids = [_encode(tokenizer, passage.text) for passage in typed]
    return {
        name: TypedWords.from_ranks(
            [
                ranks.ranks(baseline.probabilities(ids[:token]), passage.surface(word), SHOWN)
                for passage, ids in zip(typed, token_ids, strict=True)
                for word, (token, _) in enumerate(passage.words)
            ]
        )
        for name, baseline in baselines.items()
    }


def _likelihood(
    module: Any, without_cache: Any, typed: Sequence[Passage], data: LanguageData, config: Config
) -> dict[str, Any]:
    """Nats a token, perplexity and bits a character of the test text, beside those of an n-gram of the same tokens."""
    train = [_encode(data.tokenizer, text) for text in data.corpus.splits["train"]]
    ngram = fit_kneser_ney(train, data.tokenizer.size, _NGRAM_ORDER[config.level])
    texts = [passage.text for passage in typed]
    losses = {"model": _passage_losses(module, texts)}
    if without_cache is not None:
        losses["model without cache"] = _passage_losses(without_cache, texts)
    token_ids = [_encode(data.tokenizer, text) for text in texts]
    losses["Kneser-Ney n-gram"] = np.array([-np.sum(ngram.log_probabilities(ids)) for ids in token_ids])
    tokens = np.array([len(ids) for ids in token_ids])
    characters = sum(len(text) + 2 for text in texts)  # each ends with a blank line
    skill = paired_skill(losses["model"] / tokens, losses["Kneser-Ney n-gram"] / tokens)
    return {
        "tokens": int(tokens.sum()),
        "unknown": float(np.mean(np.concatenate(token_ids) == data.tokenizer.unknown_id)),
        "scores": {
            name: {
                "nats": float(loss.sum() / tokens.sum()),
                "perplexity": math.exp(loss.sum() / tokens.sum()),
                "bits_per_character": float(loss.sum() / characters / math.log(2)),
            }
            for name, loss in losses.items()
        },
        "verdict": skill.verdict("the Kneser-Ney n-gram", model="In nats a token, the model"),
    }


def _passage_losses(module: Any, texts: Sequence[str], state: Mapping[str, tf.Tensor] | None = None) -> np.ndarray:
    """Nats [N] of whole passages, each ended by a blank line, from a state with one row or else from fresh ones."""
    losses = []
    for text in texts:  # one by one: what is kept of long texts grows with the vocabulary
        fresh = start(module, 1) if state is None else state
        losses.append(-float(module.score(text=tf.constant([f"{text}\n\n"]), **fresh)["log_probability"][0]))
    return np.array(losses)


def _compare_state_ages(module: Any, typed: Sequence[Passage], corpus: TextCorpus, age: int) -> dict[str, Any]:
    """Nats a character on the last passages from a state `age` characters old and from a fresh one."""
    past = "\n\n".join(corpus.splits["validation"])
    past = (past + "\n\n") * (age // (len(past) + 2) + 1)
    texts = [passage.text for passage in typed[-_AGED_PASSAGES:]]
    fresh = start(module, 1)
    outputs = module.step(text=tf.constant([past[:age] + "\n\n"]), **fresh)
    old = {name: outputs[name] for name in fresh}
    lengths = np.array([len(text) for text in texts])
    skill = paired_skill(_passage_losses(module, texts, old) / lengths, _passage_losses(module, texts) / lengths)
    return {
        "characters": age,
        "old": skill.model_loss,
        "fresh": skill.baseline_loss,
        "verdict": skill.verdict("a fresh state", model=f"A state {age:,} characters old"),
    }


def _samples(module: Any, text: str) -> tuple[tuple[str, str], ...]:
    """What the model writes after the beginnings of some paragraphs."""
    beginnings = [" ".join(part.split()[:4]) + " " for part in text.split("\n\n") if len(part.split()) > 4]
    prompts = beginnings[:: max(len(beginnings) // _PROMPTS, 1)][:_PROMPTS] or [text[:20]]
    written = module.generate(
        prompt=tf.constant(prompts),
        max_tokens=tf.constant(80),
        temperature=tf.constant(0.8),
        top_k=tf.constant(0),
        top_p=tf.constant(0.95),
        seed=tf.constant(0),
    )["text"].numpy()
    return tuple((prompt, text.decode()) for prompt, text in zip(prompts, written, strict=True))


def _longest_copy(samples: Sequence[tuple[str, str]], corpus: TextCorpus) -> dict[str, Any]:
    """The longest piece of what the model wrote that stands in the training text."""
    training = "\n\n".join(corpus.splits["train"])
    spans = [longest_verbatim_span(written, training) for _, written in samples]
    longest = max(spans, key=len)
    return {"characters": len(longest), "text": longest, "of": sum(len(written) for _, written in samples)}


def _examples(module: Any, typed: Sequence[Passage]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What is suggested while the first passage's first words are typed."""
    text = typed[0].text
    ends = [at for at in range(len(text)) if text[at].isspace()][3:7]
    typed_so_far = [text[: end + extra] for end in ends for extra in (1, 3)]
    shown = module.serving_default(text=tf.constant(typed_so_far or [text]))["suggestions"].numpy()
    return tuple(
        (so_far, tuple(word.decode() for word in row if word))
        for so_far, row in zip(typed_so_far or [text], shown, strict=True)
    )


def _encode(tokenizer: Any, text: str) -> np.ndarray:
    ids: np.ndarray = tokenizer.encode(tf.constant([text])).flat_values.numpy()
    return ids
