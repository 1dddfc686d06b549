"""Who is behind the names that events and bookings give to actors."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from core.db import db
from core.identity.models import Account, ApiKey, User


@dataclass(frozen=True, slots=True)
class Who:
    """A person by address, or a key by its name and the account that it belongs to."""

    name: str
    account_id: UUID | None = None
    account: str | None = None


def who_are(actors: Iterable[str]) -> dict[str, Who]:
    """Return who acted, in two questions; what is neither a person nor a key is left out."""
    ids: dict[str, set[UUID]] = {"user": set(), "key": set()}
    for actor in set(actors):
        kind, _, rest = actor.partition(":")
        if kind in ids:
            ids[kind].add(UUID(rest))
    people = db.session.execute(select(User.id, User.email).where(User.id.in_(ids["user"]))) if ids["user"] else ()
    keys = select(ApiKey.id, ApiKey.name, Account.id, Account.name).join(Account, Account.id == ApiKey.account_id)
    found = {f"user:{user_id}": Who(email) for user_id, email in people}
    rows = db.session.execute(keys.where(ApiKey.id.in_(ids["key"]))) if ids["key"] else ()
    return found | {f"key:{key_id}": Who(name, account_id, account) for key_id, name, account_id, account in rows}
