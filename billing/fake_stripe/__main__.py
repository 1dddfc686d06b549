"""The fake as a program of its own: `python -m billing.fake_stripe --port P --folder F --webhook-url URL`."""

import argparse
import os
import signal
import threading
from pathlib import Path
from types import FrameType

from billing.fake_stripe.server import Server
from core.lifeline import die_with_parent


def main() -> None:
    """Serve until SIGTERM or SIGINT; print nothing."""
    given = _arguments()
    if os.environ.get("LEADBOURSE_SUPERVISED") == "1":
        die_with_parent()
    server = Server(given.folder, given.webhook_url, given.host, given.port, given.public_url)

    def end(_number: int, _frame: FrameType | None) -> None:
        # shutdown waits for serve_forever, which runs in the thread that this handler interrupts.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if given.verbose:
        print(server.url, flush=True)  # noqa: T201  # asked for by name
    server.serve()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m billing.fake_stripe", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where its keys and its state are")
    parser.add_argument("--port", type=int, required=True, help="0 for any that is free")
    parser.add_argument("--webhook-url", help="where events are sent")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--public-url", help="how browsers reach it, if not by host and port")
    parser.add_argument("--verbose", action="store_true", help="print the address once it is listening")
    return parser.parse_args()


main()
