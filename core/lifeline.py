"""The end of a process whose parent has died, by the kernel's signal where there is one and by looking everywhere.

granian's workers outlive a killed main process and keep answering; so every process below a supervisor calls this.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LOOK_EVERY_SECONDS = 0.5
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """End this process, without any clean-up, as soon as its parent has died, or now if it already has."""
    parent_pid = os.getppid()
    ask_for_death_signal()
    spawned_by = multiprocessing.parent_process()
    if os.getppid() != parent_pid or (spawned_by is not None and not spawned_by.is_alive()):
        os._exit(1)
    threading.Thread(target=_look_for_parent, args=(parent_pid,), name="lifeline", daemon=True).start()


def ask_for_death_signal() -> None:
    """Have the kernel kill this process when the thread that started it ends; does nothing outside Linux.

    Holds across exec, and touches nothing but the kernel, so that it may run between fork and exec.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _look_for_parent(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(_LOOK_EVERY_SECONDS)
    os._exit(1)
