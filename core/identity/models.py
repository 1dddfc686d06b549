"""The rows of identity."""

from datetime import date, datetime
from uuid import UUID, uuid4

from flask_security import UserMixin
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
    true,
)
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model


class Account(Model):
    """An organisation that publishes, buys or operates; whoever acts, acts for one."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("kind IN ('publisher', 'buyer', 'operator')"),
        CheckConstraint("name <> ''"),
        CheckConstraint("standing IN ('active', 'suspended')"),
        UniqueConstraint("id", "standing", name="accounts_id_standing_key"),  # which keys refer to
        Index("accounts_suspended_idx", "id", postgresql_where=text("standing = 'suspended'")),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    standing: Mapped[str] = mapped_column(Text, server_default="active")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    registered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # by itself; None by an operator


Index("accounts_name_idx", func.lower(Account.name).label("by_name"), postgresql_ops={"by_name": "text_pattern_ops"})


class User(Model, UserMixin):
    """A person who signs in; names of columns that begin with fs, tf and mf are those that Flask-Security asks for."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email = lower(email)"),
        CheckConstraint("tf_primary_method IS NULL OR tf_totp_secret IS NOT NULL", name="users_factor_check"),
        UniqueConstraint("email", name="users_email_key"),
        UniqueConstraint("fs_uniquifier", name="users_fs_uniquifier_key"),
        {"schema": "core"},
    )
    roles = []  # what a person may do hangs on the account acted for, see Membership

    id: Mapped[UUID] = mapped_column(primary_key=True)  # type: ignore[assignment]  # theirs is a number
    email: Mapped[str] = mapped_column(Text)
    password: Mapped[str] = mapped_column("password_hash", Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    active: Mapped[bool] = mapped_column(server_default=true(), default=True)
    fs_uniquifier: Mapped[str] = mapped_column(
        Text, default=lambda: uuid4().hex, server_default=text("replace(gen_random_uuid()::text, '-', '')")
    )
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    language: Mapped[str | None] = mapped_column(Text)
    tf_primary_method: Mapped[str | None] = mapped_column(Text)
    tf_totp_secret: Mapped[str | None] = mapped_column(Text)
    tf_last_counter: Mapped[int | None] = mapped_column(BigInteger)
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(ARRAY(Text)))


class Membership(Model):
    """A user's place in an account."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'member')"),
        Index("memberships_account_id_idx", "account_id"),
        {"schema": "core"},
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("core.users.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("core.accounts.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Text)


class ApiKey(Model):
    """A key that a program signs in with; only its SHA-256 is kept, it is shown once."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("length(hash) = 32"),
        UniqueConstraint("hash", name="api_keys_hash_key"),
        Index("api_keys_account_id_idx", "account_id"),
        ForeignKeyConstraint(
            ["account_id", "account_standing"], ["core.accounts.id", "core.accounts.standing"],
            name="api_keys_account_fkey", onupdate="CASCADE",
        ),
        {"schema": "core"},
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    account_standing: Mapped[str] = mapped_column(Text, server_default="active")  # as the account has it, at any time
    name: Mapped[str] = mapped_column(Text)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_on: Mapped[date | None]


class Attempt(Model):
    """How often something was tried in a window of time; the subject is a keyed hash of an address or a person."""

    __tablename__ = "attempts"
    __table_args__ = (
        CheckConstraint("action IN ('sign_in', 'mail')"),
        CheckConstraint("by IN ('address', 'person')"),
        CheckConstraint("length(subject) = 32"),
        Index("attempts_starts_at_idx", "starts_at"),
        {"schema": "core"},
    )

    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    action: Mapped[str] = mapped_column(Text, primary_key=True)
    by: Mapped[str] = mapped_column(Text, primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    tried: Mapped[int]
    refused: Mapped[int] = mapped_column(server_default="0")
