"""Idempotency-Key: the same key and body give the same answer, kept in the transaction of its effect.

Follows the IETF draft draft-ietf-httpapi-idempotency-key-header; keys live 24 hours, scoped by account and route.
The claim is an advisory lock of the transaction, so a process that dies leaves no key "in progress" behind.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from sqlalchemy import DateTime, Index, LargeBinary, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, db
from core.errors import Conflict, Invalid, Malformed

LONGEST_KEY = 255
IN_PROGRESS = "LB409"  # the SQLSTATE that core.claim_key raises


_REVISE = text(
    "UPDATE core.idempotency SET answer = CAST(:final AS jsonb) WHERE account_id = :account AND route = :route"
    " AND key = :key AND answer = CAST(:first AS jsonb) RETURNING answer"
)
_KEPT = text("SELECT answer FROM core.idempotency WHERE account_id = :account AND route = :route AND key = :key")


class IdempotentAnswer(Model):
    """An answer kept under its key."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("idempotency_answered_at_idx", "answered_at"), {"schema": "core"})

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    answer: Mapped[Any] = mapped_column(JSONB)
    answered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given: status, body bytes, media type; and as it was stored, when it came from there."""

    status: int
    body: bytes
    mimetype: str
    stored: Any = None


def key_of(header: str | None) -> str | None:
    """Read the header: a quoted string as the draft has it, or the bare text; Malformed when unusable."""
    if header is None:
        return None
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not key or len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Malformed("bad_idempotency_key", f"Send an Idempotency-Key of 1 to {LONGEST_KEY} printable characters.")
    return key


def fingerprint_of(body: bytes) -> bytes:
    """Return what decides whether two bodies are the same: SHA-256 of their bytes."""
    return hashlib.sha256(body).digest()


def in_progress() -> Conflict:
    """Make the refusal for a key whose first request is still running."""
    return Conflict("idempotency_in_progress", "The first request with this Idempotency-Key is still running.")


def reused() -> Invalid:
    """Make the refusal for a key that came with another body before."""
    return Invalid("idempotency_key_reused", "This Idempotency-Key was used with another body. Use a new key.")


def claim(account_id: UUID, route: str, key: str, fingerprint: bytes) -> Kept | None:
    """Return the kept answer, or None after taking the right to answer until the transaction ends.

    Conflict while another transaction answers this key; Invalid when the key came with another body.
    """
    statement = text("SELECT (k).fingerprint, (k).status, (k).answer FROM core.claim_key(:a, :r, :k, :at) AS k")
    values = {"a": account_id, "r": route, "k": key, "at": datetime.now(UTC)}
    try:
        row = db.session.execute(statement, values).one()
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.Error) and error.orig.sqlstate == IN_PROGRESS:
            raise in_progress() from error
        raise
    if row.fingerprint is None:
        return None
    if row.fingerprint != fingerprint:
        raise reused()
    return kept_of(row.status, row.answer)


def kept_of(status: int, answer: Any) -> Kept:
    """Read an answer as it was stored; one that the hot path stored has no body of its own and gives empty bytes."""
    return Kept(status, answer.get("body", "").encode(), answer.get("mimetype", ""), answer)


def keep(account_id: UUID, route: str, key: str, fingerprint: bytes, kept: Kept) -> None:
    """Store the answer that this key gets from now on."""
    answer = {"body": kept.body.decode(), "mimetype": kept.mimetype}
    row = IdempotentAnswer(account_id=account_id, route=route, key=key, fingerprint=fingerprint,
                           status=kept.status, answer=answer, answered_at=datetime.now(UTC))  # fmt: skip
    db.session.add(row)
    db.session.flush()


def answered_at(account_id: UUID, route: str, key: str) -> datetime | None:
    """Return the real instant at which the answer of this key was kept, None when it is kept no more."""
    row = db.session.get(IdempotentAnswer, (account_id, route, key))
    return row.answered_at if row else None


def revise(account_id: UUID, route: str, key: str, first: Any, final: Any) -> Any:
    """Keep the final answer of a key in the place of its first one, and return the one that is kept.

    Who comes second, with the same first one, gets what the other kept.
    """
    named = {"account": account_id, "route": route, "key": key}
    kept = db.session.scalar(_REVISE, named | {"first": _json(first), "final": _json(final)})
    if kept is None:
        kept = db.session.scalar(_KEPT, named)
    return final if kept is None else kept


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def forget(before: datetime) -> int:
    """Delete the answers given before this real instant and return how many."""
    statement = text("DELETE FROM core.idempotency WHERE answered_at < :before RETURNING 1")
    return len(db.session.execute(statement, {"before": before}).all())
