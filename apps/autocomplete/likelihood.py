"""How probable the test text is to a model, beside an n-gram of the same tokens, and after a long session."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.apps.autocomplete.data import LanguageData, Tokenizer
from runnel.apps.autocomplete.typist import Passage, passages
from runnel.shared.evaluation.bootstrap import paired_skill
from runnel.shared.evaluation.kneser_ney import KneserNey
from runnel.shared.preprocessing.character_tokenizer import CharacterTokenizer
from runnel.shared.streaming.replay import start

__all__ = ["compare_likelihoods", "compare_state_ages", "encode_passage"]

_NGRAM = "Kneser-Ney n-gram"
_PIECE = 250  # characters: the rows of the bootstrap
_AGED_PIECES = 32


def compare_likelihoods(
    models: Mapping[str, Any], ngram: KneserNey, typed: Sequence[Passage], data: LanguageData
) -> dict[str, Any]:
    """Nats a token and perplexity of passages, each after what stands before it; bits a character of characters.

    Bits a character of words would compare with nothing: unknown words and whitespace cost them little.

    Args:
        models: by name, `model` among them; each has `initial_state`, `step` and `score`.
        ngram: of the tokens of the data.
        typed: the passages.
        data: the text and its tokenizer.
    """
    scored = {name: _piece_losses(module, typed) for name, module in models.items()}
    tokens = scored["model"][1]
    losses = {name: nats for name, (nats, _) in scored.items()}
    losses[_NGRAM], unknown = _ngram_losses(ngram, data.tokenizer, typed, tokens)
    skill = paired_skill(losses["model"], losses[_NGRAM])
    return {
        "tokens": int(tokens.sum()),
        "unknown": unknown,
        "scores": {
            name: _scores(nats.sum() / tokens.sum(), isinstance(data.tokenizer, CharacterTokenizer))
            for name, nats in losses.items()
        },
        "verdict": skill.verdict(f"the {_NGRAM}", model="In nats a token, the model"),
    }


def compare_state_ages(module: Any, text: str, past: str, age: int) -> dict[str, Any]:
    """Nats a character on pieces of a text, each from a state `age` characters old and from a fresh one.

    Args:
        module: has `initial_state`, `step` and `score`.
        text: where the pieces are taken.
        past: what makes the state old, again and again where it is short.
        age: characters.
    """
    pieces = [passage.text for passage in passages(text, _AGED_PIECES * _PIECE, _PIECE)]
    repeated = past * (age // len(past) + 1)
    old = _read(module, [repeated[:age] + "\n\n"], start(module, 1))
    states = {
        "old": {name: tf.repeat(value, len(pieces), axis=0) for name, value in old.items()},
        "fresh": start(module, len(pieces)),
    }
    losses = {name: _score(module, pieces, state)[0] for name, state in states.items()}
    skill = paired_skill(losses["old"], losses["fresh"])
    characters = sum(len(piece) for piece in pieces)
    return {
        "characters": age,
        **{name: float(nats.sum() / characters) for name, nats in losses.items()},
        "verdict": skill.verdict("a fresh state", model=f"A state {age:,} characters old"),
    }


def encode_passage(tokenizer: Tokenizer, passage: Passage) -> tuple[np.ndarray, int]:
    """The token ids of a passage after those of what stands before it, and how many the latter are."""
    before, state = tokenizer.step(tf.constant([passage.before]), tokenizer.initial_state(1))
    own, _ = tokenizer.step(tf.constant([passage.text]), state)
    return np.concatenate([before.flat_values.numpy(), own.flat_values.numpy()]), len(before.flat_values)


def _piece_losses(module: Any, typed: Sequence[Passage]) -> tuple[np.ndarray, np.ndarray]:
    """Nats and tokens [N] of the pieces of all passages, one passage after the other."""
    state = _read(module, [passage.before for passage in typed], start(module, len(typed)))
    rows = [[passage.text[at : at + _PIECE] for at in range(0, len(passage.text), _PIECE)] for passage in typed]
    nats, tokens = [], []
    for pieces in itertools.zip_longest(*rows, fillvalue=""):
        loss, count, state = _score(module, pieces, state)
        nats.append(loss)
        tokens.append(count)
    is_piece = np.arange(len(nats)) < np.array([len(row) for row in rows])[:, None]  # [B, S]
    return np.stack(nats, axis=1)[is_piece], np.stack(tokens, axis=1)[is_piece]


def _ngram_losses(
    ngram: KneserNey, tokenizer: Tokenizer, typed: Sequence[Passage], tokens: np.ndarray
) -> tuple[np.ndarray, float]:
    """Nats [N] of the same pieces, of so many tokens [N] each, and the share of unknown ones among all tokens."""
    encoded = [encode_passage(tokenizer, passage) for passage in typed]
    losses = np.concatenate([-ngram.log_probabilities(ids)[before:] for ids, before in encoded])
    unknown = np.mean(np.concatenate([ids[before:] for ids, before in encoded]) == tokenizer.unknown_id)
    pieces = np.split(losses, np.cumsum(tokens)[:-1])
    return np.array([piece.sum() for piece in pieces]), float(unknown)


def _scores(nats: float, of_characters: bool) -> dict[str, float]:
    scores = {"nats": float(nats), "perplexity": math.exp(min(nats, 700.0))}
    return scores | {"bits_per_character": float(nats) / math.log(2)} if of_characters else scores


def _read(module: Any, texts: Sequence[str], state: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The state after texts [B]."""
    outputs = module.step(text=tf.constant(texts), **state)
    return {name: outputs[name] for name in state}


def _score(
    module: Any, texts: Sequence[str], state: Mapping[str, tf.Tensor]
) -> tuple[np.ndarray, np.ndarray, dict[str, tf.Tensor]]:
    """Nats [B] and number [B] of the tokens that texts [B] complete, and the state after them."""
    outputs = module.score(text=tf.constant(texts), **state)
    nats = np.maximum(-outputs["log_probability"].numpy().astype(np.float64), 0.0)  # certain, but for rounding
    return nats, outputs["tokens"].numpy(), {name: outputs[name] for name in state}
