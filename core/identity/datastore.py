"""How Flask-Security finds and keeps people: a registration opens an account with its first user."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import g
from flask_security import RoleMixin, SQLAlchemyUserDatastore, Totp
from sqlalchemy.exc import IntegrityError

from core.db import db
from core.errors import Conflict
from core.identity.accounts import Place, add_owner, open_account, places_of, user_marked
from core.identity.models import User

# Called with the id and the kind of an account that somebody has just registered, in the same transaction.
Opened = Callable[[UUID, str], None]


class People(SQLAlchemyUserDatastore):
    """The people of this installation; roles are no part of it, since what one may do hangs on an account."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(db, User, RoleMixin)  # no rows: what one may do hangs on an account
        self._opened = opened

    def find_user(self, case_insensitive: bool = False, **by: Any) -> User | None:
        """Find a person; who a session is about with their accounts, since each page asks for them next."""
        if "fs_uniquifier" not in by:
            return super().find_user(case_insensitive, **by)  # type: ignore[return-value]  # all are rows of User
        marked = user_marked(by["fs_uniquifier"])
        g.marked = marked
        return marked[0] if marked else None

    def create_user(self, **given: Any) -> User:
        """Open an account of the kind asked for, with its first user, whose address is still to be confirmed.

        Two registrations of one address at once: the later one is a Conflict that does not tell why.
        """
        now = datetime.now(UTC)
        account = open_account(given["kind"], given["account"], now)
        account.registered_at = now
        self._opened(account.id, account.kind)
        try:
            return add_owner(account.id, given["email"], given["password"], now)
        except IntegrityError as raced:
            raise Conflict("sent_twice", "This form was sent twice at once. Send it again.") from raced


def places_here(user: User) -> tuple[Place, ...]:
    """Return the active accounts of whoever this request is of, the oldest first."""
    marked: tuple[User, tuple[Place, ...]] | None = g.get("marked")
    return marked[1] if marked and marked[0].id == user.id else tuple(places_of(user.id))


class OneTimeCodes(Totp):
    """Six digits of an authenticator; each counts once, however soon it is sent again."""

    def get_last_counter(self, user: Any) -> int | None:
        """Return the time step of the last code that counted."""
        last: int | None = user.tf_last_counter
        return last

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        """Keep the time step of the code that counts now."""
        user.tf_last_counter = tmatch.counter
        db.session.add(user)
