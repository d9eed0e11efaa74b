"""The longest known piece at every place of a text, inside the graph."""

from collections.abc import Mapping

import tensorflow as tf

__all__ = ["PieceTrie"]

_ROOT = 0
_NOWHERE = -1
_CHARACTER_BITS = 21  # of a code point
_NO_CHARACTER = 2**_CHARACTER_BITS - 1  # beyond the last code point


class PieceTrie(tf.Module):
    """Finds the longest piece that begins at each character of a text.

    The pieces form a trie: a node for each beginning of a piece, and a table that leads from a node and a character to
    the next node. All places of the text walk the trie in step; those that have left it are dropped, so that time and
    memory grow with the length of the text alone, however long a word or a piece is.

    Args:
        ids: the id, not negative, of each piece, a string of one character at least.
    """

    def __init__(self, ids: Mapping[str, int]) -> None:
        super().__init__()
        children: dict[int, int] = {}
        longest = {_ROOT: _NOWHERE}
        for piece in sorted(ids):  # a piece comes after those that it begins with
            node = _ROOT
            for character in piece:
                parent = node
                node = children.setdefault(parent << _CHARACTER_BITS | ord(character), len(children) + 1)
                longest.setdefault(node, longest[parent])
            longest[node] = ids[piece]
        entries = tf.lookup.KeyValueTensorInitializer(
            tf.constant(list(children), tf.int64), tf.constant(list(children.values()), tf.int64)
        )
        self._children = tf.lookup.StaticHashTable(entries, _NOWHERE)
        # The longest piece that is the beginning of a node, or the whole of it.
        self._longest = tf.constant([longest[node] for node in range(len(longest))])

    def longest_pieces(self, characters: tf.Tensor) -> tf.Tensor:
        """The id of the longest piece that begins at each character, int32 [C]; -1 where none does.

        Args:
            characters: int32 [C], code points.
        """
        padded = tf.pad(tf.cast(characters, tf.int64), [[0, 1]], constant_values=_NO_CHARACTER)

        def walk(
            depth: tf.Tensor, places: tf.Tensor, nodes: tf.Tensor, found: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
            keys = nodes * 2**_CHARACTER_BITS + tf.gather(padded, places + depth)
            nodes = self._children.lookup(keys)
            goes_on = nodes != _NOWHERE
            places, nodes = tf.boolean_mask(places, goes_on), tf.boolean_mask(nodes, goes_on)
            found = tf.tensor_scatter_nd_update(found, places[:, None], tf.gather(self._longest, nodes))
            return depth + 1, places, nodes, found

        places = tf.range(tf.size(characters))
        nodes = tf.fill(tf.shape(characters), tf.constant(_ROOT, tf.int64))
        *_, found = tf.while_loop(
            lambda _depth, places, *_: tf.size(places) > 0,
            walk,
            [0, places, nodes, tf.fill(tf.shape(characters), _NOWHERE)],
            shape_invariants=[tf.TensorShape([]), *[tf.TensorShape([None])] * 3],
        )
        return found
