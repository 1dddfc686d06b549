"""A file goes by SFTP to the server whose key is known, to a checked address, whole, and a second time over itself."""

import io
import socket
import threading
from pathlib import Path

import paramiko
import pytest

from core.outbound import Drop, NoAnswer, NotTaken, SftpDoor
from core.outbound.sftp import PART
from marketplace.leads.delivery.places import read_host_key
from tests.fakes.sftp import PASSWORD, FileServer, file_server


def drop_of(server: FileServer, **changes: object) -> Drop:
    key = read_host_key(server.host_key)
    assert key is not None
    said = {"url": server.url, "host_key": key, "password": PASSWORD}
    return Drop(**(said | changes))


def put(drop: Drop, content: bytes = b"a,b\r\n", seconds: float = 10, door: SftpDoor | None = None) -> None:
    (door or SftpDoor(allow_private=True)).put(drop, "leads.csv", content, timeout_seconds=seconds)


def code_of(drop: Drop, **more: object) -> str:
    with pytest.raises(NotTaken) as none:
        put(drop, **more)
    return none.value.code


def test_a_file_lies_there_whole_and_replaces_itself(tmp_path: Path) -> None:
    with file_server(tmp_path) as server:
        put(drop_of(server), b"x" * 300_000)
        put(drop_of(server), b"again")
        assert server.files == {"leads.csv": b"again"}


def test_servers_without_the_rename_of_posix_are_served_too(tmp_path: Path) -> None:
    with file_server(tmp_path) as server:
        server.has_posix_rename = False
        put(drop_of(server))
        put(drop_of(server), b"again")
        assert server.files == {"leads.csv": b"again"}


def test_a_private_key_signs_in(tmp_path: Path) -> None:
    key, text = paramiko.RSAKey.generate(2048), io.StringIO()
    key.write_private_key(text)
    with file_server(tmp_path) as server:
        server.known_key = key
        put(drop_of(server, password=None, private_key=text.getvalue()))
        assert list(server.files) == ["leads.csv"]
        assert code_of(drop_of(server, password=None, private_key="none")) == "sign_in"


def test_another_key_than_the_pinned_one_gets_no_password(tmp_path: Path) -> None:
    other = paramiko.ECDSAKey.generate()
    with file_server(tmp_path) as server:
        assert code_of(drop_of(server, host_key=(other.get_name(), other.asbytes()))) == "host_key"
        assert code_of(drop_of(server, host_key=("ssh-ed25519", b"x"))) == "host_key"  # a type that it has not
        assert server.sign_ins == [] and server.files == {}


def test_what_a_server_refuses_is_said(tmp_path: Path) -> None:
    with file_server(tmp_path) as server:
        assert code_of(drop_of(server, password="wrong")) == "sign_in"
        assert code_of(drop_of(server, url=server.url + "/nowhere")) == "refused"
        server.refuses = "open"
        assert code_of(drop_of(server)) == "refused"
        server.refuses = "rename"
        assert code_of(drop_of(server)) == "refused"
        assert list(server.files) == ["leads.csv" + PART]  # nobody takes that for a file


def test_nobody_there_is_a_connection_that_was_not_made(tmp_path: Path) -> None:
    with file_server(tmp_path) as server:
        drop = drop_of(server)
    assert code_of(drop) == "connection"


@pytest.mark.parametrize("says", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\n\r\n" * 100])
def test_a_server_that_stalls_is_left_in_time(says: bytes) -> None:
    key = paramiko.ECDSAKey.generate()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        callers: list[socket.socket] = []

        def accept() -> None:
            caller = listener.accept()[0]
            callers.append(caller)
            caller.sendall(says)

        thread = threading.Thread(target=accept)
        thread.start()
        url = f"sftp://leads@127.0.0.1:{listener.getsockname()[1]}/in"
        assert code_of(Drop(url, (key.get_name(), key.asbytes()), "pw"), seconds=1.0) in ("timeout", "connection")
        thread.join()
        for caller in callers:
            caller.close()


@pytest.mark.parametrize("found", [["127.0.0.1"], ["169.254.169.254"], ["93.184.216.34", "10.0.0.1"], ["::1"]])
def test_a_name_that_leads_inside_is_not_called(tmp_path: Path, found: list[str]) -> None:
    with file_server(tmp_path) as server:
        drop = drop_of(server, url=f"sftp://leads@files.example:{server.port}/in")
        assert code_of(drop, door=SftpDoor(False, lambda *_: found)) == "target_refused"
        assert server.sign_ins == []


def test_the_name_is_asked_once_and_the_checked_address_is_called(tmp_path: Path) -> None:
    asked = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with file_server(tmp_path) as server:
        drop = drop_of(server, url=f"sftp://leads@files.example:{server.port}/in")
        put(drop, door=SftpDoor(True, resolve))
        assert (asked, list(server.files)) == (["files.example"], ["leads.csv"])


@pytest.mark.parametrize(
    "url",
    ["sftp://leads@127.0.0.1/in", "sftp://leads@[::1]/in", "sftp://leads@localhost/in", "sftp://leads@host/in",
     "sftp://leads@files.example:25/in", "sftp://files.example/in", "sftp://a:b@files.example/in",
     "https://leads@files.example/in", "sftp://leads@0x7f.1/in", "sftp://leads@files.example:x/in"],
)  # fmt: skip
def test_servers_inside_and_strange_addresses_are_refused_when_saved(url: str) -> None:
    with pytest.raises(NoAnswer) as none:
        SftpDoor(allow_private=False).check(url)
    assert none.value.code == "target_refused"


def test_public_servers_may_be_saved() -> None:
    SftpDoor(allow_private=False).check("sftp://leads@files.example/in/leads")
    SftpDoor(allow_private=False).check("sftp://leads@93.184.216.34:2222/")
