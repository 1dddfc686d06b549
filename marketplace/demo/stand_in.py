"""The stand-in for the card processor, run beside while days are filled in; serving starts it on the same folder."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from billing import stand_in_for
from core.config import Settings

SECONDS = 60  # that it has to begin to listen, on a slow machine
FOLDER = "fake-stripe"


@contextmanager
def stand_in_beside(settings: Settings) -> Iterator[tuple[Settings, Callable[[], None]]]:
    """Begin the stand-in and give the settings of whoever talks to it, and what waits until it listens.

    No cards where Stripe's own key is set: nothing that is invented is told to Stripe.
    """
    stand_in = stand_in_for(settings)
    if stand_in is None:
        yield replace(settings, stripe_secret_key=None), lambda: None
        return
    told = stand_in.environment
    supervised = {"LEADBOURSE_SUPERVISED": "1"}  # so that it dies with us, however we end
    process = subprocess.Popen(stand_in.command, env=os.environ | told | supervised, stderr=subprocess.DEVNULL)
    try:
        paying = replace(
            settings, stripe_secret_key=told["STRIPE_SECRET_KEY"], stripe_api_base=told["STRIPE_API_BASE"],
            stripe_webhook_secret=told["STRIPE_WEBHOOK_SECRET"],
        )  # fmt: skip
        yield paying, partial(_wait_for, told["STRIPE_API_BASE"])
    finally:
        process.terminate()
        process.wait()


def discard_stand_in(settings: Settings) -> None:
    """Forget what the stand-in knows, with the market that it was of."""
    shutil.rmtree(settings.data_folder / FOLDER, ignore_errors=True)


def _wait_for(url: str) -> None:
    place, until = urlsplit(url), time.monotonic() + SECONDS
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection((place.hostname, place.port or 80), 1):
            return
        time.sleep(0.05)
    raise OSError("the stand-in for the card processor does not begin")
