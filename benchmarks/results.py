"""Writing what a benchmark measured into RESULTS.md beside this file."""

import os
import platform
from pathlib import Path

from runnel.shared.errors import InputError
from runnel.shared.storage.atomic_write import write_atomic

__all__ = ["RESULTS", "bench_file", "machine", "record"]

RESULTS = Path(__file__).with_name("RESULTS.md")


def bench_file(name: str) -> Path:
    """A file of the public data, whose folder the environment variable RUNNEL_BENCH_DATA names.

    Raises:
        InputError: there is no such file.
    """
    folder = os.environ.get("RUNNEL_BENCH_DATA")
    if not folder:
        raise InputError("received no RUNNEL_BENCH_DATA; expected the folder of the benchmark data; set the variable")
    path = Path(folder) / name
    if not path.is_file():
        raise InputError(
            f"received RUNNEL_BENCH_DATA={folder}; expected {name} in it; set it to the folder that has it"
        )
    return path


def machine() -> str:
    """Processors and their model, as the table names the hardware."""
    model = platform.processor() or platform.machine()
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpu_info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return f"{os.cpu_count()} x {model}"


def record(section: str, row: dict[str, str]) -> None:
    """Puts a row into a table of RESULTS.md, in place of an older row of the same command.

    The table stands between the comments `<!-- table SECTION -->` and `<!-- end -->`.
    """
    text = RESULTS.read_text(encoding="utf-8")
    before, opening, rest = text.partition(f"<!-- table {section} -->\n")
    table, closing, after = rest.partition("<!-- end -->")
    if not closing:
        raise InputError(f"received {RESULTS.name} without a table {section}; expected its two comments; restore them")
    header = [f"| {' | '.join(row)} |", f"|{'---|' * len(row)}"]
    cells = [cell.replace("|", "\\|") for cell in list(row.values())[1:]]  # a bar of a cell is none of the table
    first, line = f"| `{row['command']}` |", f"| `{row['command']}` | {' | '.join(cells)} |"
    kept = table.splitlines()[2:]
    if any(one.startswith(first) for one in kept):
        kept = [line if one.startswith(first) else one for one in kept]
    else:
        kept.append(line)
    write_atomic(RESULTS, before + opening + "\n".join([*header, *kept]) + "\n" + closing + after)
