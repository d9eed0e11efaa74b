import pytest

from runnel.datasets.phrasebook.split_pairs import Pair, split_pairs


@pytest.fixture(scope="session")
def counts() -> dict[str, int]:
    """Sizes of a small phrasebook."""
    return {"train": 8_000, "validation": 200, "test": 200, "compositional": 120}


@pytest.fixture(scope="session")
def splits(counts) -> dict[str, list[Pair]]:
    """A small phrasebook: it is drawn like the whole one, which takes half a minute."""
    return split_pairs(counts)
