"""Kills exports with SIGKILL; a program of its own, not a test.

    python killed_export.py FOLDER KILLS SEED

Writes out what a reader finds after each kill, one line each: `none`, `old` or `new`; damage ends it with an error. The
last line is the same export, not killed. Every attempt is a fork: they share one import of TensorFlow, and nothing
has run in it by then.
"""

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from export.no_verifier import NoVerifier
from export.toy_streams import SumStream, export, sum_probe

from runnel.shared.errors import InputError
from runnel.shared.export import export_model as module
from runnel.shared.export.manifest import read_manifest
from runnel.shared.storage.checksums import folder_checksums

FILE_OPERATIONS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def write(target: Path, content: str) -> None:
    export(SumStream(), sum_probe(), target, metrics={"content": content})


def read(target: Path) -> str:
    try:
        manifest = read_manifest(target, "toy")
    except InputError:
        assert not target.exists(), "half an export"
        return "none"
    checksums = folder_checksums(target)
    del checksums["manifest.json"]
    assert checksums == manifest["files"], "an export that does not hold what its manifest says"
    return str(manifest["metrics"]["content"])


def in_a_fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def write_and_die(target: Path, arm: Callable[[], None]) -> None:
    arm()
    with contextlib.suppress(SystemExit):
        write(target, "new")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_event(wanted: Callable[[str, str], bool], then: Callable[[], object] = die) -> Callable[[], None]:
    return lambda: sys.addaudithook(
        lambda event, arguments: then() if wanted(event, str(arguments[0]) if arguments else "") else None
    )


def soon_after(wanted: Callable[[str, str], bool]) -> Callable[[], None]:
    return at_event(wanted, threading.Thread(target=lambda: (time.sleep(0.3), die()), daemon=True).start)


def probe_begins(event: str, path: str) -> bool:
    """Everything but the verification and the manifest has been written."""
    return event == "open" and path.endswith("/probe.npz")


def at_count(point: int) -> Callable[[], None]:
    """At the file operation of this number, counted from the making of the temporary folder on."""
    counted = -1

    def wanted(event: str, path: str) -> bool:
        nonlocal counted
        if event not in FILE_OPERATIONS or (counted < 0 and not path.endswith(".export.partial")):
            return False
        counted += 1
        return counted == point

    return at_event(wanted)


def killed(target: Path, arm: Callable[[], None]) -> None:
    status = in_a_fork(lambda: write_and_die(target, arm))
    assert status == signal.SIGKILL, f"ended with {status} before it was killed"
    sys.stdout.write(f"{read(target)}\n")


def main(folder: Path, kills: int, seed: int) -> None:
    draws = random.Random(seed)
    target = folder / "export"
    killed(target, at_event(lambda event, path: event == "os.mkdir" and path.endswith(".export.partial")))
    killed(target, at_event(probe_begins))
    killed(target, soon_after(probe_begins))  # in the middle of the verification, on most machines

    verifier, module.Verifier = module.Verifier, NoVerifier  # type: ignore[assignment, misc]
    assert in_a_fork(lambda: write(target, "old")) == 0, "the same export did not go on"
    for _ in range(kills):
        killed(target, at_count(draws.randrange(45)))
    killed(target, at_event(lambda event, path: event == "os.rename" and path.endswith("/export")))
    killed(target, at_event(lambda event, path: event == "os.rename" and path.endswith(".export.partial")))
    killed(target, at_event(lambda event, path: event == "os.rmdir" and path.endswith(".export.aside")))

    module.Verifier = verifier  # type: ignore[misc]
    assert in_a_fork(lambda: write(target, "newest")) == 0, "the same export did not go on"
    assert [path.name for path in folder.iterdir()] == ["export"], "something was left behind"
    sys.stdout.write(f"{read(target)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
