"""What the fake remembers: one SQLite file in its folder, written in whole transactions and read under one lock.

An effect, its events and the answer stored under its idempotency key are one transaction, so that a kill at any point
leaves all of them or none.
"""

import contextlib
import fcntl
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from billing.fake_stripe.errors import Json

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, account TEXT NOT NULL,
    body TEXT NOT NULL, private TEXT NOT NULL DEFAULT '{}');
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, account, seq);
CREATE TABLE IF NOT EXISTS answers (
    account TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, request_id TEXT NOT NULL,
    status INTEGER NOT NULL, body BLOB NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (account, key));
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0, due_at REAL NOT NULL, rank INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event_id);
CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (due_at, rank) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS faults (seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, due_at REAL NOT NULL, kind TEXT NOT NULL, object_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Store:
    """The objects by their identifiers, and the tables of answers, deliveries, faults and tasks."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Freed by the kernel whatever becomes of us; two servers on one folder would each believe themselves alone.
        self._claim = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._claim)
            raise SystemExit(f"another fake already works in {folder}") from None
        self._lock = threading.RLock()
        self._db = sqlite3.connect(folder / "state.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """End the work on the folder."""
        with self._lock:
            self._db.close()
            os.close(self._claim)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything that the block does, or nothing of it."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Undo within a transaction what the block did, if it fails."""
        self._db.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO attempt")
            raise
        finally:
            self._db.execute("RELEASE attempt")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row of a query."""
        return next(iter(self.rows(sql, *values)), None)

    def now(self) -> int:
        """Return the fake's instant in whole seconds: real time, and what it was advanced by."""
        advanced = self.row("SELECT value FROM settings WHERE name = 'advanced'")
        return int(time.time()) + int(advanced["value"] if advanced else 0)

    def advance(self, seconds: int) -> None:
        """Move the fake's clock forwards."""
        ahead = self.now() - int(time.time()) + seconds
        self.rows("INSERT OR REPLACE INTO settings VALUES ('advanced', ?)", str(ahead))

    def insert(self, account: str, body: Json, private: Json | None = None) -> Json:
        """Keep a new object."""
        self.rows("INSERT INTO objects (id, kind, account, body, private) VALUES (?, ?, ?, ?, ?)",
                  body["id"], body["object"], account, json.dumps(body), json.dumps(private or {}))  # fmt: skip
        return body

    def update(self, body: Json) -> Json:
        """Keep an object's new state."""
        self.rows("UPDATE objects SET body = ? WHERE id = ?", json.dumps(body), body["id"])
        return body

    def find(self, object_id: str, kind: str | None = None, account: str | None = None) -> Json | None:
        """Return an object, or None if there is none of this kind, or the account does not own it."""
        row = self.row("SELECT kind, account, body FROM objects WHERE id = ?", object_id)
        if row is None or kind not in (None, row["kind"]) or account not in (None, row["account"]):
            return None
        found: Json = json.loads(row["body"])
        return found

    def owner(self, object_id: str) -> str:
        """Return the account that owns an object; the platform is the empty text."""
        row = self.row("SELECT account FROM objects WHERE id = ?", object_id)
        return str(row["account"]) if row else ""

    def private(self, object_id: str) -> Json:
        """Return what only the fake knows of an object."""
        row = self.row("SELECT private FROM objects WHERE id = ?", object_id)
        found: Json = json.loads(row["private"]) if row else {}
        return found

    def keep_private(self, object_id: str, **more: Any) -> None:
        """Add to what only the fake knows of an object."""
        known = {**self.private(object_id), **more}
        self.rows("UPDATE objects SET private = ? WHERE id = ?", json.dumps(known), object_id)

    def schedule(self, due_at: float, kind: str, object_id: str) -> None:
        """Have something happen to an object at an instant of the fake's clock."""
        self.rows("INSERT INTO tasks (due_at, kind, object_id) VALUES (?, ?, ?)", due_at, kind, object_id)
