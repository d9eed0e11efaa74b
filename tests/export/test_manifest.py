import json

import pytest

from runnel.shared.errors import InputError
from runnel.shared.export.manifest import SCHEMA_VERSION, read_manifest


@pytest.fixture
def folder(tmp_path):
    export = tmp_path / "export"
    export.mkdir()
    return export


def write(folder, **changes):
    manifest = {"application": "toy", "schema_version": SCHEMA_VERSION} | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_reads_what_is_there(folder):
    write(folder, meanings={"unit": "°C"})
    assert read_manifest(folder)["meanings"] == {"unit": "°C"}
    assert read_manifest(folder, "toy")["application"] == "toy"


@pytest.mark.parametrize("content", [None, "", "{", "[]", "3", "null", '{"application": "toy"}', "\xff", b"\xff"])
def test_no_readable_manifest(folder, content):
    if content is not None:
        (folder / "manifest.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=r"has no readable manifest.json; expected an export directory") as caught:
        read_manifest(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing", "missing/deep", "file"])
def test_no_folder(tmp_path, name):
    (tmp_path / "file").write_text("text")
    with pytest.raises(InputError, match=r"has no readable manifest\.json"):
        read_manifest(tmp_path / name)


def test_other_application(folder):
    write(folder)
    with pytest.raises(InputError, match="is an export of toy; expected one of forecasting"):
        read_manifest(folder, "forecasting")


def test_newer_schema(folder):
    write(folder, schema_version=SCHEMA_VERSION + 1)
    with pytest.raises(InputError, match=f"schema version {SCHEMA_VERSION + 1}; expected at most {SCHEMA_VERSION}"):
        read_manifest(folder)


@pytest.mark.parametrize("version", ["first", None, {}])
def test_schema_that_is_no_number(folder, version):
    write(folder, schema_version=version)
    with pytest.raises(InputError, match="schema"):
        read_manifest(folder)


def test_puts_back_what_a_kill_left_aside(folder):
    write(folder)
    folder.rename(folder.with_name(".export.aside"))
    assert read_manifest(folder)["application"] == "toy"
    assert folder.is_dir()
