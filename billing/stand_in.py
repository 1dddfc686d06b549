"""The fake of Stripe beside a service that has no key of its own, so that a newcomer can pay with a test card."""

import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from billing.fake_stripe import keys_of
from core.config import Settings

FOLDER, PORT = "fake-stripe", "port"


class StandIn(NamedTuple):
    """The command that runs it, and what the service's processes are told in their environment."""

    command: list[str]
    environment: dict[str, str]


def stand_in_for(settings: Settings) -> StandIn | None:
    """Return how to run the fake for this service; None where Stripe's own key is set."""
    if settings.stripe_secret_key is not None:
        return None
    folder = settings.data_folder / FOLDER
    keys, port = keys_of(folder), _port_of(folder)
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  # compared, not bound
    hook = f"http://{host}:{settings.port}/webhooks/stripe"
    command = [sys.executable, "-m", "billing.fake_stripe", "--host", host, "--port", str(port)]
    command += ["--folder", str(folder), "--webhook-url", hook]
    return StandIn(command, {
        "STRIPE_SECRET_KEY": keys.secret_key, "STRIPE_WEBHOOK_SECRET": keys.webhook_secret,
        "STRIPE_API_BASE": f"http://{host}:{port}", "LEADBOURSE_TEST_MONEY": "1",
    })  # fmt: skip


def _port_of(folder: Path) -> int:
    """Return the port of the last time, so that open payment pages stay where they were, or one that is free."""
    kept = folder / PORT
    wanted = 0
    with suppress(FileNotFoundError, ValueError):
        wanted = int(kept.read_text())
    for port in (wanted, 0):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)) as free:
            found: int = free.getsockname()[1]
            kept.write_text(str(found))
            return found
    raise OSError("no port is free")
