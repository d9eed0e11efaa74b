from unittest import mock

from runnel.datasets.phrasebook import phrasebook_dataset_builder as module
from runnel.datasets.phrasebook.split_pairs import Pair


def test_builder_on_dummy_data(check_conventions):
    dummy: dict[str, list[Pair]] = {}
    lines = (module.Builder.pkg_dir_path / "dummy_data" / "pairs.tsv").read_text(encoding="utf-8").splitlines()
    for split, english, french in (line.split("\t") for line in lines):
        dummy.setdefault(split, []).append(Pair(english, french, ""))
    counts = {"train": 3, "validation": 1, "test": 1, "compositional": 1}
    with mock.patch.object(module, "split_pairs", return_value=dummy):
        rows = check_conventions(module.Builder, "phrasebook", counts)
    assert rows["train"] == [
        {"english": b"The cat sleeps.", "french": b"Le chat dort."},
        {"english": b"The dog eats.", "french": b"Le chien mange."},
        {"english": b"Good morning.", "french": b"Bonjour."},
    ]
    assert rows["compositional"][0]["french"].decode() == "Est-ce que le chat mange\N{NO-BREAK SPACE}?"
