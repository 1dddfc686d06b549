"""Opening accounts, and the people who belong to them."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import and_, bindparam, select, update

from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.identity.models import Account, Membership, User
from core.ids import new_id

KINDS = ("publisher", "buyer", "operator")
_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks: the account acted for, its kind, the key used and what that key may do."""

    account_id: UUID
    kind: str
    key_id: UUID
    scopes: frozenset[str]

    @property
    def name(self) -> str:
        """Return how events and bookings name this actor."""
        return f"key:{self.key_id}"


def hashing_costs() -> dict[str, int]:
    """Return what a password's hash costs, for whoever else hashes: passes, KiB of memory, threads."""
    return {"time_cost": _hasher.time_cost, "memory_cost": _hasher.memory_cost, "parallelism": _hasher.parallelism}


def open_account(kind: str, name: str, at: datetime) -> Account:
    """Add an account of one kind; Invalid when the kind is unknown or the name empty."""
    faults = []
    if kind not in KINDS:
        faults.append(Fault("kind", "not_allowed_value", f"Choose one of {', '.join(KINDS)}."))
    if not name.strip() or "\0" in name:
        faults.append(Fault("name", "missing", "Give the account a name."))
    if faults:
        raise Invalid("invalid_account", "The account cannot be opened.", faults)
    account = Account(id=new_id(), kind=kind, name=name.strip(), standing="active", created_at=at)
    db.session.add(account)
    db.session.flush()
    return account


def sign_up(account_id: UUID, email: str, password: str | None, at: datetime) -> tuple[UUID, str]:
    """Add the account's first user, who can sign in at once, and return its id and password.

    A password is made when none is given. Invalid for an unusable address or a password of fewer than 8 characters,
    Conflict for a known address.
    """
    address = email.strip().lower()
    faults = []
    if "@" not in address or "\0" in address or len(address) > 254:
        faults.append(Fault("email", "invalid_email", "Give an e-mail address such as ada@example.com."))
    if password is not None and len(password) < 8:
        faults.append(Fault("password", "too_short", "Choose a password of at least 8 characters."))
    if faults:
        raise Invalid("invalid_user", "The user cannot be added.", faults)
    if db.session.scalar(select(User.id).where(User.email == address)) is not None:
        raise Conflict("email_taken", "A user with this e-mail address exists already.")
    chosen = password or secrets.token_urlsafe(12)
    return add_owner(account_id, address, _hasher.hash(chosen), at, confirmed_at=at).id, chosen


def add_owner(
    account_id: UUID, address: str, password_hash: str, at: datetime, confirmed_at: datetime | None = None
) -> User:
    """Add an account's first user; one whose address is not confirmed yet cannot sign in."""
    user = User(id=new_id(), email=address, password=password_hash, created_at=at, confirmed_at=confirmed_at)
    db.session.add(user)
    db.session.flush()
    db.session.add(Membership(user_id=user.id, account_id=account_id, role="owner"))
    db.session.flush()
    return user


def get_account(account_id: UUID, kind: str | None = None) -> Account:
    """Return an account, of the kind asked for; NotFound otherwise."""
    account = db.session.get(Account, account_id)
    if account is None or kind not in (None, account.kind):
        raise NotFound(detail=f"There is no {kind or 'account'} with this id.")
    return account


def account_named(name: str) -> Account | None:
    """Find the oldest account of this name."""
    return db.session.scalar(select(Account).where(Account.name == name).order_by(Account.id).limit(1))


def language_of(account_id: UUID) -> str | None:
    """Return the language that an account's first owner reads, if one was chosen."""
    query = select(User.language).join(Membership, Membership.user_id == User.id)
    query = query.where(Membership.account_id == account_id)
    return db.session.scalar(query.order_by(Membership.role == "member", User.id).limit(1))


def accounts_of_kind(kind: str) -> list[Account]:
    """Return the active accounts of one kind, the oldest first."""
    query = select(Account).where(Account.kind == kind, Account.standing == "active").order_by(Account.id)
    return list(db.session.scalars(query))


@dataclass(frozen=True, slots=True)
class Place:
    """A person's place in an account.

    It holds the account's row so that whoever asks for it by its id within the request does not read it anew.
    """

    account_id: UUID
    name: str
    kind: str
    role: str
    account: Account = field(repr=False, compare=False)


def places_of(user_id: UUID) -> list[Place]:
    """Return the active accounts that a person belongs to, the oldest first."""
    query = select(Account, Membership.role).join(Membership, Membership.account_id == Account.id)
    query = query.where(Membership.user_id == user_id, Account.standing == "active").order_by(Account.id)
    return [_place(*row) for row in db.session.execute(query)]


def _place(account: Account, role: str) -> Place:
    return Place(account.id, account.name, account.kind, role, account)


# Built once: to put it together anew takes as long as to run it.
_MARKED = (
    select(User, Account, Membership.role)
    .outerjoin(Membership, Membership.user_id == User.id)
    .outerjoin(Account, and_(Account.id == Membership.account_id, Account.standing == "active"))
    .where(User.fs_uniquifier == bindparam("mark"))
    .order_by(Account.id)
)


def user_marked(mark: str) -> tuple[User, tuple[Place, ...]] | None:
    """Find who carries this mark, as a session does, and the active accounts they belong to, the oldest first."""
    rows = db.session.execute(_MARKED, {"mark": mark}).all()
    if not rows:
        return None
    places = [(account, role) for _, account, role in rows if account]  # none, when all of them are suspended
    return rows[0][0], tuple(_place(*place) for place in places)


def speak(user_id: UUID, language: str) -> None:
    """Keep the language that a person wants to read."""
    db.session.execute(update(User).where(User.id == user_id).values(language=language))


def add_member(account_id: UUID, email: str) -> None:
    """Let an existing user into an account; NotFound when there is no such user, again changes nothing."""
    user = _get_user(email)
    if db.session.get(Membership, (user.id, account_id)) is None:
        db.session.add(Membership(user_id=user.id, account_id=account_id, role="member"))
        db.session.flush()


def drop_second_factor(email: str) -> None:
    """Let a user sign in with the password alone and end their sessions; NotFound when there is no such user."""
    user = _get_user(email)
    user.tf_primary_method = user.tf_totp_secret = user.tf_last_counter = user.mf_recovery_codes = None
    user.fs_uniquifier = secrets.token_hex(16)
    db.session.flush()


def _get_user(email: str) -> User:
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise NotFound(detail="There is no user with this e-mail address.")
    return user


def emails_of(account_id: UUID) -> list[str]:
    """Return the addresses of the people who belong to an account, in the order of the alphabet."""
    members = select(User.email).join(Membership, Membership.user_id == User.id)
    return list(db.session.scalars(members.where(Membership.account_id == account_id).order_by(User.email)))
