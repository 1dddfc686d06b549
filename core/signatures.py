"""Signatures of what goes out, per the Standard Webhooks specification (scheme v1: HMAC-SHA256).

What is signed is `{id}.{timestamp}.{body}`; whoever receives it computes the same with the shared secret.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from core.entropy import random_bytes

PREFIX = "whsec_"
FEWEST_BYTES, MOST_BYTES = 24, 64  # of a secret, as the specification has it
TOLERANCE = timedelta(minutes=5)
_MADE_BYTES = 32
_LONGEST_NUMBER = 12


def make_secret() -> str:
    """Make a secret to share with one receiver."""
    return PREFIX + base64.b64encode(random_bytes(_MADE_BYTES)).decode("ascii")


def is_secret(text: str) -> bool:
    """Tell whether a text is `whsec_` and 24 to 64 bytes in base64."""
    return _key_of(text) is not None


def sign(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers for this attempt: one signature a secret, so that a receiver may change over.

    The id stays the same in every attempt and must not hold a full stop; ValueError for that and for a bad secret.
    """
    if "." in message_id:
        raise ValueError("the id of a message must not hold a full stop")
    stamp = str(int(at.timestamp()))
    signatures = " ".join(f"v1,{_signature(secret, message_id, stamp, body)}" for secret in secrets)
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": signatures}


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Tell whether any of the secrets signed this body within the last five minutes; header names in lower case."""
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < _LONGEST_NUMBER):
        return False
    if abs(now - datetime.fromtimestamp(int(stamp), UTC)) > TOLERANCE:
        return False
    good = [f"v1,{_signature(secret, message_id, stamp, body)}".encode() for secret in secrets]
    given = [one.encode("utf-8", "surrogatepass") for one in headers.get("webhook-signature", "").split(" ")]
    return any(hmac.compare_digest(one, other) for one in given for other in good)


def _signature(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    key = _key_of(secret)
    if key is None:
        raise ValueError("a secret is whsec_ and 24 to 64 bytes in base64")
    signed = f"{message_id}.{stamp}.".encode("utf-8", "surrogatepass") + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


def _key_of(text: str) -> bytes | None:
    if not text.startswith(PREFIX):
        return None
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if FEWEST_BYTES <= len(key) <= MOST_BYTES else None
