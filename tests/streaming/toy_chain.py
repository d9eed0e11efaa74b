"""A Markov chain over four tokens as a language model, and all of its sequences, enumerated in plain Python."""

import functools
import itertools
import math

import numpy as np
import tensorflow as tf

from runnel.shared.streaming.decode import decode

END = 3
FIRST = np.array([[0.4, 0.3, 0.2, 0.1], [0.04, 0.06, 0.6, 0.3]])  # of two prompts
NEXT = np.random.default_rng(5).dirichlet(np.full(4, 2.0), size=[8, 4])  # [position, token before, token]: no ties


def logs(probabilities):
    with np.errstate(divide="ignore"):
        return tf.constant(np.log(probabilities), tf.float32)


LOG_NEXT = np.log(NEXT).astype(np.float32)


def advance(token_ids, state):
    chances = tf.gather(tf.constant(LOG_NEXT), state["position"])  # [R, token before, token]
    return tf.gather(chances, token_ids, axis=1, batch_dims=1), {"position": state["position"] + 1}


def run(strategy, first=FIRST, max_tokens=4, advance=advance, constrain=None):
    """Decodes in a graph that does not know the batch; gives arrays."""
    return as_arrays(_graph(strategy, advance, constrain)(logs(first), max_tokens))


def as_arrays(decoded):
    return tf.nest.map_structure(lambda value: value.numpy(), decoded)


@functools.cache
def _graph(strategy, advance, constrain):
    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 4]), tf.TensorSpec([], tf.int32)])
    def graph(first, max_tokens):
        state = {"position": tf.zeros([tf.shape(first)[0]], tf.int32)}
        return decode(strategy, first, advance, state, max_tokens, END, constrain)

    return graph


def texts(decoded, row):
    """[(token ids without padding, score)] of a row's hypotheses."""
    return [
        (tuple(int(token) for token in tokens[:length]), float(score))
        for tokens, length, score in zip(decoded.token_ids[row], decoded.length[row], decoded.score[row], strict=True)
    ]


def probability(tokens, first):
    """Of a sequence of tokens from the first one on, the end mark included where there is one."""
    rows = [first, *(NEXT[position, token] for position, token in enumerate(tokens[:-1]))]
    return math.prod(row[token] for row, token in zip(rows, tokens, strict=True))


def enumerate_all(first, max_tokens, penalty=0.0):
    """{tokens: (log probability, the same over the length penalty)}; those of `max_tokens` have no end mark."""
    found = {}
    for length in range(max_tokens + 1):
        for tokens in itertools.product(range(END), repeat=length):
            whole = (*tokens, END) if length < max_tokens else tokens
            score = math.log(probability(whole, first))
            found[tokens] = (score, score / ((5 + len(whole)) / 6) ** penalty)
    return found


def best(sequences, width):
    """The `width` best as (tokens, score), by their rank key."""
    ranked = sorted(sequences.items(), key=lambda item: -item[1][1])
    return [(tokens, score) for tokens, (score, _) in ranked[:width]]
