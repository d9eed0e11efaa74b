"""Makes .venv in the checkout: the pinned packages of requirements.txt and the project itself, editable.

Run by scripts/setup, with the standard library alone. A state file inside .venv says what was installed and is written
last, so a set-up that was interrupted starts again and one that is complete costs nothing. A lock that the kernel lets
go of when its holder ends keeps two set-ups apart.
"""

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "scripts" / "requirements.txt"
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STATE = ENVIRONMENT / "runnel-setup.json"
CACHE = ROOT / ".cache"
SCRATCH = CACHE / "setup"

DOWNLOAD_MB = 610
DISK_MB = 3000
SUPPORTED_MACHINES = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")}
UNFINISHED = {"unfinished": True}
LARGE_DOWNLOAD = re.compile(r"(?:Downloading|Using cached) (?:\S*/)?(\S+) \((\d{2,}(?:\.\d+)? MB)\)")


State = Mapping[str, object]


class SetupError(Exception):
    """This machine cannot hold the environment; the message is one line."""


def expected_state() -> State:
    """Returns what a complete .venv made by this Python from these files records about itself."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "checkout": str(ROOT),
        "requirements": hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest(),
        "project": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
    }


def recorded_state() -> State:
    """Returns what .venv records about itself; empty where there is no readable record."""
    try:
        state = json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def record_state(state: State) -> None:
    """Replaces the record of .venv in one move."""
    draft = SCRATCH / STATE.name
    draft.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
    draft.replace(STATE)


def can_be_updated(recorded: State, expected: State) -> bool:
    """Says whether a complete .venv may be kept and only brought up to date: same Python, same place."""
    return bool(recorded) and all(recorded.get(key) == expected[key] for key in ("python", "checkout"))


def check_machine() -> None:
    """Refuses a machine for which TensorFlow publishes no wheel, or that cannot run or write what is installed."""
    if not os.access(ROOT, os.W_OK):
        raise SetupError(
            f"cannot write to {ROOT}; expected a folder of your own; copy the project to one and try again"
        )
    machine = platform.system(), platform.machine()
    if machine not in SUPPORTED_MACHINES:
        expected = ", ".join(" ".join(supported) for supported in sorted(SUPPORTED_MACHINES))
        raise SetupError(f"no TensorFlow for {' '.join(machine)}; expected one of {expected}")
    if machine[0] == "Linux" and platform.libc_ver()[0] != "glibc":
        raise SetupError("no TensorFlow for this C library; expected a Linux with glibc (Debian, Ubuntu, Fedora, ...)")
    if machine[1] == "x86_64" and lacks_avx(Path("/proc/cpuinfo")):
        raise SetupError("this processor has no AVX instructions; TensorFlow needs them; use another machine")


def lacks_avx(cpuinfo: Path) -> bool:
    """Says whether the kernel lists the processor's instruction sets and AVX is not among them."""
    try:
        flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return False
    return flags is not None and "avx" not in flags[1].split()


def check_disk(free_mb: float) -> None:
    """Refuses a disk that cannot hold .venv and its downloads."""
    needed_mb = DISK_MB + DOWNLOAD_MB
    if free_mb < needed_mb:
        raise SetupError(
            f"{free_mb:.0f} MB free at {ROOT}; expected {needed_mb} MB; free some space and run this again"
        )


def make_environment(recorded: State) -> None:
    """Makes an empty .venv with pip in it, in the place of one that is unfinished or of another Python."""
    if ENVIRONMENT.exists() and any(ENVIRONMENT.iterdir()) and not recorded:
        raise SetupError(f"{ENVIRONMENT} was not made by this set-up; move it away and run this again")
    check_disk(shutil.disk_usage(ROOT).free / 1e6)
    say(f"making {ENVIRONMENT} with Python {platform.python_version()}")
    say(f"about {DOWNLOAD_MB} MB to download and {DISK_MB} MB of disk, once")
    replace_environment()
    venv.create(ENVIRONMENT, symlinks=True, with_pip=True)


def replace_environment() -> None:
    """Puts a folder that holds nothing but the mark of an unfinished set-up in the place of .venv."""
    if ENVIRONMENT.exists():
        ENVIRONMENT.rename(SCRATCH / "old")
        shutil.rmtree(SCRATCH / "old")
    fresh = SCRATCH / "new"
    fresh.mkdir()
    (fresh / STATE.name).write_text(json.dumps(UNFINISHED), encoding="utf-8")
    fresh.rename(ENVIRONMENT)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Waits until no other set-up of this checkout is running, and gives this one an empty scratch folder."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)  # a pip that outlives a killed set-up keeps the lock until it ends
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up of this checkout is running; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(SCRATCH, ignore_errors=True)
        SCRATCH.mkdir()
        try:
            yield
        finally:
            shutil.rmtree(SCRATCH)


def say(message: str) -> None:
    """Prints one plain line at once."""
    print(f"set-up: {message}", flush=True)


def run_pip(*arguments: str) -> None:
    """Runs pip inside .venv and shows only the large downloads and the errors.

    Packages are built with the pinned setuptools of .venv (`--no-build-isolation`): nothing newer is ever fetched.
    """
    command = [str(PYTHON), "-m", "pip", "install", "--no-build-isolation", "--use-pep517", "--progress-bar=off"]
    settings = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0", "TMPDIR": str(SCRATCH)}
    with subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, text=True, env=os.environ | settings, close_fds=False
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            if match := LARGE_DOWNLOAD.search(line):
                say(f"  {match[1]}, {match[2]}")
    if pip.returncode:
        raise subprocess.CalledProcessError(pip.returncode, "pip install")


def check_tensorflow() -> None:
    """Imports TensorFlow once and shows what it printed only where it fails."""
    command = [str(PYTHON), "-c", "import tensorflow"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        sys.stderr.write(result.stdout)
        raise subprocess.CalledProcessError(result.returncode, "import tensorflow")


def install() -> None:
    """Fills .venv and records that it is complete."""
    start = time.monotonic()
    recorded, expected = recorded_state(), expected_state()
    if not can_be_updated(recorded, expected):
        make_environment(recorded)
    record_state(UNFINISHED)
    say("installing the pinned packages")
    run_pip("--constraint", str(REQUIREMENTS), "setuptools", "wheel")
    run_pip("--requirement", str(REQUIREMENTS))
    say("installing the project itself, editable")
    run_pip("--no-deps", "--editable", str(ROOT))
    say("checking that TensorFlow starts")
    check_tensorflow()
    record_state(expected)
    say(f"done in {time.monotonic() - start:.0f} s")


def main(arguments: list[str]) -> int:
    """Makes .venv, or with `--is-ready` only says by its exit status whether it is complete."""
    if arguments == ["--is-ready"]:
        return 0 if recorded_state() == expected_state() else 1
    try:
        check_machine()
        with one_at_a_time():
            if recorded_state() != expected_state():
                install()
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 2
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"set-up: {error}; running this again starts afresh", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: interrupted; running this again mends it", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
