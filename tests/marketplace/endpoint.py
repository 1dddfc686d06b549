"""A buyer's endpoint for tests: a real HTTP server on this machine that answers as it is told and keeps what came."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Endpoint:
    """What the endpoint answers, and what it has received: headers and body of each call."""

    url: str = ""
    status: int = 200
    answer: bytes = b""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def open_endpoint(**behaviour: Any) -> Iterator[Endpoint]:
    """Serve on a free port until the end of the block."""
    endpoint = Endpoint(**behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            endpoint.received.append(({name.lower(): text for name, text in self.headers.items()}, body))
            self.send_response(endpoint.status)
            self.send_header("Content-Length", str(len(endpoint.answer)))
            self.end_headers()
            self.wfile.write(endpoint.answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint.url = f"http://127.0.0.1:{server.server_port}/leads"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
