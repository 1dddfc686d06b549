"""The buyers' own servers: one small HTTP server on this machine that answers deliveries as each buyer would."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from marketplace.demo.behaviour import Reply

HOST = "127.0.0.1"
MOST_BYTES = 1_000_000
Answer = Callable[[str, str], Reply | None]


class Endpoints:
    """Answers on a port of its own; `answer` gets the order's id and the message's and says what to reply."""

    def __init__(self, answer: Answer) -> None:
        self._server = ThreadingHTTPServer((HOST, 0), _handler_of(answer))
        self._server.daemon_threads = True

    def url_of(self, order: str) -> str:
        """Return where an order's leads are to be posted."""
        return f"http://{HOST}:{self._server.server_address[1]}/{order}"

    def start(self) -> None:
        """Answer from now on, in a thread that ends with the process."""
        threading.Thread(target=self._server.serve_forever, name="endpoints", daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def _handler_of(answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One delivery."""

        def do_POST(self) -> None:  # the base class names it
            """Read the delivery and reply as its buyer does."""
            length = min(int(self.headers.get("Content-Length") or 0), MOST_BYTES)
            self.rfile.read(length)
            reply = answer(self.path.strip("/"), self.headers.get("webhook-id", "")) or Reply(404, b"")
            time.sleep(reply.seconds)
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the product logs what it delivered."""

    return Handler
