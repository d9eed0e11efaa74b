import pydoc_data.topics
import random
from itertools import chain, islice

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from preprocessing.text_pieces import any_bytes, cut, cuts, properties, valid_texts
from tokenizers import Tokenizer, models, pre_tokenizers

from runnel.shared.preprocessing.fit_subwords import fit_subwords
from runnel.shared.preprocessing.subword_tokenizer import SubwordTokenizer
from runnel.shared.preprocessing.subword_vocabulary import RESERVED_TOKENS

PIECES = ("▁", "▁a", "▁ab", "▁😀", "a", "b", "c", "abc", "bb", "é", "'", "aà")
VOCABULARY = (*RESERVED_TOKENS, *PIECES)
tokenizer = SubwordTokenizer(VOCABULARY)
ID = {token: index for index, token in enumerate(VOCABULARY)}
TEXTS = ["ab abc", "", " ", "xé'\n", "  a▁b  ", "é\u202f!", "\ufeffabbb\0"]

few = settings(properties, max_examples=50)  # of several texts each
encode = tf.function(tokenizer.encode, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
encode_words = tf.function(tokenizer.encode_words, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
of_tokens = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
decode = tf.function(tokenizer.decode, input_signature=of_tokens, autograph=False)
decode_continuation = tf.function(tokenizer.decode_continuation, input_signature=of_tokens, autograph=False)


def ids(*tokens):
    return [ID[token] for token in tokens]


def tokens_of(encoded):
    return [[VOCABULARY[index] for index in row] for row in encoded.to_list()]


def text_of(encoded, decode=decode):
    return decode(encoded.to_tensor(), tf.cast(encoded.row_lengths(), tf.int32)).numpy().tolist()


def greedy_pieces(text):
    """The tokens of a text in plain Python: the longest piece of the rest of a word, or else a character's bytes."""
    tokens = []
    for word in text.split(" ") if text else []:
        rest, is_first = word, True
        while rest or is_first:
            known = [piece for piece in PIECES if (piece[0] == "▁") == is_first]
            known = [piece for piece in known if rest.startswith(piece.removeprefix("▁"))]
            piece = max(known, key=len, default="")
            tokens += [piece] if piece else [f"<0x{byte:02X}>" for byte in rest[0].encode()]
            rest = rest[len(piece.removeprefix("▁")) if piece else 1 :]
            is_first = False
    return tokens


class TestEncoding:
    @pytest.mark.parametrize(
        ("text", "tokens"),
        [
            ("", []),
            (" ", ["▁", "▁"]),
            ("a", ["▁a"]),
            ("abc", ["▁ab", "c"]),  # not "▁", "abc"
            ("babc", ["▁", "b", "abc"]),
            (" a  ab ", ["▁", "▁a", "▁", "▁ab", "▁"]),
            ("abbbb", ["▁ab", "bb", "b"]),
            ("b'é", ["▁", "b", "'", "é"]),
            ("xa", ["▁", "<0x78>", "a"]),
            ("aaà", ["▁a", "aà"]),
            ("aà", ["▁a", "<0xC3>", "<0xA0>"]),
            ("😀😀", ["▁😀", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>"]),
            ("▁a", ["▁", "<0xE2>", "<0x96>", "<0x81>", "a"]),
            ("a\0\n\t", ["▁a", "<0x00>", "<0x0A>", "<0x09>"]),
            ("\u202f\u00a0", ["▁", "<0xE2>", "<0x80>", "<0xAF>", "<0xC2>", "<0xA0>"]),
            ("<pad>", ["▁", "<0x3C>", "<0x70>", "a", "<0x64>", "<0x3E>"]),
        ],
    )
    def test_hand_values(self, text, tokens):
        assert tokens_of(encode(tf.constant([text]))) == [tokens]
        assert greedy_pieces(text) == tokens
        assert text_of(encode(tf.constant([text]))) == [text.encode()]

    @few
    @given(st.lists(valid_texts | st.text("abcàé'▁ \0", max_size=30) | st.text(), max_size=6))
    @example([])
    def test_texts_come_back_as_they_were(self, texts):
        encoded = encode(tf.constant(texts, tf.string))
        assert tokens_of(encoded) == [greedy_pieces(text) for text in texts]
        assert text_of(encoded) == [text.encode() for text in texts]
        assert text_of(encoded, decode_continuation) == [(" " + text if text else "").encode() for text in texts]

    @few
    @given(st.lists(valid_texts, min_size=1, max_size=6))
    def test_a_text_is_its_words_in_a_row(self, texts):
        words = [text.split(" ") if text else [] for text in texts]
        of_words = encode_words(tf.constant(list(chain.from_iterable(words)), tf.string))
        rows = iter(of_words.to_list())
        encoded = encode(tf.constant(texts))
        assert encoded.to_list() == [list(chain.from_iterable(islice(rows, len(some)))) for some in words]
        is_start = tf.gather(tokenizer.is_word_start, encoded.values)
        np.testing.assert_array_equal(tf.where(is_start)[:, 0], of_words.row_starts())

    def test_words(self):
        encoded = encode_words(tf.constant(["abc", "", "x"]))
        assert tokens_of(encoded) == [["▁ab", "c"], ["▁"], ["▁", "<0x78>"]]
        assert encoded.dtype == tf.int32

    @few
    @given(st.lists(any_bytes, min_size=1, max_size=6))
    def test_invalid_bytes_are_replaced(self, texts):
        expected = [data.decode("utf-8", "replace").encode() for data in texts]
        assert text_of(encode(tf.constant(texts))) == expected

    def test_every_character_alone(self):
        """Surrogates have no UTF-8; the last of each plane is no character, but valid."""
        points = [*range(0xD800), *range(0xE000, 0x11000), 0x1F600, 0x1FFFE, 0x1FFFF, 0x10FFFE, 0x10FFFF]
        texts = list(map(chr, points))
        assert text_of(encode(tf.constant(texts))) == [text.encode() for text in texts]

    @pytest.mark.parametrize(
        ("word", "count"), [("a" * 10_000, 10_000), ("😀" * 10_000, 39_997), ("abc" * 3_333, 3_334)]
    )
    def test_a_word_of_ten_thousand_characters(self, word, count):
        encoded = encode(tf.constant([word, "a"]))
        assert encoded.row_lengths().numpy().tolist() == [count, 1]
        assert text_of(encoded) == [word.encode(), b"a"]


class TestDecoding:
    @pytest.mark.parametrize(
        ("tokens", "text"),
        [
            ([], ""),
            (["▁ab", "▁a", "b"], "ab ab"),
            (["a", "▁a"], "a a"),
            (["▁", "▁a"], " a"),
            (["<start>", "▁a", "<pad>", "b", "<end>"], "ab"),
            (["<0x20>", "▁a"], " a"),
            (["▁a", "<0xC3>", "<0xA9>"], "aé"),
            (["▁a", "<0xC3>", "b", "<0x80>", "<0xE2>", "<0x82>"], "a\ufffdb\ufffd\ufffd"),
            (["<0xFF>", "<0x00>"], "\ufffd\0"),
        ],
    )
    def test_hand_values(self, tokens, text):
        row = tf.constant([[*ids(*tokens), -1, 999_999]])
        assert decode(row, tf.constant([len(tokens)])).numpy()[0].decode() == text

    @properties
    @given(st.lists(st.sampled_from(range(len(VOCABULARY))), max_size=25), cuts)
    def test_any_cutting_joins_to_the_whole(self, row, places):
        data = b"".join(
            bytes([index - 3]) if 3 <= index < 259 else VOCABULARY[index].replace("▁", " ").encode()
            for index in row
            if index >= 3
        )
        parts = cut(row, places)
        found = text_of(tf.ragged.constant(parts, tf.int32, ragged_rank=1), decode_continuation)
        assert b"".join(found) == data
        whole = decode(tf.constant([row], tf.int32), tf.constant([len(row)])).numpy()[0]
        assert whole.decode() == data.decode("utf-8", "replace").removeprefix(" ")


def test_types_and_constants():
    assert (tokenizer.pad_id, tokenizer.start_id, tokenizer.end_id) == tuple(ids("<pad>", "<start>", "<end>"))
    assert RESERVED_TOKENS[3:] == tuple(f"<0x{byte:02X}>" for byte in range(256))
    assert (tokenizer.size, tokenizer.vocabulary) == (len(VOCABULARY), VOCABULARY)
    assert tokenizer.is_word_start.numpy().tolist() == [token.startswith("▁") for token in VOCABULARY]


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ([], r"begins with \[\]; expected \('<pad>'"),
        (
            VOCABULARY[:3] + PIECES,
            "of 15 tokens in which those of the bytes are not in places 3 to 258; expected '<0x00>'",
        ),
        ((*RESERVED_TOKENS[:-1], "▁"), "of 259 tokens in which those of the bytes are not"),
        ((*VOCABULARY, "a"), r"repeated tokens \['a'\]"),
        ((*VOCABULARY, ""), "Received the piece ''"),
        ((*VOCABULARY, "a b"), "Received the piece 'a b'"),
        ((*VOCABULARY, "▁a▁"), "Received the piece '▁a▁'; expected one character at least, no space"),
        ((*RESERVED_TOKENS, "▁a"), "Received a vocabulary without '▁'; expected it"),
    ],
)
def test_bad_vocabularies(vocabulary, message):
    with pytest.raises(ValueError, match=message):
        SubwordTokenizer(vocabulary)


def test_an_empty_batch():
    for encoded in (encode(tf.constant([], tf.string)), tokenizer.encode_words(tf.constant([], tf.string))):
        assert encoded.shape[0] == 0
        assert encoded.dtype == tf.int32
    nothing = tf.zeros([0, 3], tf.int32), tf.zeros([0], tf.int32)
    assert decode(*nothing).shape == tokenizer.decode_continuation(*nothing).shape == (0,)


def test_each_text_alone_as_in_a_batch():
    together = encode(tf.constant(TEXTS)).to_list()
    assert together == [encode(tf.constant([text])).to_list()[0] for text in TEXTS]


def test_mapped_over_a_data_set():
    direct = tokenizer.encode(tf.constant(TEXTS)).to_list()
    texts = tf.data.Dataset.from_tensor_slices(TEXTS)
    batched = texts.batch(3).map(tokenizer.encode)
    assert [row for batch in batched for row in batch.to_list()] == direct
    single = texts.map(lambda text: encode(text[None]).values)
    assert [row.numpy().tolist() for row in single] == direct


def test_in_a_saved_model(tmp_path):
    module = tf.Module()
    module.tokenizer = tokenizer
    module.encode = tf.function(
        lambda texts: module.tokenizer.encode(texts).to_tensor(-1),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )
    module.decode = tf.function(
        lambda token_ids, length: {
            "text": module.tokenizer.decode(token_ids, length),
            "added": module.tokenizer.decode_continuation(token_ids, length),
        },
        input_signature=of_tokens,
        autograph=False,
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    encoded = tokenizer.encode(tf.constant(TEXTS))
    np.testing.assert_array_equal(loaded.encode(tf.constant(TEXTS)), encoded.to_tensor(-1))
    results = loaded.decode(encoded.to_tensor(), tf.cast(encoded.row_lengths(), tf.int32))
    assert results["text"].numpy().tolist() == [text.encode() for text in TEXTS]
    assert results["added"].numpy().tolist() == text_of(encoded, decode_continuation)
    definition = loaded.encode.get_concrete_function().graph.as_graph_def()
    operations = {node.op for part in (definition, *definition.library.function) for node in nodes_of(part)}
    assert "LookupTableFindV2" in operations
    assert not [name for name in operations if "PyFunc" in name]


def nodes_of(part):
    return part.node if isinstance(part, tf.compat.v1.GraphDef) else part.node_def


def french_lines(count):
    subjects = ["L'été", "Où est-il ; l'œuvre", "« Ça »", "Nous n'étions", "Aujourd'hui, Zoë", "Le garçon"]
    verbs = ["s'est arrêté", "a reçu 42 pièces", "dîne\u202f!", "préférerait qu'elle naquît", "coûte 3,50\u00a0€"]
    places = ["à Nîmes.", "près de la forêt…", "chez Noël ?", "là-bas (hélas)", "dès l'aube"]
    draw = random.Random(1)
    return [" ".join(map(draw.choice, (subjects, verbs, places))) for _ in range(count)]


def test_the_same_as_the_library():
    """WordPiece of the library `tokenizers`, with its own ways to part punctuation and digits, where it knows all."""
    lines = [line.strip() for topic in pydoc_data.topics.topics.values() for line in topic.splitlines()]
    lines = [line for line in dict.fromkeys(lines) if line] + french_lines(600)
    fitted = SubwordTokenizer(fit_subwords(lines[1::2], 3000))
    of_library = Tokenizer(
        models.WordPiece(
            {token: index for index, token in enumerate((*fitted.vocabulary, "<unk>"))},
            unk_token="<unk>",
            continuing_subword_prefix="",
        )
    )
    of_library.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace("▁", prepend_scheme="always", split=True),
            pre_tokenizers.Punctuation("isolated"),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    draw = random.Random(2)
    words = sorted({word for line in lines for word in line.split()})
    mixed = ["".join(draw.sample(word, len(word))) for word in words]  # the same letters in an order never seen
    texts = lines + [" ".join(draw.sample(mixed, 10)) for _ in range(2000)]
    expected = [encoding.ids for encoding in of_library.encode_batch(texts)]
    found = fitted.encode(tf.constant(texts)).to_list()
    known = [index for index, row in enumerate(expected) if fitted.size not in row]
    assert len(known) > 6000
    assert [found[index] for index in known] == [expected[index] for index in known]
    assert max(map(len, fitted.vocabulary[259:])) > 10
