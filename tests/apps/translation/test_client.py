import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from rich.console import Console

from runnel.apps.translation import client
from runnel.apps.translation.config import StreamOptions
from runnel.datasets.pairs.load_pairs import load_pairs
from runnel.datasets.pairs.pair_corpus import PairCorpus
from runnel.shared.errors import InputError

pytestmark = pytest.mark.usefixtures("_load_each_export_once")


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def whole(model: Any, text: str | bytes, signature: str = "greedy") -> str:
    return getattr(model, signature)(text=tf.constant([text]))["translation"].numpy()[0].decode()


# === predict ===


def test_predict_translates_each_text(trained: Any, model: Any, runnel: Callable) -> None:
    texts = ["one cat red eats.", "my sun here!"]
    code, out, err = runnel("predict", trained.export, *texts)
    assert (code, err) == (0, "")
    header, *rows = table(out)
    assert header == ["text", "translation", "log probability"]
    assert [row[:2] for row in rows] == [[texts[0], "un chat rouge mange."], [texts[1], "mon soleil ici\u202f!"]]
    answer = model.serving_default(text=tf.constant(texts))
    assert [float(row[2]) for row in rows] == pytest.approx(answer["score"].numpy().tolist(), abs=1e-4)


def test_predict_takes_any_text(trained: Any, model: Any, runnel: Callable) -> None:
    texts = ["", "zzz", 'a, "b"\n\nc', "🙂", "[/b] x ", "bad \udcff byte ", "-5", "one cat " * 200]
    code, out, err = runnel("predict", trained.export, "--", *texts)
    assert (code, err) == (0, "")
    texts[5] = "bad \ufffd byte "
    rows = table(out)[1:]
    assert [row[0] for row in rows] == texts
    assert [row[1] for row in rows] == [whole(model, text, "serving_default") for text in texts]
    assert all(float(row[2]) <= 0 for row in rows)


def test_predict_at_a_terminal_shows_the_text_as_it_is(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr("runnel.shared.terminal.show_table.Console", lambda: terminal)
    client.predict(trained.export, ["a [/b] and [red] x "], pytest.fail)
    assert "a [/b] and [red] x" in screen.getvalue()


# === stream ===


@pytest.fixture
def streamed(trained: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """The rows that a pipe is given."""

    def stream(said: bytes, *options: object, export: Path = trained.export) -> list[list[str]]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(said), encoding="utf-8"))
        code, out, err = runnel("stream", export, *options)
        assert (code, err) == (0, "")
        header, *rows = table(out)
        assert header == ["source", "committed", "finished"]
        return rows

    return stream


def test_stream_translates_line_by_line(streamed: Callable) -> None:
    rows = streamed(b"one cat red eats.\n\nmy sun here!\n")
    assert rows == [["one cat red eats.", "un chat rouge mange.", "1"], ["my sun here!", "mon soleil ici\u202f!", "1"]]


def test_stream_translates_before_a_line_ends(streamed: Callable) -> None:
    assert streamed(b"one cat red eats.\nmy sun here!", "--wait-k", 2) == [
        ["one cat ", "un", "0"],
        ["red ", " chat", "0"],
        ["eats.", " rouge mange.", "1"],
        ["my sun ", "mon", "0"],
        ["here!", " soleil ici\u202f!", "1"],
    ]


def test_every_sentence_ends_with_a_row_that_says_so(streamed: Callable) -> None:
    """One that was translated when its last word came, too; blank lines are none."""
    for options in ([], ["--wait-k", 2], ["--wait-k", 99]):
        rows = streamed(b" \none cat red eats. \n\n  \t\nzzz \n my sun here! ", *options)
        finished = [place for place, row in enumerate(rows) if row[2] == "1"]
        assert len(finished) == 3
        assert finished[-1] == len(rows) - 1
        assert "".join(row[0] for row in rows).split() == ["one", "cat", "red", "eats.", "zzz", "my", "sun", "here!"]
        assert "".join(row[1] for row in rows[: finished[0] + 1]) == "un chat rouge mange."


def test_stream_outlives_bytes_that_are_no_text(model: Any, streamed: Callable) -> None:
    said = b"one \xff\xe2\x82 cat\0\nred"
    rows = streamed(said)
    assert [row[0] for row in rows] == [line.decode(errors="replace") for line in said.split(b"\n")]
    assert [row[1] for row in rows] == [whole(model, line) for line in said.split(b"\n")]


def test_stream_of_nothing_gives_a_header(streamed: Callable) -> None:
    assert streamed(b"") == streamed(b"\n\n", "--wait-k", 3) == []


def test_each_commit_comes_before_the_next_character_is_read(trained: Any) -> None:
    said: list[str] = []

    class Speaker(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            read = self.getvalue()[: self.tell()]
            assert len(said) == 1 + max(read.count(" ") - 1, 0) + read.count("\n")
            return super().read(size)

    client.stream(trained.export, Speaker("one cat red eats.\n"), said.append, StreamOptions(2))
    assert len(said) == 4


@pytest.mark.slow
def test_a_pipe_is_answered_word_by_word(trained: Any) -> None:
    """In a process of its own, by lines that are flushed."""
    command = [sys.executable, "-m", "runnel.apps.cli", "stream", str(trained.export), "--wait-k", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=0) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "source,committed,finished\n"
        for word, row in (
            ("one cat ", "one cat ,un,0"),
            ("red ", "red , chat,0"),
            ("eats.\n", "eats., rouge mange.,1"),
        ):
            process.stdin.write(word)
            assert process.stdout.readline() == f"{row}\n"
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait() == 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_typed_at_live_and_shows_what_arrives(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple] = []
    monkeypatch.setattr(client, "type_live", lambda model, wait_k: seen.append(("typed", model, wait_k)))
    monkeypatch.setattr(client, "show_live", lambda model, lines, wait_k: seen.append(("shown", model, wait_k)))
    monkeypatch.setattr("sys.stdout", Terminal())
    for lines in (Terminal(), io.StringIO()):
        client.stream(trained.export, lines, pytest.fail, StreamOptions(2))
    assert [(one[0], one[2]) for one in seen] == [("typed", 2), ("shown", 2)]
    assert all(hasattr(one[1], "step") for one in seen)


def test_what_is_read_by_a_program_is_csv(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(client, "type_live", pytest.fail)
    monkeypatch.setattr(client, "show_live", pytest.fail)
    client.stream(trained.export, Terminal("one cat red."), said.append, StreamOptions())
    assert said[1:] == ["one cat red.,un chat rouge.,1"]


@pytest.fixture
def needs_whole_sentences(trained: Any, tmp_path: Path) -> Path:
    export = tmp_path / "export"
    shutil.copytree(trained.export, export)
    manifest = json.loads((export / "manifest.json").read_text())
    manifest["meanings"]["can_wait_k"] = False
    (export / "manifest.json").write_text(json.dumps(manifest))
    return export


def test_a_wait_is_refused_for_a_model_that_needs_whole_sentences(
    needs_whole_sentences: Path, runnel: Callable, monkeypatch: pytest.MonkeyPatch, streamed: Callable
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one cat.")))
    code, out, err = runnel("stream", needs_whole_sentences, "--wait-k", 3)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "received --wait-k 3 for a model that needs whole sentences; expected 0" in err
    assert streamed(b"one cat red.", export=needs_whole_sentences) == [["one cat red.", "un chat rouge.", "1"]]


@pytest.mark.parametrize(("wait", "part"), [(-1, "--wait-k -1; expected 0"), ("soon", "soon")])
def test_a_wait_that_is_none(
    trained: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch, wait: object, part: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    code, out, err = runnel("stream", trained.export, "--wait-k", wait)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert part in err


# === evaluate ===


def test_evaluate_repeats_what_training_measured(trained: Any, runnel: Callable) -> None:
    code, out, err = runnel("evaluate", trained.export)
    assert (code, err) == (0, "")
    scores = trained.manifest["metrics"]["scores"]
    header, *rows = table(out)
    assert header == ["", "BLEU", "chrF", "exact"]
    measured = {row[0]: [float(cell) for cell in row[1:]] for row in rows if row[0] in scores}
    assert measured.keys() == scores.keys() == {"model", "model, greedy", "word by word", "copy of the source"}
    for name, cells in measured.items():
        expected = [scores[name][key]["estimate"] for key in ("bleu", "chrf", "exact")]
        assert cells == pytest.approx(expected, abs=1e-4)
    said = [line for line in trained.said.splitlines() if line.startswith(("Of ", "BLEU of", "While "))]
    assert len(said) == 3
    assert all(line in out for line in said)


class EnoughError(Exception):
    """The rest would only take time."""


@pytest.fixture
def evaluated_on(trained: Any, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """The pairs that an export would be evaluated on, and what is said before; nothing is measured."""
    corpora = []

    def watched(module: Any, data: Any, config: Any) -> Any:
        corpora.append(data.corpus)
        raise EnoughError

    def evaluated_on(data: Any, export: Path = trained.export) -> tuple[PairCorpus, list[str]]:
        monkeypatch.setattr("runnel.apps.translation.evaluate.evaluate", watched)
        said: list[str] = []
        with pytest.raises(EnoughError):
            client.evaluate_export(export, None if data is None else str(data), said.append)
        return corpora.pop(), said

    return evaluated_on


@pytest.fixture
def new(sentences: Callable, trained: Any) -> list[tuple[str, str]]:
    """Pairs that the model has not learned from."""
    known = {line.split("\t")[0] for line in trained.pairs.read_text().splitlines()}
    return [pair for pair in sentences(500, 4) if pair[0] not in known]


@pytest.fixture
def other(tmp_path: Path, new: list, write_tsv: Callable) -> Path:
    return write_tsv(tmp_path / "other.tsv", new)


def test_pairs_of_the_users_are_evaluated_as_a_whole(
    trained: Any, other: Path, new: list, evaluated_on: Callable
) -> None:
    """The dictionary knows the pairs of the training."""
    corpus, said = evaluated_on(other)
    assert len(new) > 150
    assert corpus.splits["train"] == load_pairs(trained.pairs).splits["train"]
    assert sorted(corpus.splits["test"]) == sorted(new)
    assert [line for line in said if "left out" in line] == []


def test_what_was_trained_on_is_left_out(
    trained: Any, tmp_path: Path, new: list, evaluated_on: Callable, runnel: Callable, write_tsv: Callable
) -> None:
    known = load_pairs(trained.pairs).splits
    mixed = write_tsv(tmp_path / "mixed.tsv", [*new, *list(known["train"])[:50], *known["validation"], *known["test"]])
    corpus, said = evaluated_on(mixed)
    assert sorted(corpus.splits["test"]) == sorted([*new, *known["test"]])
    count = 50 + len(known["validation"])
    assert said[-1] == f"left out, for the model was trained on the same source: {count} pairs"

    write_tsv(tmp_path / "known.tsv", list(known["train"])[:100])
    code, _, err = runnel("evaluate", trained.export, "--data", "known.tsv")
    assert (code, err.count("\n")) == (2, 1)
    assert "known.tsv holds no source that pairs.tsv, the pairs of the training, does not hold too" in err


def test_the_pairs_of_the_training_are_evaluated_by_their_test_split(
    trained: Any, tmp_path: Path, evaluated_on: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = load_pairs(trained.pairs).splits
    shutil.copy(trained.pairs, tmp_path / "copy.tsv")
    monkeypatch.chdir(trained.pairs.parent)
    for data in (None, trained.pairs, "pairs.tsv", "run/../pairs.tsv", tmp_path / "copy.tsv"):
        corpus, _ = evaluated_on(data)
        assert corpus.splits == expected


def test_a_dataset_is_evaluated_by_its_test_split(
    trained: Any, other: Path, evaluated_on: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_pairs(other)
    monkeypatch.setattr(client, "load_pairs", lambda source: dataset if source == "tfds:o" else load_pairs(source))
    corpus, _ = evaluated_on("tfds:o")
    assert corpus.splits["train"] == load_pairs(trained.pairs).splits["train"]
    assert corpus.splits["test"] == dataset.splits["test"]


def test_pairs_that_have_changed_since_the_training(
    trained: Any, tmp_path: Path, other: Path, evaluated_on: Callable, runnel: Callable
) -> None:
    """Their splits may lie elsewhere now, so that their test split was trained on."""
    export = tmp_path / "export"
    shutil.copytree(trained.export, export)
    manifest = (export / "manifest.json").read_text()
    (export / "manifest.json").write_text(manifest.replace(trained.manifest["data"]["fingerprint"], "another"))
    for options in ([], ["--data", trained.pairs]):
        code, out, err = runnel("evaluate", export, *options)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "pairs.tsv have changed since the training" in err
    corpus, said = evaluated_on(other, export)
    assert corpus.splits["train"] == load_pairs(trained.pairs).splits["train"]
    assert said[-1] == f"{trained.pairs} has changed since the training; the dictionary knows it as it is now"


def test_evaluate_where_the_pairs_of_the_training_have_gone(
    trained: Any, other: Path, evaluated_on: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(source: str) -> Any:
        if source == str(trained.pairs):
            raise InputError("gone")
        return load_pairs(source)

    monkeypatch.setattr(client, "load_pairs", load)
    corpus, said = evaluated_on(other)
    assert corpus.splits == load_pairs(other).splits
    assert f"is not there: {other} is split" in said[-1]


# === Exports that cannot be used ===


@pytest.mark.parametrize("verb", ["predict", "stream", "evaluate"])
def test_a_damaged_export_is_refused(
    trained: Any, runnel: Callable, tmp_path: Path, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one")))
    shutil.copytree(trained.export, tmp_path / "export")
    (tmp_path / "export" / "saved_model" / "variables" / "variables.index").unlink()
    code, out, err = runnel(verb, "export", *(["one"] if verb == "predict" else []))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "variables.index is missing or damaged" in err


def test_an_export_of_another_application_is_refused(trained: Any, runnel: Callable, tmp_path: Path) -> None:
    shutil.copytree(trained.export, tmp_path / "export")
    manifest = tmp_path / "export" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"application": "translation"', '"application": "chess"'))
    code, _, err = runnel("predict", "export", "x")
    assert (code, err.count("\n")) == (2, 1)
    assert "'chess'" in err
