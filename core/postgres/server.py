"""The life of the embedded PostgreSQL server: made, started, waited for, revived, stopped.

Three lock files, freed by the kernel however a process ends, say all there is to know. `users.lock` is shared by
whoever uses the database. `start.lock` is held by the one who starts the server. `server.lock` is inherited by the
server and all its processes; who gets it knows that none of them is left, whatever pid `postmaster.pid` names.
"""

import os
import shlex
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg
from psycopg import pq, sql

from core.errors import Unavailable
from core.postgres.files import ServerFiles, locked, open_private, try_lock

_NAME = "leadbourse"
_START_SECONDS = 60
_STOP_SECONDS = 60
_LOG_BYTES = 10_000_000
_SERVER_SETTINGS = {
    "listen_addresses": "", "port": "5432", "max_connections": "200", "shared_buffers": "256MB", "jit": "off",
    # fsync and its kind are on by default. To fill a new piece of the log with zeros first holds every commit up for
    # tens of milliseconds.
    "wal_init_zero": "off", "max_wal_size": "2GB", "checkpoint_timeout": "15min", "wal_compression": "on",
    "timezone": "UTC", "log_timezone": "UTC",
    # Statements and constraint details hold contact data, which has no place in a log.
    "log_min_error_statement": "panic", "log_error_verbosity": "terse",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """The server in our own data folder, reached over a private Unix socket only."""

    files: ServerFiles

    @property
    def url(self) -> str:
        """The libpq URL of the program's database; says the port, as PGPORT may name another."""
        return self._url_of(_NAME)

    def ensure_running(self) -> None:
        """Start the server unless it answers; waits for one that starts or recovers, 60 s at most (Unavailable)."""
        if not self._answers():
            with locked(self.files.place / "start.lock"):
                self._start()

    def prepare(self) -> None:
        """Have the server running and the program's database there, or raise Unavailable."""
        self.ensure_running()
        try:
            with locked(self.files.place / "start.lock"):
                self._make_database()
        except psycopg.OperationalError as error:
            raise self._failed(f"PostgreSQL runs and takes no connection: {error}") from error

    def stop(self) -> None:
        """Stop the server if it runs, ending its connections; only for its last user."""
        deadline = time.monotonic() + _STOP_SECONDS
        with open_private(self.files.place / "server.lock") as life:
            # With the lock free nothing of it runs, and postmaster.pid may name anybody's process: leave that alone.
            while not try_lock(life) and time.monotonic() < deadline:
                self._pg_ctl("stop", "-m", "fast", "-t", str(_STOP_SECONDS))
                time.sleep(0.05)

    def _url_of(self, name: str) -> str:
        return f"postgresql://{_NAME}@/{name}?host={quote(str(self.files.socket_folder), safe='')}&port=5432"

    def _answers(self) -> bool:
        # libpq's ping is a real connection, and tells a server that is full from one that cannot take any yet.
        return pq.PGconn.ping(f"{self._url_of('postgres')}&connect_timeout=3".encode()) == pq.Ping.OK

    def _make_database(self) -> None:
        with psycopg.connect(self._url_of("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [_NAME]).rowcount:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_NAME)))

    def _start(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        with open_private(self.files.place / "server.lock") as life:
            while not try_lock(life):
                if self._answers():
                    return
                if time.monotonic() > deadline:
                    raise self._failed(f"An earlier server runs and has not answered for {_START_SECONDS} s.")
                time.sleep(0.05)
            self._remove_stale_pids()
            if not self.files.cluster.exists():
                self._initialise(life)
            self._launch(life)

    def _remove_stale_pids(self) -> None:
        """Remove what a killed server left: PostgreSQL refuses to start if anything, a zombie too, has that pid now."""
        (self.files.cluster / "postmaster.pid").unlink(missing_ok=True)
        for left in self.files.socket_folder.glob(".s.PGSQL.*"):
            left.unlink()

    def _initialise(self, life: IO[bytes]) -> None:
        """Run initdb under another name and rename at the end: a cluster that is there is whole."""
        files, draft = self.files, self.files.place / "cluster.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        files.account.own(draft)
        command: list[str | Path] = [
            files.programs / "initdb", "-D", draft, "-U", _NAME, "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums",
            "--auth-local=trust", "--auth-host=reject", "--no-instructions",
        ]  # fmt: skip
        with open_private(files.log) as log:
            if files.account.run(command, log, [life.fileno()]).returncode:
                raise self._failed("initdb could not make the cluster.")
        draft.rename(files.cluster)
        _flush_folder(files)

    def _launch(self, life: IO[bytes]) -> None:
        if self.files.log.exists() and self.files.log.stat().st_size > _LOG_BYTES:
            self.files.log.replace(self.files.log.with_suffix(".log.1"))
        settings = {**_SERVER_SETTINGS, "unix_socket_directories": str(self.files.socket_folder)}
        options = shlex.join(f"--{name}={value}" for name, value in settings.items())
        if self._pg_ctl("start", "-t", str(_START_SECONDS), "-o", options, inherited=[life.fileno()]):
            raise self._failed("PostgreSQL did not start.")

    def _pg_ctl(self, verb: str, *arguments: str, inherited: Sequence[int] = ()) -> int:
        command: list[str | Path] = [self.files.programs / "pg_ctl", verb, "-w", "-D", self.files.cluster, *arguments]
        with open_private(self.files.log) as log:
            return self.files.account.run(command, log, inherited).returncode

    def _failed(self, what: str) -> Unavailable:
        return Unavailable("database_start_failed", f"{what} {self.files.log} ends with:\n{self.files.last_words()}")


def _flush_folder(files: ServerFiles) -> None:
    """Make the rename last: commits that follow may not outlive their cluster's name."""
    descriptor = os.open(files.place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
