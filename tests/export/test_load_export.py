import json
import shutil

import pytest
import tensorflow as tf

from runnel.shared.errors import InputError
from runnel.shared.export.load_export import load_export
from runnel.shared.storage.checksums import folder_checksums


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("load") / "export"
    module = tf.Module()
    module.number = tf.Variable(3.0)
    module.twice = tf.function(lambda: module.number * 2, input_signature=[])
    tf.saved_model.save(module, str(folder / "saved_model"))
    (folder / "report.html").write_text("a page")
    manifest = {"application": "toy", "schema_version": 1, "unit": "°C", "files": folder_checksums(folder)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def export(exported, tmp_path):
    return shutil.copytree(exported, tmp_path / "export")


def test_gives_manifest_and_model(exported):
    manifest, model = load_export(exported, "toy")
    assert manifest["unit"] == "°C"
    assert float(model.twice()) == 6


def test_what_a_client_does_not_use_may_be_gone(export):
    (export / "report.html").unlink()
    assert float(load_export(export, "toy")[1].twice()) == 6


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-20])


def flip(path):
    path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1]))


def unlist(path):
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"files": {"report.html": "0"}}))


def spoil(path):
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": None}))


@pytest.mark.parametrize(
    ("name", "damage", "part"),
    [
        ("saved_model", shutil.rmtree, " is missing or damaged; expected what was exported"),
        ("saved_model/saved_model.pb", cut_off, "saved_model.pb is missing or damaged"),
        ("saved_model/variables", shutil.rmtree, "variables.data-00000-of-00001 is missing or damaged"),
        ("saved_model/variables/variables.index", lambda path: path.unlink(), "variables.index is missing or damaged"),
        ("saved_model/variables/variables.data-00000-of-00001", flip, "variables.data-00000-of-00001 is missing or"),
        ("manifest.json", cut_off, "no readable manifest.json"),
        ("manifest.json", unlist, "saved_model is missing or damaged"),
        ("manifest.json", spoil, "saved_model is missing or damaged"),
        (".", shutil.rmtree, "no readable manifest.json"),
    ],
)
def test_what_is_missing_or_damaged(export, name, damage, part):
    damage(export / name)
    with pytest.raises(InputError) as caught:
        load_export(export, "toy")
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_application(exported):
    with pytest.raises(InputError, match="is an export of toy; expected one of chess"):
        load_export(exported, "chess")
