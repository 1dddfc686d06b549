"""An SFTP server for tests: paramiko's own server side, over a folder, which fails where a test tells it to."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko
from paramiko import SFTPAttributes, SFTPServer, SFTPServerInterface
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_FAILURE, SFTP_OK, SFTP_OP_UNSUPPORTED, SFTP_PERMISSION_DENIED

USER, PASSWORD = "leads", "a good password"


@dataclass
class FileServer:
    """A server that is running: its folder, its key, what it was asked, and what it refuses from now on."""

    folder: Path
    key: paramiko.PKey
    port: int = 0
    known_key: paramiko.PKey | None = None
    has_posix_rename: bool = True
    refuses: str = ""  # "open" or "rename"
    sign_ins: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return the address of its folder."""
        return f"sftp://{USER}@127.0.0.1:{self.port}/in"

    @property
    def host_key(self) -> str:
        """Return its key as ssh-keyscan prints it."""
        return f"127.0.0.1 {self.key.get_name()} {self.key.get_base64()}"

    @property
    def files(self) -> dict[str, bytes]:
        """Return what lies in its folder."""
        return {path.name: path.read_bytes() for path in sorted((self.folder / "in").iterdir())}


class _Gate(paramiko.ServerInterface):
    def __init__(self, server: FileServer) -> None:
        self.server = server

    def check_auth_password(self, username: str, password: str) -> int:
        self.server.sign_ins.append(password)
        good = (username, password) == (USER, PASSWORD)
        return AUTH_SUCCESSFUL if good else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = self.server.known_key
        return AUTH_SUCCESSFUL if known and key.asbytes() == known.asbytes() else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED


class _Handle(paramiko.SFTPHandle):
    def stat(self) -> Any:
        return SFTPAttributes.from_stat(os.fstat(self.writefile.fileno()))  # type: ignore[attr-defined]


class _Files(SFTPServerInterface):
    def __init__(self, gate: _Gate, *_: Any, **__: Any) -> None:
        self.told = gate.server

    def _real(self, path: str) -> Path:
        return self.told.folder / self.canonicalize(path).lstrip("/")

    def stat(self, path: str) -> Any:
        try:
            return SFTPAttributes.from_stat(self._real(path).stat())
        except OSError as wrong:
            return SFTPServer.convert_errno(wrong.errno or 0)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        if self.told.refuses == "open":
            return SFTP_PERMISSION_DENIED
        try:
            file = os.fdopen(os.open(self._real(path), flags, 0o600), "wb")
        except OSError as wrong:
            return SFTPServer.convert_errno(wrong.errno or 0)
        handle = _Handle(flags)
        handle.writefile = handle.filename = None  # type: ignore[attr-defined,assignment]
        handle.writefile = file  # type: ignore[attr-defined]
        return handle

    def remove(self, path: str) -> int:
        self._real(path).unlink(missing_ok=True)
        return SFTP_OK

    def rename(self, oldpath: str, newpath: str) -> int:
        if self.told.refuses == "rename" or self._real(newpath).exists():
            return SFTP_FAILURE
        self._real(oldpath).rename(self._real(newpath))
        return SFTP_OK

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        if self.told.refuses == "rename" or not self.told.has_posix_rename:
            return SFTP_OP_UNSUPPORTED
        self._real(oldpath).replace(self._real(newpath))
        return SFTP_OK


@contextmanager
def file_server(folder: Path) -> Iterator[FileServer]:
    """Serve a folder on a free port until the end of the block."""
    (folder / "in").mkdir(parents=True)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    server = FileServer(folder, paramiko.ECDSAKey.generate(), listener.getsockname()[1])
    ended, transports = threading.Event(), []

    def serve(caller: socket.socket) -> None:
        transport = paramiko.Transport(caller)
        transports.append(transport)
        transport.add_server_key(server.key)
        transport.set_subsystem_handler("sftp", SFTPServer, _Files)
        with suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=_Gate(server))

    def accept() -> None:
        while not ended.is_set():
            with suppress(TimeoutError):
                serve(listener.accept()[0])

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield server
    finally:
        ended.set()
        acceptor.join()
        for transport in transports:
            transport.close()
            transport.join(5)
        listener.close()
