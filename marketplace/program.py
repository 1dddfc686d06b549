"""The program `leadbourse`, as it is started: the command line, loaded without the garbage collector looking on."""

import gc
from importlib import import_module

from core.garbage import keep_what_is_loaded


def main() -> None:
    """Load the command line and run a command.

    What is loaded lives as long as the process. Looking for garbage in it took a fifth of the time of a start, and
    would take as long again at every full collection.
    """
    gc.disable()
    command_line = import_module("marketplace.cli")
    keep_what_is_loaded()
    gc.enable()
    command_line.main()
