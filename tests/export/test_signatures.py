import pytest
import tensorflow as tf
from export.toy_streams import UNITS, SumStream, TalkingStream, TextStream

from runnel.shared.export.signatures import build_servable, describe_signatures
from runnel.shared.streaming.stream_model import Signature, StreamModel


def test_state_specs_leave_the_batch_open():
    shapes = {name: spec.shape.as_list() for name, spec in SumStream().state_specs.items()}
    assert shapes == {"count": [None], "hidden": [None, UNITS], "total": [None, 2]}


def test_every_input_and_output_is_named_and_plain_data():
    described = describe_signatures(build_servable(TextStream()).signatures)
    state = {"dtype": "int32", "shape": [None]}
    text = {"dtype": "string", "shape": [None]}
    assert described == {
        "initial_state": {"inputs": {"batch_size": {"dtype": "int32", "shape": []}}, "outputs": {"state_bytes": state}},
        "step": {"inputs": {"text": text, "state_bytes": state}, "outputs": {"answer": text, "state_bytes": state}},
        "serving_default": {"inputs": {"text": text}, "outputs": {"answer": text}},
    }


def test_extra_signatures_are_named_too():
    described = describe_signatures(build_servable(TalkingStream()).signatures)
    assert described.keys() == {"initial_state", "step", "serving_default", "generate", "peek"}
    assert described["peek"]["inputs"].keys() == {"more", "state_bytes"}
    assert described["generate"]["inputs"]["count"] == {"dtype": "int32", "shape": []}


@pytest.mark.parametrize("name", ["step", "serving_default", "stream", "variables"])
def test_a_taken_name_is_refused(name):
    class Clashing(TextStream):
        @property
        def extra_signatures(self):
            return {name: Signature(self.serve_inputs, self.serve)}

    with pytest.raises(ValueError, match=f"received an extra signature '{name}'.*rename it"):
        build_servable(Clashing())


def test_signatures_and_methods_are_the_same_functions():
    servable = build_servable(TextStream())
    state = servable.module.initial_state(batch_size=tf.constant(1))
    for step in (servable.module.step, servable.signatures["step"]):
        assert step(text=tf.constant(["ab"]), **state)["state_bytes"].numpy().tolist() == [2]


def test_calls_keep_nothing():
    servable = build_servable(TextStream())
    state = servable.module.initial_state(batch_size=tf.constant(1))
    answers = {servable.module.step(text=tf.constant(["ab"]), **state)["answer"].numpy()[0] for _ in range(3)}
    assert len(answers) == 1


def test_a_missing_input_is_refused():
    servable = build_servable(SumStream())
    with pytest.raises(TypeError, match="state_count"):
        servable.signatures["step"](x=tf.ones([1, 1, 2]), length=tf.constant([1]))


def test_a_stream_model_says_what_it_lacks():
    class Half(StreamModel):
        pass

    with pytest.raises(TypeError, match="initial_state"):
        Half()


class Traced(SumStream):
    """Counts how often `step` is traced."""

    def __init__(self):
        super().__init__()
        self.traces = 0

    def step(self, inputs, state):
        self.traces += 1
        return super().step(inputs, state)


def test_no_call_traces_again_whatever_the_lengths():
    stream = Traced()
    module = build_servable(stream).module
    before = stream.traces
    for batch, rows in ((1, 1), (1, 2), (3, 5), (2, 0)):
        state = module.initial_state(batch_size=tf.constant(batch))
        module.step(x=tf.ones([batch, rows, 2]), length=tf.fill([batch], rows), **state)
    assert stream.traces == before


def test_signatures_that_step_from_the_start_share_one_function():
    class Shared(Traced):
        def serve(self, inputs):
            return {"total": self.step_from_start(inputs)["total"]}

    stream = Shared()
    module = build_servable(stream).module
    assert stream.traces == 1
    total = module.serving_default(x=tf.ones([2, 3, 2]), length=tf.constant([3, 1]))["total"]
    assert total.numpy().tolist() == [[3, 3], [1, 1]]
