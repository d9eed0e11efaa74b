from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def datasets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of prepared data for all tests of the session."""
    return tmp_path_factory.mktemp("datasets")


@pytest.fixture
def prepared(datasets_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes the readers keep prepared data in the session's folder."""
    monkeypatch.setenv("RUNNEL_DATA_DIR", str(datasets_folder))
    return datasets_folder


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes text (or bytes) to a file of the test's own folder."""

    def write_file(content: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


@pytest.fixture
def check_conventions(tmp_path: Path) -> Callable[..., dict[str, list[dict]]]:
    """Checks what every builder of ours holds and returns its examples (tfds.testing needs a package TFDS lacks)."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.dataset_metadata import valid_tags

    def check(builder_class: type, name: str, splits: dict[str, int]) -> dict[str, list[dict]]:
        folder = builder_class.pkg_dir_path
        for file in ("README.md", "CITATIONS.bib", "TAGS.txt", "checksums.tsv", "dummy_data"):
            assert (folder / file).exists(), file
        builder_class(data_dir=tmp_path).download_and_prepare()
        builder = tfds.builder(name, data_dir=tmp_path)  # By name, reading what was written.
        assert builder.name == name
        assert {split: info.num_examples for split, info in builder.info.splits.items()} == splits
        assert builder.info.disable_shuffling
        assert "@misc" in builder.info.citation
        assert "**Licence" in builder.info.description
        tags = builder.get_metadata().tags
        assert tags
        assert set(tags) <= set(valid_tags())
        return {split: list(builder.as_dataset(split=split).as_numpy_iterator()) for split in splits}

    return check


@pytest.fixture
def check_builder(check_conventions: Callable, tmp_path: Path) -> Callable[..., None]:
    """Checks what every builder of series holds."""
    import tensorflow_datasets as tfds

    def check(builder_class: type, name: str, splits: dict[str, int]) -> None:
        rows = check_conventions(builder_class, name, splits)
        stamps = [row["timestamp"] for split in ("train", "validation", "test") for row in rows[split]]
        assert stamps == sorted(set(stamps))  # In order of time, and no example in two splits.
        for row in rows["train"]:
            assert row["timestamp"].dtype == np.int64
            assert {value.dtype for key, value in row.items() if key != "timestamp"} == {np.dtype(np.float32)}
        metadata = tfds.builder(name, data_dir=tmp_path).info.metadata
        assert {metadata["time_column"], *metadata["targets"]} <= set(rows["train"][0])

    return check


@pytest.fixture
def check_text_builder(check_conventions: Callable) -> Callable[..., dict[str, list[str]]]:
    """Checks what every builder of text holds, and returns its documents by split."""

    def check(builder_class: type, name: str, splits: dict[str, int]) -> dict[str, list[str]]:
        rows = check_conventions(builder_class, name, splits)
        assert all(set(row) == {"text"} for part in rows.values() for row in part)
        return {split: [row["text"].decode() for row in part] for split, part in rows.items()}

    return check
