import numpy as np
import pytest

from runnel.datasets.series.series_table import Series, fingerprint_of


def series(values, stamps=(0, 60), name="a"):
    return Series(name, np.array(stamps, np.int64), np.array(values, np.float32).reshape(len(stamps), -1))


def test_arrays_cannot_be_changed():
    one = series([1, 2])
    with pytest.raises(ValueError, match="read-only"):
        one.values[0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        one.timestamps[0] = 5


def test_fingerprint_tells_content_apart():
    base = fingerprint_of(("x",), (series([1, 2]),))
    assert len(base) == 64
    assert base == fingerprint_of(("x",), (series([1, 2], name="another file"),))
    others = {
        fingerprint_of(("y",), (series([1, 2]),)),
        fingerprint_of(("x",), (series([1, 3]),)),
        fingerprint_of(("x",), (series([1, 2], stamps=(0, 61)),)),
        fingerprint_of(("x",), (series([1, np.nan]),)),
        fingerprint_of(("x", "y"), (series([1, 2, 3, 4]),)),
        fingerprint_of(("x",), (series([1, 2]), series([1, 2]))),
        fingerprint_of(("x",), (series([1, 2]),), with_ids=True),
        fingerprint_of(("x",), (series([1, 2], name="b"),), with_ids=True),
    }
    assert len(others) == 8
    assert base not in others


def test_every_nan_is_one_missing_value():
    odd = np.array([0x7FC00001], np.uint32).view(np.float32)[0]
    assert fingerprint_of(("x",), (series([1, odd]),)) == fingerprint_of(("x",), (series([1, np.nan]),))
