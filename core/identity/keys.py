"""API keys: made once, shown once, stored as a hash, scoped, revocable at once everywhere."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

from sqlalchemy import select

from core.db import db, driver_connection
from core.errors import Fault, Invalid, NotFound
from core.identity.accounts import Actor
from core.identity.models import Account, ApiKey
from core.ids import new_id

# What each kind of account may do by key; a key has these or fewer. Named for the thing and the verb.
SCOPES_OF: dict[str, frozenset[str]] = {
    "publisher": frozenset({"leads:write", "leads:read", "balance:read", "payouts:write", "keys:manage",
                            "webhooks:manage"}),
    "buyer": frozenset({"orders:write", "orders:read", "sales:write", "sales:read", "disputes:write", "wallet:read",
                        "wallet:write", "keys:manage", "webhooks:manage"}),
    "operator": frozenset({"operate", "keys:manage", "webhooks:manage"}),
}  # fmt: skip


def hash_of(secret: str) -> bytes:
    """Return what is stored of a key: SHA-256 suffices, since the key has 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def make_key(account: Account, name: str, at: datetime, scopes: Iterable[str] | None = None) -> tuple[ApiKey, str]:
    """Make a key for the account and return it with its secret, which cannot be had again.

    Without scopes it may do all that the account's kind may; Invalid for a scope that the kind does not have. The key
    of an account that is being suspended is made and sleeps with it.
    """
    allowed = SCOPES_OF[account.kind]
    wanted = allowed if scopes is None else frozenset(scopes)
    if not wanted <= allowed or not wanted:
        fault = Fault("scopes", "not_allowed_value", f"Choose from {', '.join(sorted(allowed))}.")
        raise Invalid("invalid_key", "The key cannot be made.", [fault])
    # A key bears its account's standing: as it is now, and stays until the key is there.
    db.session.refresh(account, ["standing"], with_for_update={"read": True, "key_share": True})
    secret = "lb_" + secrets.token_urlsafe(32)
    key = ApiKey(
        id=new_id(), account_id=account.id, account_standing=account.standing, name=name, hash=hash_of(secret),
        hint=secret[-4:], scopes=sorted(wanted), created_at=at,
    )  # fmt: skip
    db.session.add(key)
    db.session.flush()
    return key, secret


def keys_of(account_id: UUID) -> list[ApiKey]:
    """Return the account's keys, the newest first, revoked ones too."""
    return list(db.session.scalars(select(ApiKey).where(ApiKey.account_id == account_id).order_by(ApiKey.id.desc())))


def revoke_key(account_id: UUID, key_id: UUID, at: datetime) -> ApiKey:
    """Revoke one of the account's keys for every request that begins from now; again changes nothing."""
    key = db.session.scalar(select(ApiKey).where(ApiKey.id == key_id, ApiKey.account_id == account_id))
    if key is None:
        raise NotFound(detail="There is no key with this id.")
    key.revoked_at = key.revoked_at or at
    db.session.flush()
    return key


def actor_for_key(secret: str) -> Actor | None:
    """Find who this key belongs to; None when it is unknown, revoked, or its account is suspended."""
    found = db.session.execute(
        select(ApiKey.id, ApiKey.account_id, ApiKey.scopes, ApiKey.last_used_on, Account.kind)
        .join(Account, Account.id == ApiKey.account_id)
        .where(ApiKey.hash == hash_of(secret), ApiKey.revoked_at.is_(None), Account.standing == "active")
    ).one_or_none()
    if found is None:
        return None
    if found.last_used_on != datetime.now(UTC).date():
        _seen_today.add(found.id)
    return Actor(found.account_id, found.kind, found.id, frozenset(found.scopes))


def write_uses() -> None:
    """Write that the keys looked up since the last call were used today; nothing when that is written already.

    Called once a request is done and its connection is back in the pool. It waits for nobody: a key whose row somebody
    holds is written by a later call. When the database is away the next request of the key finds it unwritten again.
    """
    if not _seen_today:
        return
    keys = [_seen_today.pop() for _ in range(len(_seen_today))]
    with driver_connection() as connection:
        _seen_today.update(key for (key,) in connection.execute(_USED, (keys,)))


# Gives back those that somebody holds; FOR NO KEY UPDATE is what the UPDATE takes, so that no more are held than must.
_USED = """
    WITH due AS (SELECT id FROM core.api_keys
                 WHERE id = ANY (%s) AND last_used_on IS DISTINCT FROM (now() AT TIME ZONE 'UTC')::date),
         used AS (UPDATE core.api_keys SET last_used_on = (now() AT TIME ZONE 'UTC')::date
                  WHERE id IN (SELECT id FROM core.api_keys WHERE id IN (SELECT id FROM due)
                               ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
                  RETURNING id)
    SELECT id FROM due EXCEPT SELECT id FROM used
"""
_seen_today: set[UUID] = set()
_MOST_REMEMBERED = 10_000
REMEMBERED_SECONDS = 3600  # then a key is looked up again, and so seen on each day on which it is used
_remembered: dict[bytes, tuple[Actor, float]] = {}
_UNKNOWN: tuple[Actor | None, float] = (None, 0.0)


def recall_actor(secret: str) -> Actor | None:
    """Return who a key belongs to, from memory if this process saw it before; for the hot path only.

    What a key may do never changes, but it may have been revoked since: the caller's transaction must ask
    `core.good_key` again, and call `forget_actor` when it is not.
    """
    actor = remembered_actor(secret)
    if actor is None:
        actor = actor_for_key(secret)
        if actor is not None:
            if len(_remembered) >= _MOST_REMEMBERED:
                _remembered.clear()
            _remembered[hash_of(secret)] = actor, monotonic() + REMEMBERED_SECONDS
    return actor


def remembered_actor(secret: str) -> Actor | None:
    """Return who a key belongs to if this process saw it before, with the same reservation as `recall_actor`."""
    actor, until = _remembered.get(hash_of(secret), _UNKNOWN)
    return actor if monotonic() < until else None


def forget_actor(secret: str) -> None:
    """Drop a key from this process's memory."""
    _remembered.pop(hash_of(secret), None)
