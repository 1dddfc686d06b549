"""The command line as tests ask it: each command is a process of its own, forked from one that has loaded the application.

To start Python and load the application takes seconds, and tests give hundreds of commands. What a start and an end
themselves do is asked of `python -m marketplace` (`start` in `tests/journeys/served.py`).
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

from marketplace.program import main

_LOADED = multiprocessing.get_context("forkserver")
_LOADED.set_forkserver_preload(["marketplace.app", __name__])  # a command loads its own modules, as ever
LONG = 600  # seconds: for what hangs


def run_program(
    *command: str, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> CompletedProcess[str]:
    """Run `leadbourse` to its end and return what it said: in the environment and folder of the tests if none is given.

    The exit status is negative when a signal ended it. It reads nothing: its stdin is empty.
    """
    with tempfile.TemporaryDirectory() as place:
        said = [Path(place, name) for name in ("stdout", "stderr")]
        for path in said:
            path.touch()
        surroundings = dict(os.environ if environment is None else environment)
        told = (command, surroundings, str(folder or Path.cwd()), said)
        process = _LOADED.Process(target=_become, args=told)
        process.start()
        try:
            process.join(LONG)
            assert process.exitcode is not None, f"{command} did not end: {said[1].read_text()}"
        finally:
            process.kill()  # nothing when it has ended
        stdout, stderr = (path.read_text() for path in said)
        return CompletedProcess(["leadbourse", *command], process.exitcode, stdout, stderr)


def _become(command: tuple[str, ...], environment: dict[str, str], folder: str, said: list[Path]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(said, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), number)
    os.chdir(folder)
    sys.argv = ["leadbourse", *command]
    main()
