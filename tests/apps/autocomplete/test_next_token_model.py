import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.autocomplete.config import Advanced, Config
from runnel.apps.autocomplete.model import build_model
from runnel.apps.autocomplete.next_token_model import NextTokenModel
from runnel.shared.layers.unigram_cache import UnigramCache


@pytest.fixture(scope="module", params=[False, True], ids=["without cache", "with cache"])
def model(request: pytest.FixtureRequest) -> NextTokenModel:
    """Six tokens, of which the network takes the last for impossible: e^-500 is 0 in float32."""
    network = build_model(Config(advanced=Advanced(units=4, embedding=3, depth=1)), 6)
    embedding = network.get_layer("embedding")
    weights, bias = embedding.get_weights()
    embedding.set_weights([weights, bias - [0, 0, 0, 0, 0, 500]])
    return NextTokenModel(network, (1,), UnigramCache(4, 0.4) if request.param else None)


def test_what_the_network_takes_for_impossible_has_a_score(model: NextTokenModel) -> None:
    ids = tf.constant([[2, 5, 5, 3]])
    scores, _ = model.score(ids, tf.ones_like(ids, tf.bool), model.initial_state(1))
    first, again = scores.numpy()[0, 1:3]
    assert first == pytest.approx(-500, abs=10)
    if model.cache:  # three of its four places are filled, one of them with this token
        assert again == pytest.approx(np.log(0.1), abs=1e-5)
    else:
        assert again == pytest.approx(-500, abs=10)


def test_scores_are_the_probabilities_of_one_token_after_the_other(model: NextTokenModel) -> None:
    ids = [[2, 0, 4, 4, 3, 2, 4], [1, 1, 3, 0, 2, 2, 2]]
    scores, after = model.score(tf.constant(ids), tf.ones([2, 7], tf.bool), model.initial_state(2))
    state, expected = model.initial_state(2), []
    for column in np.transpose(ids):
        expected.append(np.log(model.probabilities(state).numpy()[[0, 1], column]))
        state = model.step(tf.constant(column, tf.int32), state)
    np.testing.assert_allclose(scores, np.transpose(expected), atol=1e-5)
    for name, value in state.items():
        np.testing.assert_allclose(after[name], value, atol=1e-5)
