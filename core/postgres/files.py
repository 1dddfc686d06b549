"""Where the embedded PostgreSQL keeps its files: in its data folder, unless its account cannot go there.

The lock files lie with the cluster, so that two data folders that name one cluster agree on who uses it.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.errors import Unavailable
from core.postgres.programs import Account, account_for, is_private_to, lasting_folders, programs_for

# A socket's whole path has at most 103 bytes on the narrowest system (macOS), and PostgreSQL adds a name to it.
_SOCKET_FOLDER_BYTES = 103 - len("/.s.PGSQL.5432")
_ANY_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The settled whereabouts of one embedded server, and the account that runs it."""

    account: Account
    programs: Path
    place: Path
    socket_folder: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory; it is there only when initdb went through."""
        return self.place / "cluster"

    @property
    def log(self) -> Path:
        """What the server, initdb and pg_ctl said."""
        return self.place / "server.log"

    def last_words(self, lines: int = 15) -> str:
        """Return the end of the log, for an error that a person reads."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


def settle_files(data_folder: Path) -> ServerFiles:
    """Find the embedded server's folders, making and remembering them the first time; one process at a time.

    Unavailable when the cluster is gone or belongs to another account.
    """
    place = _settle_place(data_folder)
    account = account_for(place / "cluster")
    return ServerFiles(account, programs_for(account, data_folder), place, _settle_socket_folder(place, account))


def remove_files(data_folder: Path) -> None:
    """Delete the embedded cluster of a data folder, wherever it lives; nobody may be using it."""
    place = _remembered(data_folder / "postgres.place") or data_folder / "postgres"
    for folder in (_remembered(place / "socket.place"), place):
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    (data_folder / "postgres.place").unlink(missing_ok=True)


def open_private(path: Path) -> IO[bytes]:
    """Open a file for appending that only the owner of its folder can open: who opens a lock file can hold it."""
    file = open(path, "ab", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o600))  # noqa: SIM115
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
    return file


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file alone, waiting for it."""
    with open_private(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def try_lock(file: IO[bytes]) -> bool:
    """Take an open lock file alone unless somebody else holds it; a shared hold of our own is lost either way."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _settle_place(data_folder: Path) -> Path:
    pointer, inside = data_folder / "postgres.place", data_folder / "postgres"
    place = _remembered(pointer)
    if place is not None and not place.is_dir():
        raise Unavailable("database_missing", f"{pointer} names {place}, which is gone. Bring it back, or remove "
                                              f"{pointer} to begin with an empty database.")  # fmt: skip
    account = account_for((place or inside) / "cluster")
    if place is None and account.reaches(data_folder):
        inside.mkdir(exist_ok=True)
    elif place is None:
        place = _make_folder(lasting_folders(data_folder), account)
        _remember(pointer, place)
    place = place or inside
    if place.stat().st_uid == os.geteuid():
        os.chmod(place, 0o700 if account.uid is None else 0o711)
    return place


def _settle_socket_folder(place: Path, account: Account) -> Path:
    inside, pointer = place / "socket", place / "socket.place"
    if len(os.fsencode(inside)) <= _SOCKET_FOLDER_BYTES:
        inside.mkdir(exist_ok=True)
        account.own(inside)
        return inside
    folder = _remembered(pointer)
    if folder is None or not is_private_to(os.geteuid() if account.uid is None else account.uid, folder):
        folder = _make_folder((Path(tempfile.gettempdir()), Path("/tmp")), account, _SOCKET_FOLDER_BYTES)
        account.own(folder)
        _remember(pointer, folder)
    return folder


def _make_folder(bases: Iterable[Path], account: Account, most_bytes: int = _ANY_LENGTH) -> Path:
    """Make a folder under a name nobody can guess, in the first base that is short enough and that is reached."""
    for base in bases:
        if len(os.fsencode(base / "leadbourse-12345678")) <= most_bytes and account.reaches(base):
            return Path(tempfile.mkdtemp(prefix="leadbourse-", dir=base))
    raise Unavailable("database_start_failed", "There is no folder for the database that its account can reach.")


def _remembered(pointer: Path) -> Path | None:
    return Path(pointer.read_text().strip()) if pointer.exists() else None


def _remember(pointer: Path, folder: Path) -> None:
    draft = pointer.with_suffix(".draft")
    draft.write_text(f"{folder}\n")
    draft.replace(pointer)
