import numpy as np
import pyarrow as pa
import pytest

from runnel.datasets.series.load_series import load_series
from runnel.datasets.series.parse_labels import parse_labels
from runnel.datasets.series.raw_table import RawTable
from runnel.shared.errors import InputError

ROWS = "".join(f"2024-01-{day:02},{day % 7},{day}.5,{int(day == 3)}\n" for day in range(1, 29))


def labels(values):
    return parse_labels(RawTable("x.csv", {"label": pa.chunked_array([values])}, np.arange(len(values))), "label")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["0", "1", "", " 0 "], ["", "anomaly", "", ""]),
        (["0.0", "1.0", "nan", "0"], ["", "anomaly", "", ""]),
        (["false", "True", "no", "YES"], ["", "anomaly", "", "anomaly"]),
        (["normal", "Spike", "ok", "stuck valve"], ["", "Spike", "", "stuck valve"]),
        (["0", "2", "3", "0"], ["", "2", "3", ""]),
        (pa.array([0, 1, None, 0]), ["", "anomaly", "", ""]),
        (pa.array([0.0, 1.0, None, 2.0]), ["", "anomaly", "", "2"]),
        (pa.array([False, True, None, False]), ["", "anomaly", "", ""]),
    ],
)
def test_every_way_to_mark_a_row(values, expected):
    assert labels(values).tolist() == expected


def test_measurements_are_refused():
    with pytest.raises(InputError, match=r"'label' holds 3 different values, '0.37' among them; expected 0 or 1"):
        labels(pa.array([0.37, 12.5, 3.0, 0.0]))


def test_marks_in_every_row_are_refused():
    with pytest.raises(InputError, match="marks every row as anomalous"):
        labels(["1", "1"])


def test_a_label_is_read_and_is_no_feature(write):
    path = write("when,a,b,broken\n" + ROWS)
    table = load_series(path, targets=["b"], label="broken")
    assert table.columns == ("b", "a")
    assert np.flatnonzero(table.series[0].faults == "anomaly").tolist() == [2]
    unlabelled = load_series(path, targets=["b"], features=["a"])
    assert unlabelled.series[0].faults is None
    assert unlabelled.fingerprint != table.fingerprint


def test_a_label_that_is_not_there(write):
    path = write("when,a,b,broken\n" + ROWS)
    with pytest.raises(InputError, match="has no column 'fault' \\(--label\\)"):
        load_series(path, targets=["b"], label="fault")
    assert load_series(path, targets=["b"], label="fault", require_label=False).label_column is None


def test_a_label_has_no_other_role(write):
    with pytest.raises(InputError, match="'broken' is named by --label and by --target"):
        load_series(write("when,a,b,broken\n" + ROWS), targets=["broken"], label="broken")
