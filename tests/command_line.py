"""The command line as tests ask it: each command is a process of its own, forked from one that has loaded the program.

To start Python and load the program takes seconds, and tests give hundreds of commands. What a start itself does is
asked of `python -m marketplace` (`start` in `tests/journeys/served.py`).
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

from marketplace.cli import MODULE_OF
from marketplace.program import main

_LOADED = multiprocessing.get_context("forkserver")
_LOADED.set_forkserver_preload([f"marketplace.cli.{place.partition(':')[0]}" for place in MODULE_OF.values()])


def run_program(
    *command: str, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> CompletedProcess[str]:
    """Run `leadbourse` to its end and return what it said: in the environment and folder of the tests if none is given.

    The exit status is negative when a signal ended it. It reads nothing: its stdin is empty.
    """
    with tempfile.TemporaryDirectory() as place:
        said = [str(Path(place, name)) for name in ("stdout", "stderr")]
        surroundings = dict(os.environ if environment is None else environment)
        told = (command, surroundings, str(folder or Path.cwd()), said)
        process = _LOADED.Process(target=_become, args=told)
        process.start()
        try:
            process.join()
        finally:
            process.kill()  # nothing when it has ended
        stdout, stderr = (Path(path).read_text() for path in said)
        assert process.exitcode is not None
        return CompletedProcess(["leadbourse", *command], process.exitcode, stdout, stderr)


def _become(command: tuple[str, ...], environment: dict[str, str], folder: str, said: list[str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(said, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.chdir(folder)
    sys.argv = ["leadbourse", *command]
    main()
