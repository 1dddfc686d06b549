"""One process that keeps others running: it starts them, restarts whichever dies, and takes all of them along."""

import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

from core.errors import Conflict, Unavailable
from core.lifeline import ask_for_death_signal

_log = logging.getLogger(__name__)
_LOOK_EVERY_SECONDS = 0.1
_KEEP_ALIVE_EVERY_SECONDS = 1.0
_INTERRUPT_EVERY_SECONDS = 0.25
_FIRST_BACK_OFF_SECONDS = 0.2
_LAST_BACK_OFF_SECONDS = 5.0
_STEADY_AFTER_SECONDS = 10.0


def supervise(
    commands: Mapping[str, Sequence[str]],
    environment: Mapping[str, str],
    stop_within_seconds: float = 9,
    keep_alive: Callable[[], None] | None = None,
) -> int:
    """Keep one child process per command running until SIGTERM, SIGINT or SIGHUP; then stop all and return 0.

    A child that dies is restarted after 0.2 s, after twice as long each time up to 5 s; what it left behind in its
    process group is killed first. The children die with this process, however it ends. `keep_alive` is called every
    second; its Unavailable or OSError is logged, and a signal interrupts it. Only for the main thread.
    """
    children = [_Child(name, command, environment) for name, command in commands.items()]
    watch = _Watch()
    watch.begin()
    try:
        while not watch.stopping:
            for child in children:
                child.look_after()
            watch.call(keep_alive)
            time.sleep(_LOOK_EVERY_SECONDS)
    finally:
        _stop(children, time.monotonic() + stop_within_seconds)
        watch.end()
    return 0


def refuse_busy_port(host: str, port: int) -> None:
    """Raise Conflict `port_in_use` when somebody listens there already, or when one cannot listen there at all."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections just closed do not count
                probe.bind(address)
                probe.listen()
    except OSError as error:
        raise Conflict("port_in_use", f"Cannot listen on {host} port {port}: {error.strerror}. "
                                      "Name another with --port or PORT.") from error  # fmt: skip


class _Interrupted(BaseException):
    """Raised by a signal while `keep_alive` runs, which may wait for longer than we have for stopping."""


@dataclass(slots=True)
class _Watch:
    """What the signals say, and when `keep_alive` is due."""

    stopping: bool = False
    _in_call: bool = False
    _due_at: float = 0.0
    _before: dict[int, signal.Handlers | int | Callable[[int, FrameType | None], object] | None] = field(
        default_factory=dict
    )

    def begin(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup
                self._before[number] = signal.signal(number, self._receive)

    def end(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def call(self, keep_alive: Callable[[], None] | None) -> None:
        if keep_alive is None or self.stopping or time.monotonic() < self._due_at:
            return
        self._due_at = time.monotonic() + _KEEP_ALIVE_EVERY_SECONDS
        with suppress(_Interrupted):
            try:
                self._in_call = True
                with _interrupting_again_and_again():
                    keep_alive()
            except (Unavailable, OSError) as error:
                _log.error("%s", error)
            finally:
                self._in_call = False

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True
        if self._in_call:
            raise _Interrupted


@contextmanager
def _interrupting_again_and_again() -> Iterator[None]:
    """Interrupt whatever waits in the system, so that Python looks for signals.

    A signal that arrives just before the program begins to wait does not end the waiting: Python's handlers run between
    its own instructions, and the waiting is one of them.
    """
    before = signal.signal(signal.SIGALRM, lambda _number, _frame: None)
    signal.setitimer(signal.ITIMER_REAL, _INTERRUPT_EVERY_SECONDS, _INTERRUPT_EVERY_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass(slots=True)
class _Child:
    """One command and its present process, which leads a process group of its own."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    _started_at: float = 0.0
    _start_due_at: float = 0.0
    _back_off_seconds: float = _FIRST_BACK_OFF_SECONDS

    def look_after(self) -> None:
        if self.process is None:
            if time.monotonic() >= self._start_due_at:
                self._start()
        elif self.process.poll() is not None:
            self._bury(self.process)

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def kill_group(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _start(self) -> None:
        # Only between fork and exec is it certain that no child misses our death; this process has one thread.
        supervisor_pid = os.getpid()
        self.process = subprocess.Popen(
            self.command, env=dict(self.environment), process_group=0, stdin=subprocess.DEVNULL,
            preexec_fn=lambda: _tie_to(supervisor_pid),  # noqa: PLW1509
        )  # fmt: skip
        self._started_at = time.monotonic()

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        self.kill_group()
        now = time.monotonic()
        if now - self._started_at >= _STEADY_AFTER_SECONDS:
            self._back_off_seconds = _FIRST_BACK_OFF_SECONDS
        _log.warning("%s ended with status %s; starting it again in %.1f s",
                     self.name, process.returncode, self._back_off_seconds)  # fmt: skip
        self.process, self._start_due_at = None, now + self._back_off_seconds
        self._back_off_seconds = min(2 * self._back_off_seconds, _LAST_BACK_OFF_SECONDS)


def _tie_to(supervisor_pid: int) -> None:
    ask_for_death_signal()
    if os.getppid() != supervisor_pid:
        os._exit(1)


def _stop(children: Sequence[_Child], deadline: float) -> None:
    for child in children:
        child.send(signal.SIGTERM)
    while any(child.is_running() for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    for child in children:
        child.kill_group()
