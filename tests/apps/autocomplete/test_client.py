import csv
import io
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from rich.console import Console

from runnel.apps.autocomplete import client
from runnel.datasets.text.load_text import load_text
from runnel.datasets.text.text_corpus import TextCorpus
from runnel.shared.errors import InputError

pytestmark = pytest.mark.usefixtures("_load_each_export_once")


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def served(model: Any, text: bytes | str) -> list[str]:
    suggestions = model.serving_default(text=tf.constant([text]))["suggestions"].numpy()[0]
    return [word.decode() for word in suggestions]


def greedy(model: Any, prompt: str) -> str:
    options = {"max_tokens": 30, "temperature": 0.0, "top_k": 0, "top_p": 1.0, "seed": 0}
    outputs = model.generate(prompt=tf.constant([prompt]), **{name: tf.constant(v) for name, v in options.items()})
    return outputs["text"].numpy()[0].decode()


# === predict ===


def test_predict_suggests_and_writes_on(trained: Any, words: Any, runnel: Callable) -> None:
    code, out, err = runnel("predict", trained.export, "The quick ", "The rec")
    assert (code, err) == (0, "")
    header, *rows = table(out.split("written on: ")[0])
    assert header == ["text", "suggestion", "probability"]
    for text in ("The quick ", "The rec"):
        assert [row[1] for row in rows if row[0] == text] == [word for word in served(words, text) if word]
        assert 0 < sum(float(row[2]) for row in rows if row[0] == text) <= 1.0002  # four digits are shown
    assert f"written on: The rec{greedy(words, 'The rec')}\n" in out


def test_predict_at_character_level(trained_on_characters: Any, characters: Any, runnel: Callable) -> None:
    code, out, _ = runnel("predict", trained_on_characters.export, "the re")
    assert code == 0
    assert [row[1] for row in table(out)[1:6]] == served(characters, "the re")
    assert all(row[1].startswith("re") for row in table(out)[1:6])


def test_predict_takes_any_text(trained: Any, words: Any, runnel: Callable) -> None:
    texts = ["", "zzz", 'a, "b"\n\nc', "🙂", "[/b] x ", "bad \udcff byte "]
    code, out, err = runnel("predict", trained.export, *texts)
    assert (code, err) == (0, "")
    texts[-1] = "bad \ufffd byte "
    rows = table(out.split("written on: ")[0])[1:]
    for text in texts:
        assert [row[1] for row in rows if row[0] == text] == [word for word in served(words, text) if word]
        assert f"written on: {text}{greedy(words, text)}\n" in out


def test_predict_at_a_terminal_shows_the_text_as_it_is(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr("runnel.shared.terminal.show_table.Console", lambda: terminal)
    said: list[str] = []
    client.predict(trained.export, ["a [/b] and [red] x "], said.append)
    assert "a [/b] and [red] x" in screen.getvalue()
    assert len(said) == 1


# === stream ===


def streamed(runnel: Callable, monkeypatch: pytest.MonkeyPatch, export: Any, typed: bytes) -> list[list[str]]:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8"))
    code, out, err = runnel("stream", export)
    assert (code, err) == (0, "")
    return table(out)


def test_stream_from_a_pipe_answers_every_key(
    trained: Any, words: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'The rec 🙂\t"café, \nA fo\0x'
    header, *rows = streamed(runnel, monkeypatch, trained.export, text.encode())
    assert header == ["key", *(f"suggestion {number}" for number in range(1, 6))]
    assert [row[0] for row in rows] == list(text)
    for place, row in enumerate(rows):
        assert row[1:] == served(words, text[: place + 1].encode())


def test_stream_outlives_bytes_that_are_no_text(
    trained: Any, words: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = b"The \xff\xe2\x82 re"
    rows = streamed(runnel, monkeypatch, trained.export, typed)[1:]
    assert "".join(row[0] for row in rows) == typed.decode(errors="replace")
    assert rows[-1][1:] == served(words, typed)


def test_stream_of_nothing_gives_a_header(trained: Any, runnel: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(streamed(runnel, monkeypatch, trained.export, b"")) == 1


def test_each_answer_comes_before_the_next_key_is_read(trained: Any) -> None:
    said: list[str] = []

    class Keyboard(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            assert len(said) == 1 + self.tell()
            return super().read(size)

    client.stream(trained.export, Keyboard("The"), said.append)
    assert len(said) == 4


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_typed_at_live(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    models = []
    monkeypatch.setattr(client, "type_live", models.append)
    monkeypatch.setattr("sys.stdout", Terminal())
    client.stream(trained.export, Terminal("unread"), pytest.fail)
    assert hasattr(models[0], "step")


@pytest.mark.parametrize(("keys", "screen"), [(Terminal, io.StringIO), (io.StringIO, Terminal)])
def test_what_is_read_by_a_program_is_csv(
    trained: Any, monkeypatch: pytest.MonkeyPatch, keys: Callable, screen: Callable
) -> None:
    said: list[str] = []
    monkeypatch.setattr(client, "type_live", pytest.fail)
    monkeypatch.setattr("sys.stdout", screen())
    client.stream(trained.export, keys("Th"), said.append)
    assert [row[0] for row in table("\n".join(said))] == ["key", "T", "h"]


# === evaluate ===


def test_evaluate_repeats_what_training_measured(trained: Any, runnel: Callable) -> None:
    code, out, err = runnel("evaluate", trained.export)
    assert (code, err) == (0, "")
    typing = trained.manifest["metrics"]["typing"]
    header, *rows = table(out)
    assert header == ["", "recall of 1", "recall of 3", "mean reciprocal rank", "keys spared"]
    measured = {row[0]: [float(cell) for cell in row[1:]] for row in rows if row[0] in typing}
    assert measured.keys() == {"model", "Kneser-Ney n-gram", "most frequent words"}
    for name, cells in measured.items():
        expected = [typing[name][key]["estimate"] for key in ("top1", "top3", "mrr", "keystroke_savings")]
        assert cells == pytest.approx(expected, abs=1e-4)
    assert trained.manifest["metrics"]["likelihood"]["verdict"] in out


class EnoughError(Exception):
    """The rest would only take time."""


@pytest.fixture
def evaluated_on(trained: Any, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """The text that an export would be evaluated on, and what is said before; nothing is measured."""
    corpora = []

    def watched(module: Any, data: Any, config: Any) -> Any:
        corpora.append(data.corpus)
        raise EnoughError

    def evaluated_on(data: Any, export: Path = trained.export) -> tuple[TextCorpus, list[str]]:
        monkeypatch.setattr(client, "evaluate", watched)
        said: list[str] = []
        with pytest.raises(EnoughError):
            client.evaluate_export(export, None if data is None else str(data), said.append)
        return corpora.pop(), said

    return evaluated_on


@pytest.fixture
def other(tmp_path: Path, sentences: Callable) -> Path:
    """Another text of the user's."""
    path = tmp_path / "other.txt"
    path.write_text(sentences(200, 77))
    return path


def paragraphs(documents: Iterable[str]) -> list[str]:
    return [paragraph for text in documents for paragraph in text.strip().split("\n\n")]


def test_a_text_of_the_users_is_evaluated_as_a_whole(trained: Any, other: Path, evaluated_on: Callable) -> None:
    """The baselines know the text of the training."""
    corpus, said = evaluated_on(other)
    assert corpus.splits["train"] == load_text(trained.text).splits["train"]
    assert paragraphs(corpus.splits["test"]) == paragraphs([other.read_text()])
    assert said == []


def test_what_was_trained_on_is_left_out(
    trained: Any, tmp_path: Path, other: Path, evaluated_on: Callable, runnel: Callable
) -> None:
    known, new = paragraphs([trained.text.read_text()]), paragraphs([other.read_text()])
    (tmp_path / "mixed.txt").write_text("\n\n".join([*new[:20], known[3], *new[20:], known[0], known[50]]))
    corpus, said = evaluated_on(tmp_path / "mixed.txt")
    assert paragraphs(corpus.splits["test"]) == new
    assert said == ["left out of test, for an earlier split holds the same: 3 paragraphs"]

    (tmp_path / "known.txt").write_text("\n\n".join(reversed(known[:50])))
    code, _, err = runnel("evaluate", trained.export, "--data", "known.txt")
    assert (code, err.count("\n")) == (2, 1)
    assert "known.txt holds nothing but text that story.txt, the text of the training, holds too" in err


def test_the_text_of_the_training_is_evaluated_by_its_test_split(
    trained: Any, tmp_path: Path, evaluated_on: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = load_text(trained.text).splits
    shutil.copy(trained.text, tmp_path / "copy.txt")
    monkeypatch.chdir(trained.text.parent)
    for data in (None, trained.text, "story.txt", "run/../story.txt", tmp_path / "copy.txt"):
        corpus, said = evaluated_on(data)
        assert corpus.splits == expected
        assert said == []


def test_a_dataset_is_evaluated_by_its_test_split(
    trained: Any, other: Path, evaluated_on: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_text(other)
    monkeypatch.setattr(client, "load_text", lambda source: dataset if source == "tfds:o" else load_text(source))
    corpus, _ = evaluated_on("tfds:o")
    assert corpus.splits["train"] == load_text(trained.text).splits["train"]
    assert corpus.splits["test"] == dataset.splits["test"]


def test_a_text_that_has_changed_since_the_training(
    trained: Any, tmp_path: Path, other: Path, evaluated_on: Callable, runnel: Callable
) -> None:
    """Its splits may lie elsewhere now, so that its test split was trained on."""
    export = tmp_path / "export"
    shutil.copytree(trained.export, export)
    manifest = (export / "manifest.json").read_text()
    (export / "manifest.json").write_text(manifest.replace(trained.manifest["data"]["fingerprint"], "another"))
    for options in ([], ["--data", trained.text]):
        code, out, err = runnel("evaluate", export, *options)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "story.txt have changed since the training" in err
    corpus, said = evaluated_on(other, export)
    assert corpus.splits["train"] == load_text(trained.text).splits["train"]
    assert said == [f"{trained.text} has changed since the training; the baselines know it as it is now"]


def test_evaluate_where_the_text_of_the_training_has_gone(
    trained: Any, other: Path, evaluated_on: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(source: str) -> Any:
        if source == str(trained.text):
            raise InputError("gone")
        return load_text(source)

    monkeypatch.setattr(client, "load_text", load)
    corpus, said = evaluated_on(other)
    assert corpus.splits == load_text(other).splits
    assert len(said) == 1
    assert f"is not there: {other} is split" in said[0]


@pytest.mark.parametrize("verb", ["predict", "stream", "evaluate"])
def test_a_damaged_export_is_refused(
    trained: Any, runnel: Callable, tmp_path: Path, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"The")))
    shutil.copytree(trained.export, tmp_path / "export")
    (tmp_path / "export" / "saved_model" / "variables" / "variables.index").unlink()
    code, out, err = runnel(verb, "export", *(["The"] if verb == "predict" else []))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "variables.index is missing or damaged" in err


def test_an_export_of_another_application_is_refused(trained: Any, runnel: Callable, tmp_path: Path) -> None:
    shutil.copytree(trained.export, tmp_path / "export")
    manifest = tmp_path / "export" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"application": "autocomplete"', '"application": "chess"'))
    code, _, err = runnel("predict", "export", "x")
    assert (code, err.count("\n")) == (2, 1)
    assert "'chess'" in err
