import unicodedata

import pytest
import tensorflow as tf
from preprocessing.text_pieces import JOINERS, LETTERS, OTHERS, SPACES

from runnel.shared.preprocessing.word_pattern import WHITESPACE, WORD_CHARACTER, WORD_JOINER


def matching(pattern, characters):
    characters = list(characters)
    matches = tf.strings.regex_full_match(characters, pattern).numpy()
    return {character for character, match in zip(characters, matches, strict=True) if match}


def test_whitespace_is_that_of_unicode():
    characters = [chr(number) for number in range(0x10000) if not 0xD800 <= number < 0xE000]
    # Python also counts four control characters, which the Unicode property White_Space does not.
    expected = {character for character in characters if character.isspace()} - set("\x1c\x1d\x1e\x1f")
    assert matching(WHITESPACE, characters) == expected


def test_word_characters_are_letters_marks_numbers_and_the_underscore():
    """Up to Greek Extended, where nothing was added for a decade: the tables of Python and RE2 may differ in age."""
    characters = [chr(number) for number in range(0x0900)] + [chr(number) for number in range(0x1E00, 0x2000)]
    expected = {one for one in characters if unicodedata.category(one)[0] in "LMN"} | {"_"}
    found = matching(WORD_CHARACTER, characters)
    newer = {one for one in characters if unicodedata.category(one) == "Cn"}
    assert found - newer == expected


@pytest.mark.parametrize(
    ("pattern", "expected"), [(WORD_CHARACTER, LETTERS), (WORD_JOINER, JOINERS), (WHITESPACE, SPACES + "\n")]
)
def test_each_kind_of_the_other_tests(pattern, expected):
    assert matching(pattern, LETTERS + JOINERS + SPACES + "\n" + OTHERS) == set(expected)
