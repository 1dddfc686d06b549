"""The fake of Stripe beside a service that has no key of its own, so that a newcomer can pay with a test card."""

import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from billing.fake_stripe import keys_of
from core.config import Settings

FOLDER, PORT, LOOPBACK = "fake-stripe", "port", "127.0.0.1"


class StandIn(NamedTuple):
    """The command that runs it, and what the service's processes are told in their environment."""

    command: list[str]
    environment: dict[str, str]


def stand_in_for(settings: Settings) -> StandIn | None:
    """Return how to run the fake for this service; None where Stripe's own key is set, or where the public comes.

    It listens to this machine alone, wherever the service listens: who reaches its pages pays with made-up money.
    """
    if settings.stripe_secret_key is not None or (_is_public(settings) and not settings.test_money):
        return None
    folder = settings.data_folder / FOLDER
    keys, port = keys_of(folder), _port_of(folder)
    hook = f"http://{_host_of(settings)}:{settings.port}/webhooks/stripe"
    command = [sys.executable, "-m", "billing.fake_stripe", "--host", LOOPBACK, "--port", str(port)]
    command += ["--folder", str(folder), "--webhook-url", hook]
    return StandIn(command, {
        "STRIPE_SECRET_KEY": keys.secret_key, "STRIPE_WEBHOOK_SECRET": keys.webhook_secret,
        "STRIPE_API_BASE": f"http://{LOOPBACK}:{port}", "LEADBOURSE_TEST_MONEY": "1",
    })  # fmt: skip


def _is_public(settings: Settings) -> bool:
    """Tell whether people come to this service from other machines, as its public address says."""
    host = urlsplit(settings.public_url or "").hostname
    return host is not None and host not in ("localhost", LOOPBACK, "::1")


def _host_of(settings: Settings) -> str:
    """Return how the fake reaches the service."""
    if settings.host in ("0.0.0.0", "::"):  # noqa: S104  # compared, not bound
        return LOOPBACK
    return f"[{settings.host}]" if ":" in settings.host else settings.host


def _port_of(folder: Path) -> int:
    """Return the port of the last time, so that open payment pages stay where they were, or one that is free."""
    kept = folder / PORT
    wanted = 0
    with suppress(FileNotFoundError, ValueError):
        wanted = int(kept.read_text())
    for port in (wanted, 0):
        with suppress(OSError), socket.create_server((LOOPBACK, port)) as free:
            found: int = free.getsockname()[1]
            kept.write_text(str(found))
            return found
    raise OSError("no port is free")
