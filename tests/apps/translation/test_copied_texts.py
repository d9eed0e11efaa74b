import unicodedata

from runnel.apps.translation.copied_texts import copied_texts


def test_numbers_names_and_scripts() -> None:
    texts = copied_texts(2000, 0)
    assert len(texts) == 2000
    assert len(set(texts)) > 1900
    assert all(text == text.strip() and 1 <= len(text.split(" ")) <= 3 for text in texts)
    assert all(len(word) <= 9 for text in texts for word in text.split(" "))
    everything = "".join(texts)
    scripts = {unicodedata.name(character, "?").split(" ")[0] for character in everything}
    assert {"LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC", "CJK", "DIGIT"} <= scripts
    assert sum(text.replace(" ", "").rstrip(".!").isdecimal() for text in texts) > 200


def test_drawn_by_the_seed_alone() -> None:
    assert copied_texts(50, 3) == copied_texts(50, 3) == copied_texts(60, 3)[:50]
    assert copied_texts(50, 3) != copied_texts(50, 4)
    assert copied_texts(0, 3) == []
