import dataclasses

import pytest

from runnel.datasets.pairs.pair_corpus import Pairs, fingerprint_of

PAIRS = Pairs(("Hello.", "Bye."), ("Salut.", "À plus."))


def test_pairs():
    assert len(PAIRS) == 2
    assert list(PAIRS) == [("Hello.", "Salut."), ("Bye.", "À plus.")]
    assert Pairs.of(iter([("Hello.", "Salut."), ("Bye.", "À plus.")])) == PAIRS
    assert Pairs.of([]) == Pairs((), ())
    assert not Pairs((), ())


def test_pairs_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PAIRS.sources = ()


def test_sides_of_different_lengths():
    with pytest.raises(ValueError, match="2 sources and 1 targets"):
        Pairs(("Hello.", "Bye."), ("Salut.",))


def test_fingerprint_is_of_the_content():
    splits = {"train": PAIRS, "test": Pairs(("Yes.",), ("Oui.",))}
    assert len(fingerprint_of(splits)) == 64
    assert fingerprint_of(splits) == fingerprint_of({split: Pairs.of(list(pairs)) for split, pairs in splits.items()})


@pytest.mark.parametrize(
    "other",
    [
        {"train": Pairs(("Yes.", "No."), ("Oui.", "Non."))},
        {"train": Pairs(("No.",), ("Oui.",)), "test": Pairs(("Yes.",), ("Non.",))},
        {"train": Pairs(("No.",), ("Non.",)), "validation": Pairs(("Yes.",), ("Oui.",))},
        {"train": Pairs(("No.N",), ("on.",)), "test": Pairs(("Yes.",), ("Oui.",))},
        {"train": Pairs(("Non.",), ("No.",)), "test": Pairs(("Yes.",), ("Oui.",))},
    ],
)
def test_any_other_content_gives_another(other):
    assert fingerprint_of(other) != fingerprint_of(
        {"train": Pairs(("No.",), ("Non.",)), "test": Pairs(("Yes.",), ("Oui.",))}
    )
