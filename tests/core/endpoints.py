"""Endpoints of tests, on real sockets: each does to its caller what a test tells it to."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Act = Callable[[socket.socket, threading.Event], None]


@dataclass
class Endpoint:
    """A server that is running: its port, and the heads and bodies of the requests that it has read."""

    port: int
    heard: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def running(act: Act, tls: ssl.SSLContext | None = None) -> Iterator[Endpoint]:
    """Run an endpoint that reads each request and then acts; whatever it does ends with the test."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    listener.settimeout(0.05)
    endpoint, ended, threads = Endpoint(listener.getsockname()[1]), threading.Event(), []

    def serve(plain: socket.socket) -> None:
        with suppress(OSError), plain:
            plain.settimeout(20)
            with tls.wrap_socket(plain, server_side=True) if tls else plain as caller:
                endpoint.heard.append(read_request(caller))
                act(caller, ended)

    def accept() -> None:
        while not ended.is_set():
            with suppress(TimeoutError):
                threads.append(threading.Thread(target=serve, args=(listener.accept()[0],)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield endpoint
    finally:
        ended.set()
        for thread in (acceptor, *threads):
            thread.join()
        listener.close()


def read_request(caller: socket.socket) -> bytes:
    """Read one request with the body that its Content-Length announces."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = caller.recv(65536)
        if not piece:
            return raw
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += caller.recv(65536)
    return head + b"\r\n\r\n" + body


def says(raw: bytes) -> Act:
    """Answer with these bytes and hang up."""
    return lambda caller, _: caller.sendall(raw)


def answers(status: int = 200, body: bytes = b"ok", **headers: str) -> Act:
    """Answer properly; header names are written with underscores."""
    return says(answer(status, body, **headers))


def answer(status: int = 200, body: bytes = b"ok", **headers: str) -> bytes:
    """Write an answer."""
    lines = [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} Something", f"Content-Length: {len(body)}", *lines])
    return head.encode() + b"\r\n\r\n" + body


def drips(first: bytes, drop: bytes, seconds: float) -> Act:
    """Say something, then one drop after every few seconds, for ever."""

    def act(caller: socket.socket, ended: threading.Event) -> None:
        caller.sendall(first)
        while not ended.wait(seconds):
            caller.sendall(drop)

    return act


def silent(_: socket.socket, ended: threading.Event) -> None:
    """Say nothing until the test ends."""
    ended.wait()


def certificate(folder: Path, name: str = "hooks.example.com", days_left: int = 30) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate that signs itself: its file, which may be trusted, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    ends = datetime.now(UTC) + timedelta(days=days_left)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(ends - timedelta(days=90)).not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return public, context
