"""Running pgbench, and reading what it says."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from core.postgres import binary

CLIENTS = 16
THREADS = 2


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it went: transactions a second, and how many were done."""

    per_second: float
    done: int


def pgbench(url: str, script: str, seconds: int, clients: int = CLIENTS) -> Pace:
    """Run a script for some seconds, with prepared statements; RuntimeError when any call fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        command: list[str | Path] = [
            binary("pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={clients}",
            f"--jobs={min(THREADS, clients)}", f"--time={seconds}", f"--file={file.name}", url,
        ]  # fmt: skip
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    pace, done = re.search(r"tps = ([\d.]+)", ended.stdout), re.search(r"processed: (\d+)", ended.stdout)
    if ended.returncode or pace is None or done is None:
        raise RuntimeError(f"pgbench failed: {ended.stderr[-2000:]}")
    return Pace(float(pace[1]), int(done[1]))


def without_variables(statement: str) -> str:
    """Write a statement so that pgbench finds no variable in it: it takes `:name` for one even inside of quotes."""
    return _LITERAL.sub(_escaped, statement)


_LITERAL = re.compile(r"( E)?'((?:[^']|'')*)'")


def _escaped(literal: re.Match[str]) -> str:
    if ":" not in literal[2]:
        return literal[0]
    text = literal[2] if literal[1] else literal[2].replace("\\", "\\\\")
    return " E'" + text.replace(":", "\\x3a") + "'"
