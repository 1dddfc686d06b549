"""The program `leadbourse`, as it is started: a command, loaded without the garbage collector looking on."""

import sys
from importlib import import_module

from core.garbage import loading


def main() -> None:
    """Load the command that is asked for, and run it."""
    with loading():
        command_line = import_module("marketplace.cli")
        for name in sys.argv[1:2]:
            command_line.leadbourse.get_command(None, name)
    command_line.main()
