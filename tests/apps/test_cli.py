import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from runnel.apps import cli
from runnel.shared.errors import ExportError, InputError

VERBS = ("train", "export", "evaluate", "predict", "stream")


@pytest.fixture
def run(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_every_verb_and_application(run: Callable, option: str) -> None:
    code, out, err = run(option)
    assert (code, err) == (0, "")
    assert all(f"runnel {verb} " in out for verb in VERBS)
    assert all(application in out for application in cli.APPLICATIONS)


def test_nothing_asked_shows_the_usage_as_an_error(run: Callable) -> None:
    code, out, err = run()
    assert (code, out) == (2, "")
    assert err.startswith("usage: runnel VERB")


def test_version(run: Callable) -> None:
    assert run("--version") == (0, f"runnel {version('runnel')}\n", "")


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("fly", ["'fly'", "expected one of train, export, evaluate, predict, stream"]),
        ("train", ["''", "expected one of forecasting"]),
        ("train weather", ["'weather'", "expected one of forecasting"]),
        ("train forecasting --preset huge", ["'huge'", "'quick', 'default', 'thorough'"]),
        ("train forecasting --preset=huge", ["'huge'"]),
        ("train forecasting --preset", ["--preset"]),
        ("train forecasting --units many", ["--units", "'many'"]),
        ("train forecasting --preset quick --units 0", ["--units 0", "expected at least 1"]),
        ("train forecasting --cell rnn", ["'rnn'", "'simple_rnn', 'gru', 'lstm'"]),
        ("train forecasting --wings 2", ["--wings", "runnel train forecasting --help"]),
        ("train forecasting extra", ["extra"]),
        ("train forecasting --out", ["--out"]),
        ("export", ["missing", "PATH", "runnel export --help"]),
        ("export run --checkpoint oldest", ["'oldest'", "'best', 'last'"]),
        ("export no-such-run", ["no-such-run", "holds no training run"]),
        ("evaluate", ["missing", "PATH"]),
        ("evaluate no-such-export", ["no-such-export", "no readable manifest.json"]),
        ("predict no-such-export", ["received no input"]),
        ("predict no-such-export rows.csv", ["no-such-export", "no readable manifest.json"]),
        ("stream no-such-export", ["no-such-export", "no readable manifest.json"]),
        ("stream", ["missing", "PATH"]),
        ("predict no-such-export -dash", ["-dash", 'an input that begins with "-" goes behind --']),
        ("predict no-such-export -- -dash", ["no-such-export", "no readable manifest.json"]),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, parts: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*command.split())
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert all(part in err for part in parts), err
    assert list(tmp_path.iterdir()) == []


def test_stream_of_a_closed_standard_input(run: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # as after `<&-` in a shell
    code, out, err = run("stream", "export")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "received a closed standard input" in err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("bad; expected good; mend it"), 2, "error: bad; expected good; mend it\n"),
        (ExportError("not equal"), 1, "error: not equal\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_exit_codes(run: Callable, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, line: str) -> None:
    def fail(arguments: list[str]) -> int:
        raise error

    monkeypatch.setitem(cli._VERBS, "train", fail)
    assert run("train") == (code, "", line)


def test_reader_that_has_gone_is_no_failure() -> None:
    program = (
        "import sys\n"
        "from runnel.apps import cli\n"
        "cli._VERBS['say'] = lambda _: [cli._say('x' * 9999) for _ in range(999)] and 0\n"
        "sys.exit(cli.main(['say']))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.wait() == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_failure_that_is_ours_keeps_its_traceback(run: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli._VERBS, "train", lambda arguments: [][0])
    with pytest.raises(IndexError):
        run("train")


@pytest.mark.parametrize("preset", ["quick", "default", "thorough"])
def test_help_of_an_application_shows_the_defaults_of_the_preset(capsys: pytest.CaptureFixture, preset: str) -> None:
    from runnel.apps.forecasting.config import PRESETS

    with pytest.raises(SystemExit) as stop:
        cli.main(["train", "forecasting", "--preset", preset, "--help"])
    assert stop.value.code == 0
    words = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert f"(default: {PRESETS[preset].advanced.units})" in words.split("--units")[1].split("--depth")[0]
    assert f"(default: {preset})" in words


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb(verb: str, capsys: pytest.CaptureFixture) -> None:
    with contextlib.suppress(SystemExit):
        assert cli.main([verb, "--help"]) == 0
    assert f"usage: runnel {verb}" in capsys.readouterr().out


def test_train_passes_on_what_was_asked(run: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Train:
        @staticmethod
        def train(config: object, out: Path | None, say: Callable, now: object) -> None:
            asked.append((config, out))

    config_module = cli._import("forecasting", "config")
    modules = {"config": config_module, "train": Train}
    monkeypatch.setattr(cli, "_import", lambda application, module: modules[module])
    command = "train forecasting --preset quick --target a b --epochs 3 --out there"
    assert run(*command.split()) == (0, "", "")
    ((config, out),) = asked
    assert config.target == ("a", "b")
    assert (config.advanced.epochs, config.advanced.units) == (3, config_module.PRESETS["quick"].advanced.units)
    assert out == Path("there")


@pytest.fixture
def export_of(tmp_path: Path) -> Callable[[str], str]:
    """The path of an export of which there is no more than the manifest."""

    def export_of(application: str) -> str:
        export_dir = tmp_path / application
        export_dir.mkdir()
        (export_dir / "manifest.json").write_text(json.dumps({"application": application, "schema_version": 1}))
        return str(export_dir)

    return export_of


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What is passed on to the stream of an application, whichever it is."""
    asked: list[tuple] = []

    class Client:
        @staticmethod
        def stream(export_dir: Path, keys: object, say: Callable, *options: object) -> None:
            asked.append((export_dir, *options))

    real = cli._import
    monkeypatch.setattr(cli, "_import", lambda name, module: Client if module == "client" else real(name, module))
    return asked


def test_stream_passes_on_the_options_of_the_application(run: Callable, export_of: Callable, streamed: list) -> None:
    from runnel.apps.speech_commands.config import StreamOptions

    export = export_of("speech_commands")
    assert run("stream", export) == (0, "", "")
    assert run("stream", "--rate", "8000", export, "--sample-format", "float32") == (0, "", "")
    assert run("stream", "--wav", "a.wav", "--real-time", export) == (0, "", "")
    assert streamed == [
        (Path(export), StreamOptions()),
        (Path(export), StreamOptions(rate=8_000, sample_format="float32")),
        (Path(export), StreamOptions(wav=Path("a.wav"), real_time=True)),
    ]


def test_stream_of_an_application_without_options(run: Callable, export_of: Callable, streamed: list) -> None:
    export = export_of("autocomplete")
    assert run("stream", export) == (0, "", "")
    assert streamed == [(Path(export),)]
    code, out, err = run("stream", export, "--rate", "8000")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--rate" in err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["gone", "--rate", "8000"], ["received gone, which has no readable manifest.json"]),
        (["--wav", "a.wav", "EXPORT", "b"], ["unrecognized", "b"]),
        (["EXPORT", "--rate", "many"], ["--rate", "'many'"]),
        (["EXPORT", "--wings", "2"], ["--wings", "runnel stream --help"]),
    ],
)
def test_wrong_options_of_a_stream(run: Callable, export_of: Callable, arguments: list[str], parts: list[str]) -> None:
    export = export_of("speech_commands")
    code, out, err = run("stream", *(export if argument == "EXPORT" else argument for argument in arguments))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert all(part in err for part in parts), err


def test_help_of_a_stream_shows_the_options_of_the_application(
    export_of: Callable, capsys: pytest.CaptureFixture
) -> None:
    for arguments, has_options in (
        (["stream", export_of("speech_commands"), "--help"], True),
        (["stream", "gone", "--help"], False),
        (["stream", "--help"], False),
        (["stream", export_of("autocomplete"), "-h"], False),
    ):
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        assert stop.value.code == 0
        shown = capsys.readouterr().out
        assert "PATH" in shown
        assert ("--sample-format" in shown) is has_options


def test_help_and_usage_errors_need_no_tensorflow(export_of: Callable) -> None:
    export = export_of("speech_commands")
    program = (
        "import sys\n"
        "from runnel.apps.cli import main\n"
        "for arguments in (['--help'], ['train', '--help'], ['train', 'forecasting', '--help'],\n"
        "                  ['train', 'forecasting', '--units', 'x'], ['predict', 'a', 'b'], ['stream', '--help'],\n"
        "                  ['train', 'speech_commands', '--help'], ['train', 'speech_commands', '--units', 'x'],\n"
        f"                  ['stream', {export!r}, '--help'], ['stream', {export!r}, '--rate', '1']):\n"
        "    try:\n"
        "        main(arguments)\n"
        "    except SystemExit:\n"
        "        pass\n"
        "sys.exit('tensorflow' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("program", [["-m", "runnel.apps.cli"], ["apps/cli.py"]])
def test_runs_as_a_program(program: list[str]) -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, *program, "fly"], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
