"""How a decode loop chooses the next token of each hypothesis: the best, one drawn by chance, or the best of a beam."""

import abc
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

__all__ = ["Beam", "Greedy", "Hypotheses", "Sampling", "Strategy"]

_SMALLEST = 1e-37  # above 0, whose logarithm is infinite


class Hypotheses(NamedTuple):
    """What has been decoded so far: W hypotheses for each of B rows.

    Attributes:
        token_ids: int32 [B, W, N], the chosen tokens; those after an end mark are end marks.
        length: int32 [B, W], tokens before the end mark.
        score: float32 [B, W], sum of the log probabilities, the end mark's included; -inf: not a hypothesis at all.
        ended: bool [B, W], closed by an end mark, or not a hypothesis at all.
    """

    token_ids: tf.Tensor
    length: tf.Tensor
    score: tf.Tensor
    ended: tf.Tensor

    @property
    def position(self) -> tf.Tensor:
        """int32 scalar: N, how many tokens have been chosen."""
        return tf.shape(self.token_ids)[2]


class Strategy(abc.ABC):
    """Chooses which hypotheses go on, and with which tokens.

    Attributes:
        width: W, hypotheses for each row.
    """

    width: int = 1

    @abc.abstractmethod
    def choose(self, log_probabilities: tf.Tensor, hypotheses: Hypotheses) -> tuple[tf.Tensor, tf.Tensor]:
        """The next generation of hypotheses, best first.

        Args:
            log_probabilities: float32 [B, W, V]. An ended hypothesis has 0 for the end mark and -inf for all else, so
                it goes on as it is.
            hypotheses: those so far.

        Returns:
            parent int32 [B, W], the index of the hypothesis that is continued, and its next token, int32 [B, W].
        """


@dataclass(frozen=True)
class Greedy(Strategy):
    """The most probable token each time; the lowest id of equally probable ones."""

    def choose(self, log_probabilities: tf.Tensor, hypotheses: Hypotheses) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Strategy.choose`."""
        return tf.zeros_like(hypotheses.length), tf.argmax(log_probabilities, axis=-1, output_type=tf.int32)


@dataclass(frozen=True)
class Sampling(Strategy):
    """Draws each token with the probability that the model gives it, after three filters, in this order.

    The draw adds Gumbel noise to log probabilities and takes the largest (Gumbel 1954; "Gumbel-max"). The noise is a
    stateless function of seed and position, the same for all rows: the text of a row depends on its own beginning and
    the seed alone, not on its place in the batch, and equal rows get equal text.

    Attributes:
        temperature: float scalar that divides the log probabilities; 0 (or less): always the most probable token.
        top_k: int scalar; only this many of the most probable tokens; 0 (or less): all.
        top_p: float scalar; only the nucleus, the fewest most probable tokens of those left that together have at least
            this probability (Holtzman et al. 2020, eq. 2), and the most probable one always; 1 (or more): all.
        seed: int scalar.
    """

    temperature: Any = 1.0
    top_k: Any = 0
    top_p: Any = 1.0
    seed: Any = 0

    def choose(self, log_probabilities: tf.Tensor, hypotheses: Hypotheses) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Strategy.choose`."""
        vocabulary = tf.shape(log_probabilities)[-1]
        ranked, token_ids = tf.math.top_k(log_probabilities, vocabulary)  # [B, 1, V], by falling probability
        temperature = tf.cast(self.temperature, tf.float32)
        warm = temperature > 0
        ranked = self._filter(ranked / tf.where(warm, temperature, 1.0))
        noise = tf.where(warm, self._gumbel_noise(vocabulary, hypotheses.position), 0.0)  # [V], by token id
        place = tf.argmax(ranked + tf.gather(noise, token_ids), axis=-1)  # [B, 1]
        return tf.zeros_like(hypotheses.length), tf.gather(token_ids, place, axis=2, batch_dims=2)

    def _filter(self, ranked: tf.Tensor) -> tf.Tensor:
        """Log probabilities [B, 1, V], best first, with -inf for those that `top_k` and `top_p` leave out."""
        top_k, top_p = tf.cast(self.top_k, tf.int32), tf.cast(self.top_p, tf.float32)
        rank = tf.range(tf.shape(ranked)[-1])
        ranked = tf.where((top_k <= 0) | (rank < top_k), ranked, float("-inf"))
        before = tf.cumsum(tf.nn.softmax(ranked), axis=-1, exclusive=True)  # probability of all better tokens
        return tf.where((top_p >= 1) | (rank == 0) | (before < top_p), ranked, float("-inf"))

    def _gumbel_noise(self, vocabulary: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        seed = tf.stack([tf.cast(self.seed, tf.int64), tf.cast(position, tf.int64)])
        uniform = tf.random.stateless_uniform([vocabulary], seed, minval=_SMALLEST, alg="philox")
        return -tf.math.log(-tf.math.log(uniform))


@dataclass(frozen=True)
class Beam(Strategy):
    """The W best hypotheses by their sum of log probabilities over a length penalty.

    Ended hypotheses stay in the beam with the score that they have, and none comes twice. The penalty is
    ((5 + |Y|) / (5 + 1)) ** length_penalty, where |Y| counts the end mark (Wu et al. 2016, eq. 14).

    Attributes:
        width: W.
        length_penalty: float scalar; 0: none, as short hypotheses have few factors; larger prefers longer ones.
    """

    width: int
    length_penalty: Any = 0.0

    def choose(self, log_probabilities: tf.Tensor, hypotheses: Hypotheses) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Strategy.choose`."""
        vocabulary = tf.shape(log_probabilities)[-1]
        scores = hypotheses.score[..., None] + log_probabilities  # [B, W, V]
        # Ended or not, each of these counts one more than its length: its end mark, or the token that it gets now.
        count = tf.cast(hypotheses.length + 1, tf.float32)
        penalty = ((5.0 + count) / 6.0) ** tf.cast(self.length_penalty, tf.float32)
        penalised = scores / penalty[..., None]
        _, best = tf.math.top_k(tf.reshape(penalised, [-1, self.width * vocabulary]), self.width)  # [B, W]
        return best // vocabulary, best % vocabulary
