"""How near translations come to their references: BLEU, chrF, and how many are the same."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sacrebleu
from numpy.typing import NDArray

from runnel.shared.evaluation.quantile_metrics import wilson_interval

__all__ = ["translation_scores"]

_DRAWS = 500  # bootstrap samples of the sentences
_FEWEST = 10  # sentences for an interval


def translation_scores(translations: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Scores detokenised, cased text against one or more references of each sentence.

    Args:
        translations: of N sentences, at least one.
        references: of each sentence, at least one.

    Returns:
        Plain data. `bleu` and `chrf`, from 0 to 100, as `estimate` with `lower` and `upper`, the 95 % bootstrap
        interval over sentences (NaN for fewer than ten), and the `signature` by which others can compute the same
        (Post 2018, arXiv 1804.08771; Popovic 2015); `exact`, the share of translations that equal a reference, likewise
        with a Wilson interval; `sentences`.

    Raises:
        ValueError: no sentence, or one without a reference.
    """
    if not translations or not all(references) or len(translations) != len(references):
        raise ValueError(
            f"received {len(translations)} translations and references of {len(references)} sentences; expected one at "
            "least, and a reference or more for each"
        )
    most = max(map(len, references))
    streams = [[several[place] if place < len(several) else None for several in references] for place in range(most)]
    exact = sum(translation in several for translation, several in zip(translations, references, strict=True))
    return {
        "bleu": _score(sacrebleu.BLEU(), translations, streams),
        "chrf": _score(sacrebleu.CHRF(), translations, streams),
        "exact": wilson_interval(exact, len(translations)).to_dict(),
        "sentences": len(translations),
    }


def _score(metric: Any, translations: Sequence[str], streams: list[list[str | None]]) -> dict[str, Any]:
    # sacrebleu's own bootstrap fails where a draw scores 0; what it counts in each sentence has no public name.
    counts = np.array(metric._extract_corpus_statistics(list(translations), streams))  # [N, ...]
    random, total = np.random.default_rng(0), len(translations)
    draws = _DRAWS if total >= _FEWEST else 0
    scores = [_of_counts(metric, counts[random.integers(total, size=total)]) for _ in range(draws)]
    lower, upper = np.percentile(scores, [2.5, 97.5]) if scores else (np.nan, np.nan)
    return {
        "estimate": float(metric.corpus_score(list(translations), streams).score),
        "lower": float(lower),
        "upper": float(upper),
        "signature": str(metric.get_signature()),
    }


def _of_counts(metric: Any, counts: NDArray[np.float64]) -> float:
    return float(metric._compute_score_from_stats(counts.sum(axis=0).tolist()).score)
