"""What a mail was sent for, as 40 letters in its return path and Message-ID, signed so that nobody can make one up."""

import hashlib
import hmac
from base64 import b32decode, b32encode
from uuid import UUID

from core.crypto import secret_generations
from core.http import kept_by_app

_ID_LETTERS, _MAC_LETTERS = 26, 13  # 128 bits, and 65 that are guessed by asking us only
LENGTH = 1 + _ID_LETTERS + _MAC_LETTERS


def token_for(kind: str, subject: UUID) -> str:
    """Return the token for mail about a subject; `kind` is one small letter that tells what the subject is."""
    keys = _keys()
    return _signed(kind, subject, keys[max(keys)])


def read_token(text: str) -> tuple[str, UUID] | None:
    """Return the kind and subject of a token of ours, in letters of any case; None for any other text."""
    token = text.lower()
    if len(token) != LENGTH or not token.isascii() or not token.isalnum():
        return None
    try:
        subject = UUID(bytes=b32decode(token[1 : 1 + _ID_LETTERS].upper() + "======"))
    except ValueError:
        return None
    known = (_signed(token[0], subject, key) for key in _keys().values())
    return (token[0], subject) if any(hmac.compare_digest(token, one) for one in known) else None


def _signed(kind: str, subject: UUID, key: bytes) -> str:
    mac = hmac.new(key, b"bounce " + kind.encode() + subject.bytes, hashlib.sha256).digest()
    return kind + _letters(subject.bytes)[:_ID_LETTERS] + _letters(mac)[:_MAC_LETTERS]


def _letters(raw: bytes) -> str:
    return b32encode(raw).decode("ascii").lower()


def _keys() -> dict[int, bytes]:
    return kept_by_app("leadbourse_bounce_keys", lambda: secret_generations("bounce"))
