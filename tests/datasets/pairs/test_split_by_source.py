import random

import pytest

from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.datasets.pairs.split_by_source import SHARES, split_by_source

# `printf %s TEXT | sha256sum` begins with these digits; validation begins at 0.9 = e666, test at 0.95 = f333.
HI, SORRY, GO, WHEN = "Hi.", "Sorry.", "Go.", "When?"  # 17f4, 9f7d, c48c, e5d2
GO_ON, SIT_DOWN, THANKS, GET_UP = "Go on.", "Sit down.", "Thanks.", "Get up."  # e9bd, f011, f51b, fb52


def sentences(count):
    return Pairs.of((f"Sentence {index}.", f"Phrase {index}.") for index in range(count))


def test_the_hash_of_the_source_decides():
    pairs = Pairs.of((source, source.upper()) for source in (WHEN, THANKS, SIT_DOWN, GO, GET_UP, GO_ON, HI))
    assert split_by_source(pairs, SHARES) == {
        "train": Pairs((WHEN, GO, HI), ("WHEN?", "GO.", "HI.")),
        "validation": Pairs((SIT_DOWN, GO_ON), ("SIT DOWN.", "GO ON.")),
        "test": Pairs((THANKS, GET_UP), ("THANKS.", "GET UP.")),
    }


def test_all_targets_of_a_source_stay_together():
    pairs = Pairs.of((f"Sentence {index % 200}.", f"Phrase {index}.") for index in range(600))
    splits = split_by_source(pairs, SHARES)
    sources = [set(part.sources) for part in splits.values()]
    assert sum(map(len, sources)) == len(set.union(*sources)) == 200
    assert sorted(pair for part in splits.values() for pair in part) == sorted(pairs)
    assert all(len(part) == 3 * len(set(part.sources)) for part in splits.values())


def test_shares_are_about_what_was_asked_for():
    sizes = [len(part) for part in split_by_source(sentences(10_000), SHARES).values()]
    assert sizes == pytest.approx([9000, 500, 500], abs=70)  # Three standard deviations.


def test_neither_order_nor_other_pairs_matter():
    pairs = list(sentences(2000))
    splits = split_by_source(Pairs.of(pairs), SHARES)
    random.Random(0).shuffle(pairs)
    fewer = split_by_source(Pairs.of(pairs[:1000]), SHARES)
    for split in SHARES:
        assert set(fewer[split]) == set(splits[split]) & set(pairs[:1000])


def test_one_missing_split():
    splits = split_by_source(sentences(1000), {"train": 0.95, "test": 0.05})
    assert splits["test"] == split_by_source(sentences(1000), SHARES)["test"]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([HI, GO, WHEN], [[HI], [GO], [WHEN]]),  # All of them of train by their hashes.
        ([WHEN, GO, SORRY, HI], [[SORRY, HI], [GO], [WHEN]]),
        ([THANKS, HI, SIT_DOWN], [[HI], [SIT_DOWN], [THANKS]]),
        ([THANKS, GET_UP, GO_ON], [[GO_ON], [THANKS], [GET_UP]]),
        ([HI, HI, GO], [[HI, HI], [GO], []]),
        ([THANKS], [[THANKS], [], []]),
        ([], [[], [], []]),
    ],
)
def test_every_split_gets_a_source_as_long_as_there_are_any(sources, expected):
    splits = split_by_source(Pairs.of((source, "x") for source in sources), SHARES)
    assert [list(part.sources) for part in splits.values()] == expected
