"""The program `leadbourse`, as it is started: the command line, loaded without the garbage collector looking on."""

from importlib import import_module

from core.garbage import loading


def main() -> None:
    """Load the command line and run a command."""
    with loading():
        command_line = import_module("marketplace.cli")
    command_line.main()
