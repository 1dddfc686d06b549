"""The supervisor keeps its children running, and takes all of them along however it ends."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from core.config import Settings
from core.errors import Conflict
from core.postgres import discard_embedded
from core.supervisor import refuse_busy_port

REPOSITORY = Path(__file__).resolve().parents[2]

SUPERVISE = """
import ctypes, json, os, signal, sys, time
from collections import deque
from itertools import starmap
from operator import call
from core.supervisor import supervise
def wait_for_long():
    print("called", flush=True)
    time.sleep(600)
def be_told_just_before_waiting():  # no instruction of Python's lies between the two, so its handler waits as well
    deque(starmap(call, [(ctypes.CDLL(None).kill, os.getpid(), signal.SIGTERM), (time.sleep, 600)]))
ways = {"wait": wait_for_long, "told": be_told_just_before_waiting}
keep_alive = ways.get(sys.argv[-1])
sys.exit(supervise(json.loads(sys.argv[1]), os.environ, float(sys.argv[2]), keep_alive))
"""

SUPERVISE_WITH_DATABASE = """
import os, sys
from pathlib import Path
from core.config import Settings
from core.postgres import open_database
from core.supervisor import supervise
with open_database(Settings(data_folder=Path(sys.argv[1]))) as database:
    print(database.url, database.files.cluster / "postmaster.pid", flush=True)
    status = supervise({}, os.environ, 5, database.ensure_running)
sys.exit(status)
"""

NOTE_PID = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); "
SLEEP = NOTE_PID + "time.sleep(600)"
IGNORE_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
# Notes the pid of a grandchild, which outlives its parent unless something is done about it.
LEAVE_GRANDCHILD = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]])
time.sleep(float(sys.argv[3]))
"""
LIFELINE = "from core.lifeline import die_with_parent; die_with_parent(); "
LIFELINE_WITHOUT_SIGNAL = "import core.lifeline; core.lifeline._libc = None; core.lifeline.die_with_parent(); "
SPAWNED = """
import multiprocessing, sys, time
from core.lifeline import die_with_parent
def work(path):
    die_with_parent()
    open(path, "a").write(f"{multiprocessing.current_process().pid}\\n")
    time.sleep(600)
if __name__ == "__main__":
    multiprocessing.get_context("spawn").Process(target=work, args=(sys.argv[1],)).start()
    time.sleep(600)
"""


@contextmanager
def supervisor(commands: dict[str, list[str]], *options: str) -> Iterator[subprocess.Popen[str]]:
    arguments = [json.dumps(commands), *(options or ("5",))]
    with started([sys.executable, "-c", SUPERVISE, *arguments]) as process:
        yield process


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
    heard = "import os, signal, sys; [signal.signal(n, signal.SIG_DFL) for n in (1, 2, 15)]; os.execv(sys.argv[1], sys.argv[1:])"
    # Under nohup, or in the background of a script, we inherit signals that are ignored, and so would the supervisor.
    command = [sys.executable, "-c", heard, *command]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def child(script: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", script, *(str(argument) for argument in arguments)]


def pids_in(path: Path, at_least: int = 1) -> list[int]:
    wait_until(lambda: path.exists() and len(path.read_text().splitlines()) >= at_least)
    return [int(line) for line in path.read_text().splitlines()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not is_zombie(pid)


def is_zombie(pid: int) -> bool:
    """A dead process stays one where nobody collects orphans, as in many containers."""
    if Path("/proc/self/stat").exists():
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        return True
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.strip().startswith("Z")


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_child_that_died_is_started_again(tmp_path: Path) -> None:
    with supervisor({"web": child(SLEEP, tmp_path / "web"), "clock": child(SLEEP, tmp_path / "clock")}):
        [first] = pids_in(tmp_path / "web")
        [clock] = pids_in(tmp_path / "clock")
        os.kill(first, signal.SIGKILL)
        second = pids_in(tmp_path / "web", at_least=2)[1]
        assert is_alive(second)
        assert pids_in(tmp_path / "clock") == [clock]


def test_a_child_that_always_dies_is_started_again_and_again(tmp_path: Path) -> None:
    with supervisor({"web": child(NOTE_PID, tmp_path / "web")}) as process:
        assert len(set(pids_in(tmp_path / "web", at_least=3))) >= 3
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_what_a_dead_child_left_behind_is_killed(tmp_path: Path) -> None:
    with supervisor({"web": child(LEAVE_GRANDCHILD, tmp_path / "grandchild", SLEEP, 0.3)}):
        first = pids_in(tmp_path / "grandchild")[0]
        wait_until(lambda: not is_alive(first))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_all_children_and_the_supervisor(tmp_path: Path, number: signal.Signals) -> None:
    with supervisor({"web": child(SLEEP, tmp_path / "web"), "clock": child(SLEEP, tmp_path / "clock")}) as process:
        pids = pids_in(tmp_path / "web") + pids_in(tmp_path / "clock")
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        assert not any(is_alive(pid) for pid in pids)


def test_a_child_that_ignores_sigterm_is_killed_when_the_time_is_up(tmp_path: Path) -> None:
    with supervisor({"web": child(IGNORE_SIGTERM, tmp_path / "web")}, "0.5") as process:
        [pid] = pids_in(tmp_path / "web")
        process.terminate()
        assert process.wait(timeout=20) == 0
        assert not is_alive(pid)


def test_a_signal_does_not_wait_for_what_keeps_things_alive() -> None:
    with supervisor({}, "5", "wait") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "called\n"
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_a_signal_just_before_the_waiting_begins_ends_it_as_well() -> None:
    with supervisor({}, "5", "told") as process:
        assert process.wait(timeout=60) == 0


def test_a_killed_supervisor_takes_its_children_along(tmp_path: Path) -> None:
    with supervisor({"web": child(IGNORE_SIGTERM, tmp_path / "web")}) as process:
        [pid] = pids_in(tmp_path / "web")
        process.kill()
        wait_until(lambda: not is_alive(pid))


def test_a_killed_supervisor_takes_its_childrens_children_along(tmp_path: Path) -> None:
    with supervisor({"web": child(LEAVE_GRANDCHILD, tmp_path / "worker", LIFELINE + SLEEP, 600)}) as process:
        [pid] = pids_in(tmp_path / "worker")
        process.kill()
        wait_until(lambda: not is_alive(pid))


@pytest.mark.parametrize("lifeline", [LIFELINE, LIFELINE_WITHOUT_SIGNAL])
def test_a_process_on_a_lifeline_ends_when_its_parent_is_killed_and_not_before(tmp_path: Path, lifeline: str) -> None:
    with started(child(LEAVE_GRANDCHILD, tmp_path / "pid", lifeline + SLEEP, 600)) as parent:
        [pid] = pids_in(tmp_path / "pid")
        time.sleep(0.7)  # longer than the thread takes to look
        assert is_alive(pid)
        parent.kill()
        wait_until(lambda: not is_alive(pid))


def test_a_spawned_worker_lives_and_dies_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "spawning.py").write_text(SPAWNED)
    with started([sys.executable, str(tmp_path / "spawning.py"), str(tmp_path / "pid")]) as parent:
        [pid] = pids_in(tmp_path / "pid")
        assert is_alive(pid)
        parent.kill()
        wait_until(lambda: not is_alive(pid))


def test_a_killed_database_server_is_revived_and_is_stopped_at_the_end() -> None:
    folder = Path(tempfile.mkdtemp(prefix="lb-"))
    try:
        with started([sys.executable, "-c", SUPERVISE_WITH_DATABASE, str(folder)]) as process:
            assert process.stdout is not None
            url, pid_file = process.stdout.readline().split()
            first = Path(pid_file).read_text().split()[0]
            os.kill(int(first), signal.SIGKILL)
            wait_until(lambda: can_connect(url))
            assert Path(pid_file).read_text().split()[0] != first
            process.terminate()
            assert process.wait(timeout=20) == 0
            assert not can_connect(url)
    finally:
        discard_embedded(Settings(data_folder=folder))
        shutil.rmtree(folder)


def can_connect(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_busy_port_is_refused(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Conflict) as refusal:
        refuse_busy_port(host, taken.getsockname()[1])
    assert refusal.value.code == "port_in_use"


def test_a_free_port_is_not_refused_even_just_after_a_connection_on_it_was_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    refuse_busy_port("127.0.0.1", port)
