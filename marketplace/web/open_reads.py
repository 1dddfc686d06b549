"""How often somebody without an account may read what is open to everybody: counted by their network address."""

import hmac
from hashlib import sha256
from uuid import UUID

from flask import request

from core.crypto import secret_generations
from core.http import kept_by_app
from core.identity import network_of
from core.overrides import overrides
from core.rates import Rate, count_towards

WHAT = "open_market"
READER_SECRET = "open_reader"


def count_open_read() -> None:
    """Count one reading in the session's transaction; TooMany when the address has read enough for this minute."""
    count_towards(Rate(overrides().setting("market.reads_a_minute"), 60), _reader(), WHAT)


def _reader() -> UUID:
    """Return what stands for a network address among accounts; nobody gets from it to the address."""
    address = network_of(request.remote_addr or "")
    return UUID(bytes=hmac.digest(_key(), address.encode(), sha256)[:16])


def _key() -> bytes:
    key: bytes = kept_by_app("leadbourse_open_reader", lambda: secret_generations(READER_SECRET)[1])
    return key
