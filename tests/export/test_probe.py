import json

import numpy as np
import pytest
from export.toy_streams import (
    CommitStream,
    PairStream,
    SumStream,
    TalkingStream,
    TextStream,
    commit_probe,
    pair_probe,
    sum_probe,
    talking_probe,
    text_probe,
)

from runnel.shared.export.probe import record_probe
from runnel.shared.export.signatures import build_servable


def recorded(stream, probe, folder):
    record_probe(probe, build_servable(stream).signatures, folder)
    arrays = np.load(folder / "probe.npz", allow_pickle=False)
    return json.loads((folder / "probe.json").read_text()), {name: arrays[name] for name in arrays.files}


def test_numbers(tmp_path):
    probe = sum_probe()
    plan, arrays = recorded(SumStream(), probe, tmp_path)
    growing = {"totals": 1, "encoded": 1}
    expected = {
        "chunkings": [8, 1, 4],
        "final": ["total"],
        "growing": growing,
        "columns": {},
        "extra": [],
        "ranked": {},
        "ragged": {},
        "appended": {},
        "starts": 0,
    }
    assert plan == expected
    np.testing.assert_array_equal(arrays["serve/x"], probe.serve["x"])
    assert arrays["chunking/2/0/x"].shape == (3, 0, 2)
    valid = np.arange(8) < probe.serve["length"][:, None]
    total = (probe.serve["x"] * valid[..., None]).sum(axis=1)
    np.testing.assert_allclose(arrays["expected/serve/total"], total, atol=1e-5)
    np.testing.assert_allclose(arrays["expected/step/state_total"], total, atol=1e-5)
    assert arrays["expected/step/state_count"].tolist() == [8, 3, 0]


def test_what_marks_ragged_results(tmp_path):
    plan, _ = recorded(PairStream(), pair_probe(), tmp_path)
    assert plan["ragged"] == {"means": "count", "label": "label", "sample": "label", "level": "label"}


def test_text_that_is_appended_and_other_starts(tmp_path):
    plan, arrays = recorded(CommitStream(), commit_probe(), tmp_path)
    assert plan["appended"] == {"committed": ["whole", "answer"]}
    assert plan["starts"] == 1
    assert arrays["start/0/state_late"].tolist() == [1, 0, 1, 1]
    assert arrays["expected/extra/whole/answer"].tolist() == [
        "0n1a2\xc33\xaf4v5e.".encode("latin-1"),
        b"0a1b.",
        b".",
        b"0x1 2y3z.",
    ]
    assert arrays["expected/step/committed"].tolist() == [b"5e.", b".", b".", b"."]
    assert arrays["expected/step/state_count"].tolist() == [0, 0, 0, 0]


def test_further_signatures_start_from_the_initial_state(tmp_path):
    plan, arrays = recorded(TalkingStream(), talking_probe(), tmp_path)
    assert plan["extra"] == ["generate", "peek"]
    assert arrays["extra/generate/count"] == 5
    assert [len(text) for text in arrays["expected/extra/generate/text"].tolist()] == [7, 6]
    assert "extra/peek/state_bytes" not in arrays
    assert arrays["expected/extra/peek/bytes"].tolist() == [2, 3]
    assert arrays["expected/extra/peek/state_bytes"].tolist() == [0, 0]


def test_a_signature_without_inputs_to_verify_it_by_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"extra signatures \[\]; expected .*'generate', 'peek'.*fill Probe.extra"):
        recorded(TalkingStream(), text_probe(), tmp_path)
    with pytest.raises(ValueError, match=r"'generate', 'peek'\]; expected .*\[\]"):
        recorded(TextStream(), talking_probe(), tmp_path)


def test_text_becomes_bytes_that_need_no_pickle(tmp_path):
    _, arrays = recorded(TextStream(), text_probe(), tmp_path)
    assert arrays["serve/text"].tolist() == ["naïve.".encode(), b"."]
    assert arrays["chunking/0/2/text"].tolist() == [b"\xc3.", b"."]
    assert arrays["expected/serve/answer"].tolist() == ["6 octets, déjà.".encode(), "0 octets, déjà.".encode()]
    assert all(array.dtype != object for array in arrays.values())
