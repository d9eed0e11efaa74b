"""The command line: `runnel VERB ...`. An application is imported only when it is asked for."""

import contextlib
import importlib
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

import tyro

from runnel.shared.errors import InputError, RunnelError
from runnel.shared.export.manifest import MANIFEST, read_manifest

__all__ = ["APPLICATIONS", "main"]

APPLICATIONS = ("forecasting", "autocomplete", "speech_commands", "translation")
Preset = Literal["quick", "default", "thorough"]
_HELP = {"-h", "--help"}

_USAGE = f"""\
usage: runnel VERB ...

  runnel train APPLICATION [options]     train, evaluate, export and verify
  runnel export RUN [options]            export the best or the last checkpoint of a run
  runnel evaluate EXPORT_DIR [options]   measure an export on test data
  runnel predict EXPORT_DIR INPUT        answer for a whole input
  runnel stream EXPORT_DIR [options]     answer piece by piece, from standard input

applications: {", ".join(APPLICATIONS)}
options of a verb: runnel VERB --help; of an application: runnel train APPLICATION --help, runnel stream EXPORT_DIR -h
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code: 0 done, 1 a failure of ours, 2 bad input or usage, 130 interrupted."""
    verb, *rest = [*(sys.argv[1:] if arguments is None else arguments)] or [""]
    if verb in _HELP or verb == "--version":
        sys.stdout.write(f"runnel {version('runnel')}\n" if verb == "--version" else _USAGE)
        return 0
    if verb not in _VERBS:
        sys.stderr.write(f"error: received {verb!r}; expected one of {', '.join(_VERBS)}\n" if verb else _USAGE)
        return 2
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return _VERBS[verb](rest)
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except RunnelError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - closed by the interpreter at its end
        return 141


def _train(arguments: list[str]) -> int:
    application, *rest = arguments or [""]
    if application in _HELP:
        sys.stdout.write(f"usage: runnel train APPLICATION [options]\n\napplications: {', '.join(APPLICATIONS)}\n")
        return 0
    if application not in APPLICATIONS:
        raise InputError(f"received {application!r} as the application; expected one of {', '.join(APPLICATIONS)}")
    chosen = _preset(rest)
    defaults = _import(application, "config").PRESETS[chosen]

    def options(
        config: tyro.conf.OmitArgPrefixes[type(defaults)] = defaults,  # type: ignore[valid-type] # known only here
        preset: Preset = chosen,  # noqa: ARG001 - read above, here for the help
        out: Path | None = None,
    ) -> tuple[Any, Path | None]:
        """Train, evaluate, export and verify.

        Args:
            config: the options of the application.
            preset: how much time to take: about a minute and a half, ten minutes, an hour.
            out: run folder to start, or to go on with (default: a new one, runs/APPLICATION/TIME).
        """
        return config, out

    config, out = _parse(options, rest, f"runnel train {application}")
    _import(application, "train").train(config, out, _say, datetime.now())
    return 0


def _export(arguments: list[str]) -> int:
    def options(
        run: tyro.conf.Positional[Path], checkpoint: Literal["best", "last"] = "best"
    ) -> tuple[Path, Literal["best", "last"]]:
        """Evaluate and export a checkpoint of a training run.

        Args:
            run: folder of the run.
            checkpoint: the one with the best validation loss, or the newest.
        """
        return run, checkpoint

    run, checkpoint = _parse(options, arguments, "runnel export")
    from runnel.shared.training.run_folder import load_run

    _import(load_run(run).application, "train").export(run, checkpoint, _say)
    return 0


def _evaluate(arguments: list[str]) -> int:
    def options(export_dir: tyro.conf.Positional[Path], data: str | None = None) -> tuple[Path, str | None]:
        """Measure an export on test data, by streaming them.

        Args:
            export_dir: what `runnel train` exported.
            data: another source of data (default: the one it was trained on).
        """
        return export_dir, data

    export_dir, data = _parse(options, arguments, "runnel evaluate")
    _import(_application_of(export_dir), "client").evaluate_export(export_dir, data, _say)
    return 0


def _predict(arguments: list[str]) -> int:
    def options(
        export_dir: tyro.conf.Positional[Path], inputs: tyro.conf.Positional[tuple[str, ...]]
    ) -> tuple[Path, tuple[str, ...]]:
        """Answer for whole inputs.

        Args:
            export_dir: what `runnel train` exported.
            inputs: what the application takes: CSV or Parquet files to forecast, texts to complete or to
                translate, audio files to recognise.
        """
        return export_dir, inputs

    try:
        export_dir, inputs = _parse(options, arguments, "runnel predict")
    except InputError as error:
        if any(argument.startswith("-") for argument in arguments) and "--" not in arguments:
            raise InputError(f'{error}; an input that begins with "-" goes behind --') from error
        raise
    if not inputs:
        raise InputError("received no input; expected at least one after the export directory")
    _import(_application_of(export_dir), "client").predict(export_dir, inputs, _say)
    return 0


def _stream(arguments: list[str]) -> int:
    if sys.stdin is None and not _HELP & {*arguments}:
        raise InputError("received a closed standard input; expected a terminal, a file or a pipe; leave it open")
    defaults = _stream_defaults(arguments)

    def options(
        export_dir: tyro.conf.Positional[Path],
        application: tyro.conf.OmitArgPrefixes[type(defaults)] = defaults,  # type: ignore[valid-type] # known only here
    ) -> tuple[Path, Any]:
        """Answer piece by piece: standard input in, each result as soon as it is there.

        Args:
            export_dir: what `runnel train` exported; with it, --help shows the options of its application.
            application: the options of the application.
        """
        return export_dir, application

    # Help does not show what has been given.
    export_dir, chosen = _parse(options, ["--help"] if _HELP & {*arguments} else arguments, "runnel stream")
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr] # one bad byte must not end a stream
    client = _import(_application_of(export_dir), "client")
    client.stream(export_dir, sys.stdin, _say, *([] if isinstance(chosen, _NoOptions) else [chosen]))
    return 0


@dataclass(frozen=True)
class _NoOptions:
    """Of an application that has none for a stream."""


def _stream_defaults(arguments: Sequence[str]) -> Any:
    """The options, at their defaults, that the application of the export takes for a stream.

    What is no option may be the export or the value of an option; the first that looks like an export is it.

    Raises:
        InputError: there is no export among the arguments, and no help is asked for.
    """
    places = [Path(argument) for argument in arguments if not argument.startswith("-")]
    export_dir = next((place for place in places if (place / MANIFEST).is_file()), next(iter(places), None))
    if export_dir is None or (not (export_dir / MANIFEST).is_file() and _HELP & {*arguments}):
        return _NoOptions()
    return getattr(_import(_application_of(export_dir), "config"), "StreamOptions", _NoOptions)()


def _preset(arguments: Sequence[str]) -> Preset:
    """The preset that is asked for, on which the other defaults rest; a wrong one is left for the parser to refuse."""
    options = [argument for pair in arguments for argument in pair.split("=", 1)] + [""]
    asked = [value for option, value in pairwise(options) if option == "--preset"]
    return next((name for name in get_args(Preset) if asked[-1:] == [name]), "default")


def _parse(options: Callable[..., Any], arguments: list[str], program: str) -> Any:
    """What `options` returns for these arguments; an error is one line instead of a box."""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(options, args=arguments, prog=program)
    except SystemExit as stop:
        if stop.code in (None, 0):
            raise
        # A box of a title, the message and hints, with rules between them.
        what = re.split(r"[-\u2500]{3,}", complaint.getvalue() + "---")[1]
        what = " ".join(re.sub(r"[\u2500-\u257f]", " ", what).split()).rstrip(".")
        raise InputError(f"{what[:1].lower()}{what[1:]}; see {program} --help") from None


def _application_of(export_dir: Path) -> str:
    """The application that an export belongs to."""
    application: str = read_manifest(export_dir)["application"]
    if application not in APPLICATIONS:
        raise InputError(f"{export_dir} is an export of {application!r}; expected one of {', '.join(APPLICATIONS)}")
    return application


def _import(application: str, module: str) -> ModuleType:
    if module != "config":
        _import_tensorflow_quietly()
    return importlib.import_module(f"runnel.apps.{application}.{module}")


def _import_tensorflow_quietly() -> None:
    """TensorFlow greets on standard error, past its own log level; an answer of one line would drown in that.

    It also imports Keras wherever it finds it, which takes as long again: what needs Keras imports it itself.
    """
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    standard_error = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        sys.modules["keras"] = None  # type: ignore[assignment] # not to be found
        try:
            importlib.import_module("tensorflow")
        finally:
            del sys.modules["keras"]
            os.dup2(standard_error, 2)
            os.close(standard_error)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


_VERBS: dict[str, Callable[[list[str]], int]] = {
    "train": _train,
    "export": _export,
    "evaluate": _evaluate,
    "predict": _predict,
    "stream": _stream,
}

if __name__ == "__main__":
    sys.exit(main())
