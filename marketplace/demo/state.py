"""The demonstration's own notes in the data folder: who takes part, whether all is filled in, where time stands."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from core.errors import Conflict

FOLDER, STATE, CLOCK, LOCK = "demo", "state.json", "clock", "lock"


class Member(Struct, frozen=True):
    """A sample account with its key."""

    kind: str
    account_id: str
    email: str
    api_key: str


class Placed(Struct, frozen=True):
    """A standing order of the sample market: whose, of what, and how its leads are delivered once the market lives."""

    buyer: str
    vertical: str
    delivery: str


class DemoState(Struct, frozen=True):
    """What a later start must know; `filled` turns true as the last step of filling in."""

    first_day: str
    days: int
    scale: float
    seed: int
    opened_at: datetime
    filled: bool = False
    members: dict[str, Member] = {}
    orders: dict[str, Placed] = {}  # by id


def state_in(data_folder: Path) -> DemoState | None:
    """Read the notes of the demonstration that lives in this data folder, None without one."""
    path = data_folder / FOLDER / STATE
    return msgspec.json.decode(path.read_bytes(), type=DemoState) if path.is_file() else None


def write_state(data_folder: Path, state: DemoState) -> None:
    """Replace the notes in one step, readable by their owner only: there are keys in them."""
    _replace(data_folder / FOLDER / STATE, msgspec.json.format(msgspec.json.encode(state)))


def write_clock(data_folder: Path, business_at: datetime, rate: float) -> None:
    """Note the business instant, so that the next start goes on from there."""
    _replace(data_folder / FOLDER / CLOCK, json.dumps({"at": business_at.isoformat(), "rate": rate}).encode())


def last_instant(data_folder: Path) -> datetime | None:
    """Return the business instant that was noted last."""
    path = data_folder / FOLDER / CLOCK
    noted: Any = json.loads(path.read_bytes()) if path.is_file() else None
    return datetime.fromisoformat(noted["at"]) if noted else None


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
        written.write(content)
    beside.replace(path)


@contextmanager
def locked(data_folder: Path) -> Iterator[None]:
    """Hold the data folder for one demonstration; Conflict `demo_running` while another has it."""
    path = data_folder / FOLDER / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("demo_running", "A demonstration runs in this data folder already; end it first, or name "
                           "another folder in LEADBOURSE_DATA.") from None  # fmt: skip
        yield


def discard(data_folder: Path) -> None:
    """Remove the notes of a demonstration, the file of true labels with them."""
    for path in (data_folder / FOLDER).iterdir():
        if path.name != LOCK:
            path.unlink()
