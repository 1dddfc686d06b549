"""The program as its users run it: processes started from the command line, spoken to over HTTP, killed and told to end."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

import psutil
import psycopg

from core.config import Settings
from core.postgres import discard_embedded, open_database
from tests.at_once import wait_until
from tests.command_line import run_program

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-m", "marketplace"]


@dataclass
class Answered:
    """What came back over HTTP; the headers' names in small letters."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Installation:
    """An installation with a data folder and a port of its own, and whatever runs of it."""

    folder: Path
    database_url: str | None = None
    port: int = 0
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find a port that is free."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]

    @property
    def environment(self) -> dict[str, str]:
        """What every command is told."""
        told = {"LEADBOURSE_DATA": str(self.folder), "PORT": str(self.port), "PYTHONPATH": str(REPOSITORY)}
        told |= {"LEADBOURSE_WEB_PROCESSES": "2", "LEADBOURSE_POOL_SIZE": "8"}
        kept = {name: text for name, text in os.environ.items() if name not in ("DATABASE_URL", "HOST")}
        return kept | told | ({"DATABASE_URL": self.database_url} if self.database_url else {})

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command that goes on."""
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(
                [*PROGRAM, *command], cwd=REPOSITORY, env=self.environment, stdout=log, stderr=log, text=True
            )
        self.running.append(process)
        return process

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return run_program(*command, environment=self.environment, folder=REPOSITORY)

    def say(self, *command: str) -> Any:
        """Run a command that must succeed and return the document it printed."""
        done = self.run(*command, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def request(self, method: str, path: str, body: Any = None, key: str = "", **headers: str) -> Answered:
        """Make a request; OSError while nobody answers, and when the answer breaks off."""
        sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answered(response.status, _lower(response.headers), json.loads(response.read()))
        except urllib.error.HTTPError as refused:
            with refused:
                return Answered(refused.code, _lower(refused.headers), json.loads(refused.read()))
        except http.client.HTTPException as broken:
            raise ConnectionError("the answer broke off") from broken

    def is_ready(self) -> bool:
        """Tell whether the service is ready."""
        with suppress(OSError, ValueError):
            return self.request("GET", "/health/ready").status == 200
        return False

    def make_account(self, kind: str, number: int = 1) -> dict[str, str]:
        """Make an account over the command line."""
        made: dict[str, str] = self.say("account", "create", "--kind", kind, "--name", f"{kind} {number}",
                                        "--email", f"{kind}{number}@example.com")  # fmt: skip
        return made

    def process_of(self, name: str) -> psutil.Process:
        """Find the process that is known by this name: web, worker, clock, "granian worker" or postmaster."""
        if name == "postmaster":
            with open_database(Settings(data_folder=self.folder)) as database:
                pid_file = database.files.cluster / "postmaster.pid"  # type: ignore[attr-defined]
                return psutil.Process(int(pid_file.read_text().split()[0]))
        part = "web" if name == "granian worker" else name
        below = psutil.Process(self.running[0].pid).children()
        found = next(process for process in below if process.cmdline()[-1:] == [part])
        if name != "granian worker":
            return found
        return next(one for one in found.children() if "resource_tracker" not in " ".join(one.cmdline()))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        settings = Settings(data_folder=self.folder, database_url=self.database_url)
        with open_database(settings) as database, psycopg.connect(database.url, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def end(self) -> None:
        """Stop what still runs, without mercy after a while."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): text for name, text in headers.items()}


@contextmanager
def installation() -> Iterator[Installation]:
    """Give an installation with an embedded database, and remove it in the end."""
    folder = Path(tempfile.mkdtemp(prefix="lb-"))
    made = Installation(folder)
    try:
        yield made
    finally:
        made.end()
        discard_embedded(Settings(data_folder=folder))
        shutil.rmtree(folder)


class Sender:
    """Posts leads one after the other until told to stop, and remembers every answer."""

    def __init__(self, place: Installation, key: str, lead: dict[str, Any], name: str) -> None:
        self._place, self._key, self._lead, self._name = place, key, lead, name
        self.accepted: dict[str, dict[str, Any]] = {}
        self.refused: list[Answered] = []
        self.broken = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._post_all)

    def __enter__(self) -> "Sender":
        """Start posting."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop posting."""
        self._ended.set()
        self._thread.join()

    def wait_for_more(self, number: int) -> None:
        """Wait until this many more leads were accepted."""
        goal = len(self.accepted) + number
        wait_until(lambda: len(self.accepted) >= goal)

    def _post_all(self) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            lead = self._lead | {"contact": {"first_name": "Ada", "email": f"{self._name}{number}@example.com"}}
            try:
                answer = self._place.request("POST", "/api/v1/leads", lead, self._key)
            except (OSError, ValueError):
                self.broken += 1
                time.sleep(0.05)
                continue
            if answer.status == 201:
                self.accepted[answer.body["id"]] = answer.body
            else:
                self.refused.append(answer)
                time.sleep(0.05)


def told_to_end(process: subprocess.Popen[str]) -> int:
    """Send SIGTERM and return the exit status; fails when it takes longer than the ten seconds that are promised."""
    process.send_signal(signal.SIGTERM)
    return process.wait(10)
