from pathlib import Path

from runnel.shared.storage.checksums import folder_checksums, sha256_of

# The examples of FIPS 180-4: the empty message and "abc".
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_sha256_is_the_standard_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256_of(tmp_path / "file") == ABC


def test_a_folder_lists_every_file_in_sorted_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "inner").write_bytes(b"abc")
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "no files").mkdir()
    assert list(folder_checksums(tmp_path).items()) == [("a", EMPTY), ("b/inner", ABC)]


def test_an_empty_folder_has_no_checksums(tmp_path: Path) -> None:
    assert folder_checksums(tmp_path) == {}
