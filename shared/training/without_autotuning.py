"""Input pipelines that end when they are read to the end."""

import tensorflow as tf

__all__ = ["without_autotuning"]


def without_autotuning(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The same elements, in the same order, without the thread that tunes a pipeline while it is read.

    That thread looks at the pipeline 10 ms, 20 ms, 40 ms ... after its last look. Where the end of the iteration comes
    at the wrong moment nobody wakes it, and the iteration ends with its next look (TensorFlow 2.21): about every other
    epoch took up to twice its time. There is nothing to tune where the calls side by side and the batches made ahead
    are numbers.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
