import itertools
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from contracts.adapters import LayerStream
from contracts.cases import random_weights
from contracts.numpy_twins import run_cell
from contracts.streaming import Example, check_padding

from runnel.shared.layers import recurrent_stack
from runnel.shared.layers.explicit_state import state_inputs
from runnel.shared.layers.recurrent_stack import RecurrentStack

CELLS = ("simple_rnn", "gru", "lstm")


def built(*arguments, features=3, **options):
    layer = RecurrentStack(*arguments, **options)
    layer.build((None, None, features))
    random_weights(layer)
    return layer


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_bidirectional_reads_both_ways(cell, depth, residual):
    layer = built(cell, 2, depth, bidirectional=True, residual=residual, features=4)
    lengths = [6, 3, 0]
    example = Example({"inputs": noise(3, 6, 4)}, lengths)
    check_padding(LayerStream(layer), example)
    outputs, state = layer(example.inputs["inputs"], mask=example.mask)
    for row, length in enumerate(lengths[:2]):
        expected = example.inputs["inputs"][row, :length]
        for index in range(depth):
            forward, forward_state = run_cell(cell, expected, layer.forward_layers[index].get_weights())
            backward, backward_state = run_cell(cell, expected[::-1], layer.backward_layers[index].get_weights())
            joined = np.concatenate([forward, backward[::-1]], axis=-1)
            expected = joined + expected if residual else joined
            np.testing.assert_allclose(state[f"hidden_{index}"][row], forward_state[0], atol=1e-6)
            np.testing.assert_allclose(state[f"backward_hidden_{index}"][row], backward_state[0], atol=1e-6)
        np.testing.assert_allclose(outputs[row, :length], expected, atol=1e-5)


def test_bidirectional_has_no_step():
    layer = built("gru", 2, bidirectional=True)
    with pytest.raises(ValueError, match="has no step"):
        layer.step(noise(1, 3), layer.initial_state(1))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("length", [0, 1])
def test_no_time_steps_and_one(length, bidirectional):
    layer = built("lstm", 2, 2, bidirectional=bidirectional)
    state = {name: value + 0.5 for name, value in layer.initial_state(2).items()}
    inputs = noise(2, 3, 3)
    unknown = tf.function(lambda x: layer(x, initial_state=state), input_signature=[tf.TensorSpec([None, None, 3])])
    for outputs, final in (unknown(inputs[:, :length]), layer(inputs[:, :length], initial_state=state)):
        assert outputs.shape == (2, length, layer.output_width)
        if length == 0:
            for name in state:
                np.testing.assert_array_equal(final[name], state[name])


@pytest.mark.parametrize("cell", CELLS)
def test_a_static_length_of_one_needs_no_loop_and_equals_it(cell):
    layer = built(cell, 4, 2, residual=True)
    inputs, mask = noise(3, 1, 3), np.array([[True], [False], [True]])
    state = {name: noise(3, 4, seed=index) for index, name in enumerate(layer.state_shapes)}
    run = tf.function(lambda x, mask: layer(x, mask=mask, initial_state=state))
    static = run.get_concrete_function(tf.TensorSpec([None, 1, 3]), tf.TensorSpec([None, 1], tf.bool))
    dynamic = run.get_concrete_function(tf.TensorSpec([None, None, 3]), tf.TensorSpec([None, None], tf.bool))
    loops = [
        {op.type for op in function.graph.get_operations()} & {"While", "StatelessWhile"}
        for function in (static, dynamic)
    ]
    assert not loops[0]
    assert loops[1]
    keras.tree.map_structure(
        lambda one, many: np.testing.assert_allclose(one, many, atol=1e-6),
        static(tf.constant(inputs), tf.constant(mask)),
        dynamic(tf.constant(inputs), tf.constant(mask)),
    )


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_stock_layers_give_the_same_values_and_gradients(cell, bidirectional, monkeypatch):
    layer = built(cell, 4, 2, bidirectional=bidirectional, residual=True)
    inputs, mask = tf.constant(noise(3, 6, 3)), tf.sequence_mask([6, 0, 2], 6)
    state = {name: tf.constant(noise(3, 4, seed=index)) for index, name in enumerate(layer.state_shapes)}
    taken_by = [inputs, state, [variable.value for variable in layer.trainable_variables]]

    def run():
        with tf.GradientTape() as tape:
            tape.watch([inputs, state])
            outputs, final = layer(inputs, mask=mask, initial_state=state, training=True)
            total = tf.reduce_sum(outputs**2) + tf.add_n([tf.reduce_sum(value**3) for value in final.values()])
        return outputs, final, tape.gradient(total, taken_by)

    fused = run()
    monkeypatch.setattr(recurrent_stack, "_uses_cudnn", lambda _: True)  # a CPU then runs the stock loop
    stock = run()
    keras.tree.map_structure(
        lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5), fused, stock
    )


def test_only_training_keeps_activations_for_gradients():
    layer = built("lstm", 4, 2)

    def has_custom_gradient(training):
        run = tf.function(lambda x: layer(x, training=training), input_signature=[tf.TensorSpec([None, None, 3])])
        nodes = run.get_concrete_function().graph.as_graph_def().node
        return any("_gradient_op_type" in node.attr for node in nodes)

    assert [has_custom_gradient(training) for training in (True, False, None)] == [True, False, False]


@pytest.mark.parametrize("cell", CELLS)
def test_training_takes_no_time_steps(cell):
    layer = built(cell, 4, 2)
    state = {name: tf.constant(noise(2, 4)) for name in layer.state_shapes}
    outputs, final = layer(noise(2, 0, 3), initial_state=state, training=True)
    assert outputs.shape == (2, 0, 4)
    keras.tree.map_structure(np.testing.assert_array_equal, final, state)


def test_outputs_are_zero_at_invalid_positions_also_inside_a_row():
    layer = built("gru", 4, 2, residual=True)
    inputs = noise(1, 5, 3)
    mask = np.array([[True, False, True, False, True]])
    outputs, state = layer(np.where(mask[..., None], inputs, np.nan), mask=mask)
    without, state_without = layer(inputs[:, ::2])
    np.testing.assert_array_equal(outputs[0, 1::2], np.zeros((2, 4)))
    np.testing.assert_allclose(outputs[0, ::2], without[0], atol=1e-6)
    np.testing.assert_allclose(state["hidden_1"], state_without["hidden_1"], atol=1e-6)


def test_residual_adds_only_equal_widths():
    plain, residual = built("gru", 4, 2), built("gru", 4, 2, residual=True)
    inputs = noise(1, 3, 3)
    lower = run_cell("gru", inputs[0], residual.forward_layers[0].get_weights())[
        0
    ]  # 3 features to 4 units: no residual
    upper = run_cell("gru", lower, residual.forward_layers[1].get_weights())[0]
    np.testing.assert_allclose(residual(inputs)[0][0], upper + lower, atol=1e-6)
    np.testing.assert_allclose(plain(inputs)[0][0], upper, atol=1e-6)


class TestDropout:
    """A stack whose first layer gives ones and whose second passes its inputs through shows the mask itself."""

    @staticmethod
    def outputs(training, layer=None):
        keras.utils.set_random_seed(0)
        layer = layer or built("simple_rnn", 64, 2, dropout=0.5)
        big = 100.0  # tanh(100) = 1
        zeros, identity = np.zeros((64, 64)), np.eye(64)
        layer.set_weights([np.zeros((3, 64)), zeros, np.full(64, big), identity, zeros, np.zeros(64)])
        return np.asarray(layer(np.zeros((4, 5, 3), np.float32), training=training)[0])

    def test_one_mask_for_all_time_steps_and_another_for_each_row(self):
        outputs = self.outputs(training=True)
        dropped = outputs == 0
        np.testing.assert_array_equal(dropped, np.repeat(dropped[:, :1], 5, axis=1))
        assert len(np.unique(dropped[:, 0], axis=0)) == 4
        assert 0.3 < dropped.mean() < 0.7
        np.testing.assert_allclose(outputs[~dropped], np.tanh(2.0), atol=1e-6)  # 1 / (1 - 0.5)

    @pytest.mark.parametrize("training", [False, None])
    def test_none_without_training(self, training):
        np.testing.assert_allclose(self.outputs(training), np.tanh(1.0), atol=1e-6)

    def test_none_inside_the_stock_layers(self):
        layer = RecurrentStack("gru", 4, 2, dropout=0.5)
        assert {(stock.dropout, stock.recurrent_dropout) for stock in layer.forward_layers} == {(0.0, 0.0)}

    def test_none_of_it_in_the_graph_without_training(self):
        layer = built("lstm", 4, 2, dropout=0.5)
        run = tf.function(lambda x: layer(x, training=False), input_signature=[tf.TensorSpec([None, None, 3])])
        graph = run.get_concrete_function().graph.as_graph_def()
        nodes = itertools.chain(graph.node, *(function.node_def for function in graph.library.function))
        assert not [node.op for node in nodes if "Random" in node.op or "Assign" in node.op]


@pytest.mark.parametrize(("cell", "bidirectional"), [("simple_rnn", False), ("gru", True), ("lstm", False)])
def test_a_saved_model_reloads(cell, bidirectional, tmp_path: Path):
    layer = RecurrentStack(cell, 4, 2, dropout=0.1, residual=True, bidirectional=bidirectional, name="stack")
    inputs, mask = keras.Input((None, 3), name="inputs"), keras.Input((None,), dtype="bool", name="mask")
    state = state_inputs(layer)
    model = keras.Model({"inputs": inputs, "mask": mask, "state": state}, layer(inputs, mask=mask, initial_state=state))
    random_weights(layer)
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert reloaded.get_layer("stack").get_config() == layer.get_config()
    data = {
        "inputs": noise(2, 4, 3),
        "mask": np.array([[True] * 4, [True, True, False, False]]),
        "state": {name: noise(2, *value.shape[1:], seed=7) for name, value in state.items()},
    }
    (outputs, final), (outputs_again, final_again) = model(data), reloaded(data)
    np.testing.assert_array_equal(outputs, outputs_again)
    keras.tree.map_structure(np.testing.assert_array_equal, final, final_again)


def test_config_makes_the_same_layer():
    options = {
        "residual": True,
        "bidirectional": True,
        "use_cudnn": False,
        "jit_compile": True,
        "prefix": "mine_",
        "name": "mine",
    }
    layer = RecurrentStack("lstm", 5, 3, 0.2, **options)
    assert layer.get_config().items() >= options.items()
    again = RecurrentStack.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.state_shapes == layer.state_shapes
    assert len(layer.state_shapes) == 2 * 3 * 2
    assert (layer.output_width, RecurrentStack("gru", 5).output_width) == (10, 5)


# === Several stacks in one model ===


@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_prefix_names_the_state_and_changes_no_number(bidirectional, training, length):
    options = {"residual": True, "bidirectional": bidirectional}
    plain, named = built("lstm", 4, 2, **options), built("lstm", 4, 2, prefix="encoder_", **options)
    inputs, mask = noise(3, length, 3), np.arange(length) < np.array([[length], [0], [1]])
    state = {name: noise(3, 4, seed=index) for index, name in enumerate(plain.state_shapes)}
    expected, expected_state = plain(inputs, mask=mask, initial_state=state, training=training)
    before = {f"encoder_{name}": value for name, value in state.items()}
    outputs, after = named(inputs, mask=mask, initial_state=before, training=training)
    np.testing.assert_array_equal(outputs, expected)
    assert after.keys() == before.keys() == named.initial_state(1).keys() == named.state_shapes.keys()
    for name, value in expected_state.items():
        np.testing.assert_array_equal(after[f"encoder_{name}"], value)


def test_names_of_the_state():
    forward = ["hidden_0", "cell_0", "hidden_1", "cell_1"]
    assert list(RecurrentStack("lstm", 4, 2).state_shapes) == forward
    both = RecurrentStack("lstm", 4, 2, bidirectional=True, prefix="encoder_")
    backward = [f"backward_{name}" for name in forward]
    assert list(both.state_shapes) == [f"encoder_{name}" for name in [*forward, *backward]]
    assert set(both.state_shapes.values()) == {(4,)}


def test_a_step_with_a_prefix():
    layer = built("gru", 4, 2, prefix="decoder_")
    outputs, whole = layer(noise(2, 3, 3))
    state = layer.initial_state(2)
    for time in range(3):
        output, state = layer.step(noise(2, 3, 3)[:, time], state)
        np.testing.assert_allclose(output, outputs[:, time], atol=1e-6)
    assert state.keys() == whole.keys() == {"decoder_hidden_0", "decoder_hidden_1"}


def test_two_stacks_with_prefixes_live_in_one_model_and_its_file(tmp_path: Path):
    lower = RecurrentStack("gru", 4, prefix="lower_", name="lower")
    upper = RecurrentStack("lstm", 3, prefix="upper_", name="upper")
    inputs, state = keras.Input((None, 3), name="inputs"), state_inputs(lower, upper)
    assert set(state) == {"lower_hidden_0", "upper_hidden_0", "upper_cell_0"}
    middle, lower_state = lower(inputs, initial_state={name: state[name] for name in lower.state_shapes})
    outputs, upper_state = upper(middle, initial_state={name: state[name] for name in upper.state_shapes})
    model = keras.Model({"inputs": inputs, "state": state}, (outputs, lower_state | upper_state))
    random_weights(lower)
    random_weights(upper)
    start = {name: noise(1, *value.shape[1:], seed=7) for name, value in state.items()}
    data = {"inputs": noise(1, 5, 3), "state": start}

    hidden, (last,) = run_cell("gru", data["inputs"][0], lower.forward_layers[0].get_weights(), start["lower_hidden_0"])
    begin = (start["upper_hidden_0"][0], start["upper_cell_0"][0])
    expected, (_, last_cell) = run_cell("lstm", hidden, upper.forward_layers[0].get_weights(), begin)
    model.save(tmp_path / "model.keras")
    for one in (model, keras.models.load_model(tmp_path / "model.keras")):
        found, after = one(data)
        np.testing.assert_allclose(found[0], expected, atol=1e-6)
        np.testing.assert_allclose(after["lower_hidden_0"][0], last, atol=1e-6)
        np.testing.assert_allclose(after["upper_cell_0"][0], last_cell, atol=1e-6)
        assert [one.get_layer(name).prefix for name in ("lower", "upper")] == ["lower_", "upper_"]


def test_stock_layers_use_cudnn_only_where_asked():
    assert RecurrentStack("gru", 2, use_cudnn=False).forward_layers[0].use_cudnn is False
    assert RecurrentStack("lstm", 2).forward_layers[0].use_cudnn == "auto"
    assert RecurrentStack("gru", 2).forward_layers[0].reset_after is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("rnn", 4), "cell='rnn'.*simple_rnn, gru, lstm"), (("gru", 0), "units=0"), (("gru", 4, 0), "depth=0")],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        RecurrentStack(*arguments)


@pytest.mark.parametrize("cell", CELLS)
def test_mixed_precision_computes_in_bfloat16_and_keeps_weights_and_gradients_in_float32(cell):
    layer = built(cell, 4, 2, dtype="mixed_bfloat16")
    with tf.GradientTape() as tape:
        outputs, state = layer(noise(3, 6, 3), mask=tf.sequence_mask([6, 0, 2], 6), training=True)
        total = tf.reduce_sum(tf.cast(outputs, tf.float32))
    gradients = tape.gradient(total, [variable.value for variable in layer.trainable_variables])
    assert {outputs.dtype, *(value.dtype for value in state.values())} == {tf.bfloat16}
    assert {gradient.dtype for gradient in gradients} == {tf.float32}
    exact = RecurrentStack(cell, 4, 2)
    exact.build((None, None, 3))
    exact.set_weights(layer.get_weights())
    expected, _ = exact(noise(3, 6, 3), mask=tf.sequence_mask([6, 0, 2], 6))
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), expected, atol=0.03)


def test_state_has_the_dtype_of_the_computation():
    layer = RecurrentStack("gru", 4, dtype="float64")
    outputs, state = layer(noise(2, 3, 3).astype(np.float64))
    assert outputs.dtype == state["hidden_0"].dtype == layer.initial_state(1)["hidden_0"].dtype == tf.float64
