"""One call: the target is read, its name resolved once, every address checked, and the connection pinned to one."""

import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from functools import cache
from http.client import HTTPException
from http.client import IncompleteRead as BrokenBody

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, IncompleteRead, ProtocolError, SSLError
from urllib3.exceptions import TimeoutError as ReadTimeout
from urllib3.response import HTTPResponse

from core.outbound.addresses import is_public
from core.outbound.limits import LimitedSocket, LimitedTlsSocket, Limits
from core.outbound.names import Resolve, ask_system, resolve_within
from core.outbound.targets import Target, read_target
from core.outbound.values import Answer, NoAnswer, Request, refused

HEAD_BYTES = 65_536  # for the status line and all headers together, and TLS does not count
AGENT = "leadbourse"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# How a message is carried is decided here; somebody else's word on it would let one request hide in another.
_OURS = {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "trailer",
         "upgrade", "expect", "accept-encoding"}  # fmt: skip
_SAYS = {
    "timeout": "There was no complete answer in time.",
    "tls": "No secure connection could be made; its certificate may be wrong or out of date.",
    "connection": "The connection could not be made, or broke.",
    "bad_http": "The answer was not HTTP.",
}


@cache
def _systems_trust() -> ssl.SSLContext:
    """Read the certificates that the system trusts, once: there are hundreds."""
    return ssl.create_default_context()


class Outbound:
    """Calls out; threads may share it, since calls share nothing but the trusted certificates."""

    def __init__(self, allow_private: bool, resolve: Resolve = ask_system, trust: ssl.SSLContext | None = None) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._trust = trust or _systems_trust()
        self._trust.sslsocket_class = LimitedTlsSocket

    def check(self, url: str) -> None:
        """Raise NoAnswer for an address that can never be called, without resolving names; for when it is saved."""
        read_target(url, self._allow_private)

    def send(self, request: Request, *, timeout_seconds: float, most_bytes: int = 1 << 20) -> Answer:
        """Make the call, whose answer, decompressed, may be as large as `most_bytes`; NoAnswer when there is none.

        The time covers everything, from resolving the name to the last byte of the body.
        """
        limits = Limits(timeout_seconds, HEAD_BYTES + 2 * most_bytes)  # chunks may double a body's carriage
        try:
            return self._send(request, limits, most_bytes)
        except NoAnswer as none:
            none.milliseconds = limits.milliseconds()
            raise
        except (OSError, HTTPException, HTTPError) as error:
            code = code_of(error)
            raise NoAnswer(code, _SAYS[code], limits.milliseconds()) from error

    def _send(self, request: Request, limits: Limits, most_bytes: int) -> Answer:
        check_head(request.method, request.headers)
        target = read_target(request.url, self._allow_private)
        connection = self._connection(target, self._addresses_of(target, limits), limits)
        try:
            connection.connect()
            assert isinstance(connection.sock, LimitedSocket)
            connection.sock.limits = limits
            connection.request(
                request.method, target.path, body=request.body or None, headers=_headers(request),
                preload_content=False,
            )  # fmt: skip
            with connection.getresponse() as response:
                if limits.has_hung_up:  # no complete head needs the end of the connection, and http.client takes any
                    raise ConnectionResetError
                body = _body_of(response, most_bytes)
                headers = {name.lower(): text for name, text in response.headers.items()}
                return Answer(response.status, headers, body, limits.milliseconds())
        finally:
            connection.close()

    def _addresses_of(self, target: Target, limits: Limits) -> list[str]:
        found = [target.host] if target.is_literal else resolve_within(self._resolve, target.host, target.port, limits)
        if not self._allow_private and not all(is_public(address) for address in found):
            raise refused("The address leads to a host that is not of the public internet.")
        return found

    def _connection(self, target: Target, addresses: Sequence[str], limits: Limits) -> HTTPConnection:
        """Return a connection to one of these addresses that calls and verifies the target by its own name."""
        if target.scheme == "https":
            return _PinnedTls(target, addresses, limits, self._trust)
        return _Pinned(target, addresses, limits)


class _Pinned(HTTPConnection):
    def __init__(self, target: Target, addresses: Sequence[str], limits: Limits) -> None:
        super().__init__(target.host, target.port)
        self._addresses, self._limits = addresses, limits

    def _new_conn(self) -> socket.socket:
        return open_socket(self._addresses, self.port, self._limits)


class _PinnedTls(HTTPSConnection):
    def __init__(self, target: Target, addresses: Sequence[str], limits: Limits, trust: ssl.SSLContext) -> None:
        super().__init__(target.host, target.port, ssl_context=trust)
        self._addresses, self._limits = addresses, limits

    def _new_conn(self) -> socket.socket:
        return open_socket(self._addresses, self.port, self._limits)


def open_socket(addresses: Sequence[str], port: int, limits: Limits) -> LimitedSocket:
    """Connect to the first address that answers; a dead one is given only its share of the time that is left."""
    failure: OSError = OSError("the name has no address")
    for number, address in enumerate(addresses):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        opened = LimitedSocket(family, socket.SOCK_STREAM)
        opened.limits = limits
        try:
            opened.settimeout(limits.seconds_left() / (len(addresses) - number))
            opened.connect((address, port))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(limits.seconds_left())
        except OSError as wrong:
            opened.close()
            failure = wrong
        else:
            return opened
    raise failure


def check_head(method: str, headers: Mapping[str, str]) -> None:
    """Raise NoAnswer for a method or header that would not arrive as one, or that says how the call is carried."""
    for token in (method, *headers):
        if not _TOKEN.fullmatch(token):
            raise NoAnswer("bad_http", f"{token!r} cannot be the name of a method or header.")
    for name, value in headers.items():
        if name.lower() in _OURS:
            raise NoAnswer("bad_http", f"The header {name} cannot be set by hand.")
        if not _VALUE.fullmatch(value):
            raise NoAnswer("bad_http", f"The header {name} holds a line break or a character beyond Latin-1.")


def _headers(request: Request) -> dict[str, str]:
    given = {name.lower() for name in request.headers}
    agent = {} if "user-agent" in given else {"User-Agent": AGENT}
    return {**agent, **request.headers, "Accept-Encoding": "identity", "Connection": "close"}


def _body_of(response: HTTPResponse, most_bytes: int) -> bytes:
    """Read a body piece by piece; what a server compresses without being asked is limited after decompression."""
    body = bytearray()
    while piece := response.read(most_bytes + 1 - len(body), decode_content=True):
        body += piece
        if len(body) > most_bytes:
            raise NoAnswer("too_large", f"The answer was larger than {most_bytes} bytes.")
    return bytes(body)


def code_of(error: Exception) -> str:
    """Return the code for what went wrong beneath: HTTP clients wrap an error of the socket in one of their own."""
    if isinstance(error, ProtocolError) and isinstance(error.__cause__, Exception):
        return code_of(error.__cause__)
    if isinstance(error, TimeoutError | ReadTimeout):
        return "timeout"
    if isinstance(error, ssl.SSLError | SSLError):
        return "tls"
    return "connection" if isinstance(error, OSError | IncompleteRead | BrokenBody) else "bad_http"
