import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from runnel.apps.forecasting.client import stream
from runnel.apps.forecasting.config import StreamOptions
from runnel.shared.errors import InputError

pytestmark = pytest.mark.usefixtures("_load_each_export_once")

HEADER = "when,meter,flow,temperature,pressure"
PREDICTED = ["meter", "when", "flow", "flow 5%", "flow 95%", "temperature", "temperature 5%"]
PREDICTED += ["temperature 95%", "flow last known", "temperature last known"]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def streamed(trained: Any, lines: Iterator[str] | list[str]) -> list[dict[str, str]]:
    said: list[str] = []
    stream(trained.export, iter(lines), said.append)  # type: ignore[arg-type]
    return table("\n".join(said))


def served(loaded: Any, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    values = frame[["flow", "temperature", "pressure"]].to_numpy(np.float32)
    seconds = pd.to_datetime(frame["when"]).astype("datetime64[s]").astype("int64").to_numpy()
    answer = loaded.serving_default(
        history=tf.constant(values[None]), timestamp=tf.constant(seconds[None]), length=tf.constant([len(frame)])
    )
    return {name: value.numpy()[0] for name, value in answer.items()}


# === predict ===


def test_predict_answers_in_the_users_own_terms(trained: Any, loaded: Any, runnel: Callable) -> None:
    code, out, err = runnel("predict", trained.export, trained.csv)
    assert (code, err) == (0, "")
    answer, rows = table(out), pd.read_csv(trained.csv)
    assert list(answer[0]) == PREDICTED
    assert [row["meter"] for row in answer] == ["north"] * 3 + ["south"] * 3
    for name, of_series in rows.groupby("meter"):
        last = pd.Timestamp(of_series["when"].iloc[-1])
        expected = served(loaded, of_series)
        for step, row in enumerate([row for row in answer if row["meter"] == name]):
            assert pd.Timestamp(row["when"]) == last + pd.Timedelta(hours=step + 1)
            for target, place in (("flow", 0), ("temperature", 1)):
                assert float(row[target]) == pytest.approx(expected["forecast"][step, place], rel=1e-4)
                assert float(row[f"{target} 5%"]) <= float(row[target]) <= float(row[f"{target} 95%"])
                known = of_series[target].dropna().iloc[-1]
                assert float(row[f"{target} last known"]) == pytest.approx(known, rel=1e-4)


def test_predict_reads_other_forms_of_the_same_rows(trained: Any, runnel: Callable, tmp_path: Path) -> None:
    """Columns in another order and one more, decimal commas, Parquet; several inputs in one call."""
    rows = pd.read_csv(trained.csv).assign(extra="unused")
    rows = rows[["extra", "pressure", "temperature", "flow", "meter", "when"]]
    rows.to_csv(tmp_path / "shuffled.csv", index=False)
    rows.to_csv(tmp_path / "commas.csv", index=False, sep=";", decimal=",")
    rows.assign(when=pd.to_datetime(rows["when"])).to_parquet(tmp_path / "typed.parquet")
    code, out, err = runnel("predict", trained.export, trained.csv, "shuffled.csv", "commas.csv", "typed.parquet")
    assert (code, err) == (0, "")
    answers = table(out)
    assert len(answers) == 4 * 6
    assert all(answers[start : start + 6] == answers[:6] for start in (6, 12, 18))


def test_names_with_commas_are_quoted(trained: Any, runnel: Callable, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f'{HEADER}\n2024-05-01,"hall, ""B""",1,2,3\n2024-05-02,"hall, ""B""",2,3,4\n')
    code, out, _ = runnel("predict", trained.export, "rows.csv")
    assert code == 0
    assert {row["meter"] for row in table(out)} == {'hall, "B"'}
    assert list(table(out)[0]) == PREDICTED


# === stream ===


def test_stream_answers_like_predict(trained: Any, runnel: Callable) -> None:
    lines = trained.csv.read_text().splitlines(keepends=True)
    order = [lines[0], *(line for pair in zip(lines[1:111], lines[111:], strict=True) for line in pair)]
    answer = streamed(trained, order)
    assert len(answer) == 220
    assert all(0 <= float(row["anomaly_score"]) <= 1 for row in answer)
    _, predicted, _ = runnel("predict", trained.export, trained.csv)
    for name in ("north", "south"):
        last = [row for row in answer if row["meter"] == name][-1]
        first_step = next(row for row in table(predicted) if row["meter"] == name)
        assert last["forecast for"] == first_step["when"]
        for column in ("flow", "flow 5%", "temperature 95%"):
            assert float(last[column]) == pytest.approx(float(first_step[column]), rel=1e-4)


def test_each_answer_comes_before_the_next_row_is_read(trained: Any) -> None:
    said: list[str] = []

    def arriving() -> Iterator[str]:
        yield HEADER + "\n"
        for hour in range(3):
            assert len(said) == hour + 1
            yield f"2024-05-01 0{hour}:00,north,{hour},1,2\n"

    stream(trained.export, arriving(), said.append)  # type: ignore[arg-type]
    assert len(said) == 4


def test_alarms_are_said_and_can_be_said_alone(trained: Any) -> None:
    hours = np.arange(400)
    flow = 10 + np.sin(2 * np.pi * hours / 24) + 0.05 * np.random.default_rng(0).normal(size=len(hours))
    flow[350] += 500
    times = [str(np.datetime64("2024-05-01T00", "h") + hour) for hour in hours]
    rows = [f"{time}:00,north,{value:.3f},15,1000" for time, value in zip(times, flow, strict=True)]
    answer = streamed(trained, [HEADER, *rows])
    assert {row["alarm"] for row in answer} == {"", "ALARM"}
    assert answer[350]["alarm"] == "ALARM"
    threshold = trained.manifest["meanings"]["alarms"]["alarm"]
    assert all((row["alarm"] == "ALARM") == (float(row["anomaly_score"]) >= threshold - 5e-4) for row in answer)
    said: list[str] = []
    stream(trained.export, iter([HEADER, *rows]), said.append, StreamOptions(alarms_only=True))  # type: ignore[arg-type]
    assert table("\n".join(said)) == [row for row in answer if row["alarm"]]


def test_stream_outlives_what_a_sensor_may_send(trained: Any, capsys: pytest.CaptureFixture) -> None:
    rows = [
        "2024-05-01 00:00,north,10,15,1000",
        "",
        "2024-05-01 01:00,north,error,15,1000",
        "2024-05-01 02:00,north,10",
        "yesterday,north,10,15,1000",
        '2024-05-01 03:00,"north,10,15,1000',
        "2024-05-01 04:00,north,inf,nan,",
        "2024-05-01 04:00,north,10,15,1000",
        "2024-04-30 04:00,north,99,15,1000",
        "2024-05-01 05:00,north,10,15,1000",
    ]
    answer = streamed(trained, [HEADER, *rows])
    assert [row["when"] for row in answer] == [
        "2024-05-01", "2024-05-01 01:00:00", "2024-05-01 04:00:00", "2024-05-01 04:00:00", "2024-04-30 04:00:00",
        "2024-05-01 05:00:00",
    ]  # fmt: skip
    assert (answer[4]["anomaly_score"], answer[4]["alarm"]) == ("0.000", "")  # too late to be judged
    assert answer[4]["forecast for"] == answer[3]["forecast for"] == "2024-05-01 05:00:00"
    complaints = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0].split(" has")[0] for line in complaints[:5]] == [
        f"standard input: row {number}" for number in range(4, 9)
    ]
    assert "counted as missing" in complaints[0]
    assert all(line.endswith("row left out") for line in complaints[1:4])
    assert [line.split(" is not later")[0] for line in complaints[5:]] == ["2024-05-01 04:00:00", "2024-04-30 04:00:00"]


@pytest.mark.parametrize("lines", [[], ["when,flow\n"], ["when,flow,temperature,pressure\n"], ["\n"]])
def test_stream_refuses_a_header_that_lacks_columns(trained: Any, lines: list[str]) -> None:
    with pytest.raises(
        InputError, match="expected a line of column names, among them 'flow', 'temperature', 'pressure'"
    ):
        streamed(trained, lines)


def test_header_alone_gives_a_header(trained: Any) -> None:
    said: list[str] = []
    stream(trained.export, iter([HEADER]), said.append)  # type: ignore[arg-type]
    assert said == [",".join(["meter", "when", "anomaly_score", "alarm", "forecast for", *PREDICTED[2:8]])]


def test_stream_from_standard_input(trained: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{HEADER}\n2024-05-01,north,1,2,3\n".encode() + b"2024-05-02,n\xff,1,2,3\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    code, out, err = runnel("stream", trained.export)
    assert (code, err) == (0, "")
    assert [row["meter"] for row in table(out)] == ["north", "n\ufffd"]


# === evaluate ===


def test_evaluate_repeats_what_training_measured(trained: Any, runnel: Callable) -> None:
    code, out, err = runnel("evaluate", trained.export)
    assert (code, err) == (0, "")
    metrics = trained.manifest["metrics"]
    first, *rows = csv.reader(io.StringIO(out))
    assert first[:2] == ["mean absolute error", "model"]
    assert set(first[2:]) == set(metrics["skill"])
    for row, target in zip(rows, ("flow", "temperature"), strict=False):
        assert row[0] == target
        assert float(row[1]) == pytest.approx(metrics["mean_absolute_error"][target]["model"], rel=1e-4)
    assert "80% interval: " in out
    assert "90% interval: " in out


def test_evaluate_on_other_rows(trained: Any, runnel: Callable, write_sensors: Callable, tmp_path: Path) -> None:
    write_sensors(tmp_path / "other.csv", 100, 9)
    code, out, _ = runnel("evaluate", trained.export, "--data", "other.csv")
    assert code == 0
    first, flow, *_ = csv.reader(io.StringIO(out))
    assert first[1] == "model"
    known = trained.manifest["metrics"]["mean_absolute_error"]["flow"]["model"]
    assert 0 < float(flow[1]) != pytest.approx(known, rel=1e-3)
