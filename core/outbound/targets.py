"""Where a URL leads, read strictly: whatever two programs might read in two ways is refused."""

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, quote, urlsplit

from core.outbound.addresses import is_public
from core.outbound.values import refused

MOST_CHARACTERS = 2048
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff]")
_NAME = re.compile(r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_INSIDE = ("localhost", "local", "internal", "intranet", "lan", "home", "arpa")  # names that never lead outside
_KEPT = "!$%&'()*+,/:;=?@-._~[]"
_PORT_OF = {"https": 443, "http": 80}
_WELL_KNOWN, _SFTP_PORT = 1024, 22


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes: `host` is a name or an IP address without brackets, `is_literal` tells which."""

    scheme: str
    host: str
    port: int
    path: str
    is_literal: bool


def read_target(url: str, allow_private: bool) -> Target:
    """Read a URL without asking any name server; NoAnswer for what can never be a target.

    Unless private targets are allowed it must be https, name a public host, and use port 443, 80 or one from 1024:
    the ports below belong to other protocols, which must not be sent our words.
    """
    parts = _split(url)
    host, is_literal = _host_of(parts)
    port = _port_of(parts)
    if not allow_private:
        _refuse_inside(parts.scheme, host, port, is_literal)
    path = quote(parts.path or "/", safe=_KEPT)
    query = quote(parts.query, safe=_KEPT)
    return Target(parts.scheme, host, port, f"{path}?{query}" if query else path, is_literal)


def read_sftp(url: str, allow_private: bool) -> Target:
    """Read where sftp://user@host:port/folder leads; NoAnswer for what can never be a target.

    Unless private targets are allowed it must name a public host, and use port 22 or one from 1024.
    """
    _refuse_ambiguous(url)
    try:
        parts = urlsplit(url)
        user, _, place = parts.netloc.rpartition("@")
        host, is_literal = _host_of(urlsplit(f"sftp://{place}"))
        port = parts.port if parts.port is not None else _SFTP_PORT
    except ValueError as wrong:
        raise refused("The address cannot be read.") from wrong
    if parts.scheme != "sftp" or not user or ":" in user or not port:
        raise refused("The address must be sftp://user@host/folder.")
    if not allow_private:
        _refuse_host(host, is_literal)
        if port < _WELL_KNOWN and port != _SFTP_PORT:
            raise refused("Use port 22, or one from 1024.")
    return Target(parts.scheme, host, port, parts.path, is_literal)


def _refuse_ambiguous(url: str) -> None:
    if len(url) > MOST_CHARACTERS:
        raise refused(f"The address is longer than {MOST_CHARACTERS} characters.")
    if _AMBIGUOUS.search(url):
        raise refused("The address holds a space, a backslash or a control character.")


def _split(url: str) -> SplitResult:
    _refuse_ambiguous(url)
    try:
        parts = urlsplit(url)
    except ValueError as wrong:
        raise refused("The address cannot be read.") from wrong
    if parts.scheme not in _PORT_OF:
        raise refused("The address must begin with https://.")
    if "@" in parts.netloc:
        raise refused("The address must not hold a user name or a password.")
    return parts


def _port_of(parts: SplitResult) -> int:
    port = None
    with suppress(ValueError):
        port = parts.port if parts.port is not None else _PORT_OF[parts.scheme]
    if not port:
        raise refused("The port of the address must be a number from 1 to 65535.")
    return port


def _host_of(parts: SplitResult) -> tuple[str, bool]:
    """Return the host and whether it is an IP address."""
    host = parts.hostname or ""
    if parts.netloc.startswith("["):
        try:
            return IPv6Address(host).compressed if "%" not in host else _no_zone(), True
        except AddressValueError as wrong:
            raise refused("The address holds no IPv6 address between its brackets.") from wrong
    name = _ascii_of(host).removesuffix(".")
    if not _NAME.fullmatch(name):
        raise refused("The address names no host.")
    if not _NUMBER.fullmatch(name.rpartition(".")[2]):
        return name, False
    try:  # what ends in a number is an IPv4 address or nothing (WHATWG URL, section 3.5), and in one spelling only
        return str(IPv4Address(name)), True
    except AddressValueError as wrong:
        raise refused("Write an IPv4 address as four decimal numbers.") from wrong


def _no_zone() -> str:
    raise refused("An IPv6 address must not name a zone.")


def _ascii_of(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError as wrong:
        raise refused("The address names no host.") from wrong


def _refuse_inside(scheme: str, host: str, port: int, is_literal: bool) -> None:
    if scheme != "https":
        raise refused("The address must begin with https://.")
    if port < _WELL_KNOWN and port not in _PORT_OF.values():
        raise refused("Use port 443, or one from 1024.")
    _refuse_host(host, is_literal)


def _refuse_host(host: str, is_literal: bool) -> None:
    if is_literal and not is_public(host):
        raise refused("The address is not one of the public internet.")
    if not is_literal and ("." not in host or host.rpartition(".")[2] in _INSIDE):
        raise refused("The address names a host that is not of the public internet.")
