import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runnel.shared.training.checkpoint import Checkpoint, CheckpointStore


def save(store: CheckpointStore, step: int, is_best: bool = False) -> None:
    store.save(step, {"model/0": np.full([2, 3], step, np.float32), "count": np.int64(step)}, {"step": step}, is_best)


def steps(store: CheckpointStore) -> list[int]:
    return sorted(int(folder.name.removeprefix("step-")) for folder in store.folder.iterdir())


def newest(store: CheckpointStore) -> tuple[Checkpoint | None, list[str]]:
    lines: list[str] = []
    return store.latest_valid(lines.append), lines


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "checkpoints")
    arrays = {"model/0": np.array([[0.1, np.nan]], np.float32), "a/b": np.int64(2**60), "empty": np.zeros([0, 3])}
    store.save(1200, arrays, {"epochs": [{"loss": 0.1}], "best": None}, is_best=True)
    checkpoint, lines = newest(store)
    assert checkpoint is not None
    assert lines == []
    assert (checkpoint.step, checkpoint.is_best) == (1200, True)
    assert checkpoint.state == {"epochs": [{"loss": 0.1}], "best": None}
    assert checkpoint.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(checkpoint.arrays[name], array, strict=True)
    assert [item.name for item in store.folder.iterdir()] == ["step-00001200"]


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "missing")
    assert newest(store) == (None, [])
    assert store.best(pytest.fail) is None


def test_the_last_few_and_the_best_are_kept(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=2)
    for step in range(1, 8):
        save(store, step, is_best=step in (2, 3))
    assert steps(store) == [3, 6, 7]
    best = store.best(pytest.fail)
    assert best is not None
    assert best.step == 3


def test_steps_are_ordered_as_numbers(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=1)
    save(store, 99_999_999)
    save(store, 100_000_000)
    assert steps(store) == [100_000_000]


def test_a_checkpoint_of_the_same_step_is_replaced(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    save(store, 5)
    save(store, 5, is_best=True)
    assert steps(store) == [5]
    assert store.best(pytest.fail) is not None


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("file", ["arrays.npz", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", [truncate, empty, flip_a_bit, Path.unlink])
def test_a_damaged_newest_falls_back_to_the_one_before_and_says_so(
    tmp_path: Path, file: str, damage: Callable[[Path], None]
) -> None:
    store = CheckpointStore(tmp_path)
    for step in (1, 2, 3):
        save(store, step)
    damage(tmp_path / "step-00000003" / file)
    checkpoint, lines = newest(store)
    assert checkpoint is not None
    assert checkpoint.step == 2
    assert len(lines) == 1
    assert "step-00000003 is damaged" in lines[0]


def test_a_bit_flipped_in_any_byte_is_found_or_harmless(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    save(store, 1)
    save(store, 2, is_best=True)
    for name in ("manifest.json", "state.json"):
        path = tmp_path / "step-00000002" / name
        intact = path.read_bytes()
        for position in range(len(intact)):
            flipped = bytearray(intact)
            flipped[position] ^= 1 << position % 8
            path.write_bytes(flipped)
            checkpoint, lines = newest(store)
            assert checkpoint is not None
            assert (checkpoint.step, checkpoint.is_best, len(lines)) in {(1, False, 1), (2, True, 0)}
        path.write_bytes(intact)


def test_all_damaged_is_none_with_a_line_for_each(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    save(store, 1, is_best=True)
    save(store, 2)
    for folder in tmp_path.iterdir():
        truncate(folder / "arrays.npz")
    checkpoint, lines = newest(store)
    assert checkpoint is None
    assert len(lines) == 2


def test_a_damaged_best_falls_back_to_an_earlier_best(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    save(store, 1, is_best=True)
    save(store, 2, is_best=True)
    save(store, 3)
    truncate(tmp_path / "step-00000002" / "arrays.npz")
    lines: list[str] = []
    best = store.best(lines.append)
    assert best is not None
    assert best.step == 1
    assert len(lines) == 1


def test_a_copy_under_another_step_is_not_taken_for_it(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    save(store, 1)
    shutil.copytree(tmp_path / "step-00000001", tmp_path / "step-00000009")
    checkpoint, lines = newest(store)
    assert checkpoint is not None
    assert checkpoint.step == 1
    assert len(lines) == 1


def test_what_a_killed_writer_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    save(store, 1)
    (tmp_path / "step-00000001").rename(tmp_path / ".step-00000001.aside")
    (tmp_path / ".step-00000002.partial").mkdir()
    checkpoint, _ = newest(store)
    assert checkpoint is not None
    assert checkpoint.step == 1
    save(store, 3)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["step-00000001", "step-00000003"]


def test_keep_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keep=0"):
        CheckpointStore(tmp_path, keep=0)
