"""Files out by SFTP: to a checked and pinned address, to the server whose key is known, whole or not at all.

A file is written beside its place and moved there, so that whoever collects sees whole files only; a second time it
replaces itself.
"""

import io
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import paramiko

from core.http import kept_by_app, settings
from core.outbound.addresses import is_public
from core.outbound.calls import open_socket
from core.outbound.limits import Limits
from core.outbound.names import Resolve, ask_system, resolve_within
from core.outbound.targets import read_sftp
from core.outbound.values import NoAnswer, refused

PART = ".part"
# How a key of each type signs; a server may have several keys, and is asked for the one that is pinned.
_SIGNS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
_KEYS: tuple[Any, ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class NotTaken(Exception):
    """The file was not taken.

    The code is `timeout`, `connection`, `target_refused` (nothing was sent there), `host_key` (it is another server),
    `sign_in` (it does not know us) or `refused` (it would not have the file); the text says it for people.
    """

    def __init__(self, code: str, says: str) -> None:
        self.code = code
        super().__init__(says)


@dataclass(frozen=True, slots=True)
class Drop:
    """Where files go: sftp://user@host:port/folder, the server's key as type and bytes, a password or private key."""

    url: str
    host_key: tuple[str, bytes]
    password: str | None = None
    private_key: str | None = None

    @property
    def user(self) -> str:
        """Return the user to sign in as."""
        return unquote(urlsplit(self.url).username or "")


class SftpDoor:
    """Puts files on servers; threads may share it, since each file has a connection of its own."""

    def __init__(self, allow_private: bool, resolve: Resolve = ask_system) -> None:
        self._allow_private, self._resolve = allow_private, resolve

    def check(self, url: str) -> None:
        """Raise NoAnswer for a server that can never be reached, without resolving names; for when it is saved."""
        read_sftp(url, self._allow_private)

    def put(self, drop: Drop, name: str, content: bytes, *, timeout_seconds: float) -> None:
        """Put a file into the drop's folder; NotTaken when it is not there for certain. The time covers everything."""
        limits = Limits(timeout_seconds, 0)
        try:
            with self._transport(drop, limits) as transport:
                _sign_in(transport, drop, limits)
                _store(transport, unquote(urlsplit(drop.url).path), name, content, limits)
        except NoAnswer as none:
            raise NotTaken(none.code, str(none)) from none
        except TimeoutError as wrong:
            raise NotTaken("timeout", "The file was not taken in time.") from wrong
        except (OSError, EOFError, paramiko.SSHException) as wrong:
            if limits.milliseconds() >= timeout_seconds * 1000:  # the connection was ended here
                raise NotTaken("timeout", "The file was not taken in time.") from wrong
            raise NotTaken("connection", "The connection could not be made, or broke.") from wrong

    @contextmanager
    def _transport(self, drop: Drop, limits: Limits) -> Iterator[paramiko.Transport]:
        """Connect to the server that has the pinned key; whatever it does, the connection ends with the time."""
        transport = paramiko.Transport(self._connected(drop.url, limits))
        ending = threading.Timer(limits.seconds_left(), transport.close)
        ending.daemon = True
        ending.start()
        try:
            kind, key = drop.host_key
            transport.get_security_options().key_types = _SIGNS.get(kind, (kind,))
            transport.banner_timeout = transport.auth_timeout = transport.channel_timeout = limits.seconds_left()
            try:
                transport.start_client(timeout=limits.seconds_left())
            except paramiko.ssh_exception.IncompatiblePeer as other:
                raise NotTaken("host_key", f"The server has no key of the type {kind}.") from other
            if transport.get_remote_server_key().asbytes() != key:
                raise NotTaken("host_key", "The server shows another key than the one that was given.")
            yield transport
        finally:
            ending.cancel()
            transport.close()

    def _connected(self, url: str, limits: Limits) -> socket.socket:
        target = read_sftp(url, self._allow_private)
        found = [target.host] if target.is_literal else resolve_within(self._resolve, target.host, target.port, limits)
        if not self._allow_private and not all(is_public(address) for address in found):
            raise refused("The address leads to a host that is not of the public internet.")
        opened = open_socket(found, target.port, limits)
        return socket.socket(opened.family, opened.type, opened.proto, fileno=opened.detach())


def _sign_in(transport: paramiko.Transport, drop: Drop, limits: Limits) -> None:
    transport.auth_timeout = limits.seconds_left()
    try:
        if drop.private_key is not None:
            transport.auth_publickey(drop.user, read_private_key(drop.private_key))
        else:
            transport.auth_password(drop.user, drop.password or "")
    except ValueError as wrong:
        raise NotTaken("sign_in", "The private key cannot be read.") from wrong
    except paramiko.AuthenticationException as wrong:
        raise NotTaken("sign_in", "The server does not accept our sign-in.") from wrong


def _store(transport: paramiko.Transport, folder: str, name: str, content: bytes, limits: Limits) -> None:
    """Write the file under a name of its own, then move it over whatever has its name from an earlier try."""
    channel = transport.open_session(timeout=limits.seconds_left())
    channel.settimeout(limits.seconds_left())
    channel.invoke_subsystem("sftp")
    with paramiko.SFTPClient(channel) as client:
        place = f"{folder.rstrip('/')}/{name}" if folder.strip("/") else name
        try:
            client.putfo(io.BytesIO(content), place + PART)
            _move(client, place + PART, place)
            kept = client.stat(place)
        except (TimeoutError, EOFError):
            raise
        except OSError as wrong:
            says = f"The server would not have the file: {wrong.strerror or wrong}"
            raise NotTaken("refused", says[:300]) from wrong
        if kept.st_size != len(content) or (kept.st_mode is not None and not stat.S_ISREG(kept.st_mode)):
            raise NotTaken("refused", "The server keeps another file under this name.")


def _move(client: paramiko.SFTPClient, before: str, after: str) -> None:
    """Move a file over another; servers without the extension that does it in one step take two."""
    try:
        client.posix_rename(before, after)
    except OSError:
        with suppress(OSError):
            client.remove(after)
        client.rename(before, after)


def read_private_key(text: str) -> paramiko.PKey:
    """Read a private key without a passphrase; ValueError for what is none of the types that are used."""
    for kind in _KEYS:
        try:
            key: paramiko.PKey = kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError, IndexError):
            continue
        return key
    raise ValueError("no private key that can be used")


def sftp_door() -> SftpDoor:
    """Return this application's way out for files."""
    return kept_by_app("leadbourse_sftp", lambda: SftpDoor(settings().allow_private_targets))
