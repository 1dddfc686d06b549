"""The HTTP server: reads requests, writes whole answers, keeps connections alive."""

import socket
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from billing.fake_stripe.engine import Answer, Engine, Request
from billing.fake_stripe.keys import Keys, keys_of
from billing.fake_stripe.store import Store
from billing.fake_stripe.webhooks import Sender

LONGEST_BODY = 1 << 20


class Handler(BaseHTTPRequestHandler):
    """One connection of a program or a browser."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "fake-stripe", ""
    disable_nagle_algorithm = True
    timeout = 60
    server: "Server"

    def do_GET(self) -> None:  # the name that http.server calls
        """Answer a GET."""
        self._answer(urlsplit(self.path).query)

    def do_DELETE(self) -> None:  # the name that http.server calls
        """Answer a DELETE."""
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:  # the name that http.server calls
        """Answer a POST."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LONGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self.send_error(413, "The body has a known length of up to 1 MiB")
            return
        self._answer(self.rfile.read(int(length)).decode("utf-8", "replace"))

    def _answer(self, body: str) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.engine.answer(Request(self.command, urlsplit(self.path).path, body, headers))
        if self.command != "GET":
            self.server.sender.wake()
        if answer.is_dropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        with suppress(BrokenPipeError, ConnectionResetError):
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value.replace("\r", "").replace("\n", ""))
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server gives it
        """Print nothing."""


class Server(ThreadingHTTPServer):
    """The fake on one port, with one folder."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        folder: Path,
        webhook_url: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        public_url: str | None = None,
    ) -> None:
        self.store = Store(folder)
        try:
            super().__init__((host, port), Handler)
        except OSError:
            self.store.close()
            raise
        self.url = f"http://{host}:{self.server_address[1]}"
        self.keys: Keys = keys_of(folder)
        base_url = (public_url or self.url).rstrip("/")
        self.engine = Engine(self.store, self.keys.secret_key, base_url)
        self.sender = Sender(self.store, webhook_url, self.keys.webhook_secret, base_url)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, unless it is only that the other side has gone."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def serve(self) -> None:
        """Deliver and answer until `shutdown` is called, then close everything."""
        self.sender.start()
        try:
            self.serve_forever(poll_interval=0.1)
        finally:
            self.server_close()
            self.sender.end()
            self.store.close()

    def serve_in_background(self) -> threading.Thread:
        """Start to serve in a thread of its own."""
        thread = threading.Thread(target=self.serve, name="fake-stripe", daemon=True)
        thread.start()
        return thread
