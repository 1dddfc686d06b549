"""The rows of identity."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model


class Account(Model):
    """An organisation that publishes, buys or operates; whoever acts, acts for one."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("kind IN ('publisher', 'buyer', 'operator')"),
        CheckConstraint("name <> ''"),
        CheckConstraint("standing IN ('active', 'suspended')"),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    standing: Mapped[str] = mapped_column(Text, server_default="active")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class User(Model):
    """A person who signs in."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email = lower(email)"),
        UniqueConstraint("email", name="users_email_key"),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


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
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("core.accounts.id"))
    name: Mapped[str] = mapped_column(Text)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
