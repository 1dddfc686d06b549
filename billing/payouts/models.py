"""Money out as mapped rows: rails, runs, payouts with their events, files and results, what banks sent back."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model
from core.money import Money

SCHEMA = {"schema": "billing"}
INSTANT = DateTime(timezone=True)


class PayoutRail(Model):
    """Where an earner is paid, and whether he can be: `opening`, `pending`, `ready`, `blocked`, `closed`."""

    __tablename__ = "payout_rails"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="payout_rails_pkey"),
        CheckConstraint(
            "kind IN ('connect', 'sepa', 'wise', 'paypal') AND state IN ('opening', 'pending', 'ready', 'blocked', "
            "'closed') AND (destination IS NOT NULL OR (kind = 'connect' AND state IN ('opening', 'blocked'))) AND "
            "length(country) = 2",
            name="payout_rails_check",
        ),
        Index("payout_rails_present", "account_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("payout_rails_destination_idx", "destination"),
        SCHEMA,
    )

    id: Mapped[UUID]
    account_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    destination: Mapped[str | None] = mapped_column(Text)  # an account at the processor, an IBAN, an address of a payer
    holder: Mapped[str] = mapped_column(Text)
    country: Mapped[str] = mapped_column(Text)
    bic: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)  # why it is not ready, as a code
    says: Mapped[str | None] = mapped_column(Text)  # the same in the words of whoever said so
    said_by: Mapped[str] = mapped_column(Text)
    said_at: Mapped[datetime] = mapped_column(INSTANT)
    checked_at: Mapped[datetime | None] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)


class PayoutRun(Model):
    """One slot of a schedule in one currency, or one wish of an earner, under a key that names it."""

    __tablename__ = "payout_runs"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="payout_runs_pkey"),
        UniqueConstraint("key", name="payout_runs_key_key"),
        CheckConstraint("length(currency) = 3", name="payout_runs_check"),
        Index("payout_runs_open_idx", "id", postgresql_where=text("ended_at IS NULL")),
        SCHEMA,
    )

    id: Mapped[UUID]
    key: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date]
    seen_to: Mapped[UUID | None]  # the last account that was looked at, in their order
    begun_by: Mapped[str] = mapped_column(Text)
    begun_at: Mapped[datetime] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)


class PayoutFile(Model):
    """What a bank or another payer is given, byte for byte as it was made."""

    __tablename__ = "payout_files"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="payout_files_pkey"),
        CheckConstraint(
            "kind IN ('sepa', 'wise', 'paypal') AND lines > 0 AND amount_minor > 0 AND (handed_at IS NULL) = "
            "(handed_by IS NULL) AND (handed_at IS NULL OR cancelled_at IS NULL)",
            name="payout_files_check",
        ),
        SCHEMA,
    )

    id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    lines: Mapped[int]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(INSTANT)
    handed_by: Mapped[str | None] = mapped_column(Text)
    handed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    cancelled_at: Mapped[datetime | None] = mapped_column(INSTANT)

    @property
    def money(self) -> Money:
        """Return what its lines sum to."""
        return Money(self.amount_minor, self.currency)


class Payout(Model):
    """What is paid to one earner by one run; `back_minor` is what of it is payable to him again."""

    __tablename__ = "payouts"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="payouts_pkey"),
        UniqueConstraint("object_id", name="payouts_object_id_key"),
        UniqueConstraint("run_id", "account_id", "attempt", name="payouts_run_id_account_id_attempt_key"),
        CheckConstraint(
            "length(currency) = 3 AND attempt > 0 AND back_minor BETWEEN 0 AND amount_minor AND (amount_minor > 0 OR "
            "state = 'skipped')",
            name="payouts_amount_check",
        ),
        CheckConstraint(
            "(rail_id IS NOT NULL OR state = 'skipped') AND (reason IS NOT NULL OR state NOT IN ('skipped', "
            "'withdrawn', 'refused')) AND (ordered_at IS NULL) = (state IN ('skipped', 'drafted', 'approved', "
            "'withdrawn')) AND (back_minor = amount_minor) = (state IN ('refused', 'reversed') OR (state = 'failed' "
            "AND file_id IS NOT NULL) OR amount_minor = 0)",
            name="payouts_state_check",
        ),
        CheckConstraint(
            "state IN ('skipped', 'drafted', 'withdrawn') OR (approved_by IS NOT NULL AND needs_review <= "
            "starts_with(approved_by, 'user:') AND needs_second <= (starts_with(approved_by, 'user:') AND "
            "starts_with(coalesce(seconded_by, ''), 'user:') AND approved_by <> seconded_by))",
            name="payouts_approved_check",
        ),
        Index(
            "payouts_waiting",
            "account_id",
            "currency",
            unique=True,
            postgresql_where=text("state IN ('drafted', 'approved')"),
        ),
        Index("payouts_account_id_idx", "account_id", "id"),
        Index(
            "payouts_open_idx",
            "state",
            "id",
            postgresql_where=text("state IN ('drafted', 'approved', 'ordered', 'sent')"),
        ),
        Index("payouts_file_id_idx", "file_id", postgresql_where=text("file_id IS NOT NULL")),
        Index("payouts_rail_id_idx", "rail_id"),
        SCHEMA,
    )

    id: Mapped[UUID]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("billing.payout_runs.id", name="payouts_run_id_fkey"))
    account_id: Mapped[UUID]
    attempt: Mapped[int] = mapped_column(SmallInteger)
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    back_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    rail_id: Mapped[UUID | None] = mapped_column(ForeignKey("billing.payout_rails.id", name="payouts_rail_id_fkey"))
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    says: Mapped[str | None] = mapped_column(Text)
    needs_review: Mapped[bool] = mapped_column(server_default=text("false"))
    needs_second: Mapped[bool] = mapped_column(server_default=text("false"))
    approved_by: Mapped[str | None] = mapped_column(Text)
    seconded_by: Mapped[str | None] = mapped_column(Text)
    object_id: Mapped[str | None] = mapped_column(Text)  # the transfer at the processor
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("billing.payout_files.id", name="payouts_file_id_fkey"))
    drafted_at: Mapped[datetime] = mapped_column(INSTANT)
    ordered_at: Mapped[datetime | None] = mapped_column(INSTANT)
    moved_by: Mapped[str] = mapped_column(Text)
    moved_at: Mapped[datetime] = mapped_column(INSTANT)

    @property
    def money(self) -> Money:
        """Return how much it is."""
        return Money(self.amount_minor, self.currency)

    @property
    def key(self) -> str:
        """Return the key of its order in the books: its run and its earner, and the number of a later attempt."""
        later = f":{self.attempt}" if self.attempt > 1 else ""
        return f"payout:{self.run_id}:{self.account_id}{later}"


class PayoutStage(Model):
    """A step that a payout may take; the trigger on payouts refuses all others."""

    __tablename__ = "payout_stages"
    __table_args__ = (PrimaryKeyConstraint("from_state", "to_state", name="payout_stages_pkey"), SCHEMA)

    from_state: Mapped[str] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)


class PayoutEvent(Model):
    """A step that a payout took, or what was said of it while it stood; the trigger on payouts writes it."""

    __tablename__ = "payout_events"
    __table_args__ = (PrimaryKeyConstraint("payout_id", "number", name="payout_events_pkey"), SCHEMA)

    payout_id: Mapped[UUID] = mapped_column(ForeignKey("billing.payouts.id", name="payout_events_payout_id_fkey"))
    number: Mapped[int]
    from_state: Mapped[str] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    says: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(INSTANT)


class PayoutReversal(Model):
    """A transfer that somebody wants back: `asked`, then `done` or `refused`."""

    __tablename__ = "payout_reversals"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="payout_reversals_pkey"),
        CheckConstraint(
            "amount_minor > 0 AND state IN ('asked', 'done', 'refused') AND (state = 'asked') = (ended_at IS NULL)",
            name="payout_reversals_check",
        ),
        Index("payout_reversals_asked", "payout_id", unique=True, postgresql_where=text("state = 'asked'")),
        SCHEMA,
    )

    id: Mapped[UUID]
    payout_id: Mapped[UUID] = mapped_column(ForeignKey("billing.payouts.id", name="payout_reversals_payout_id_fkey"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, server_default="asked")
    says: Mapped[str | None] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)


class PayoutReturn(Model):
    """What an earner's own bank sent back to his account at the processor; `mended_at` once a later one arrived."""

    __tablename__ = "payout_returns"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="payout_returns_pkey"),
        Index("payout_returns_destination_idx", "destination", "made_at"),
        SCHEMA,
    )

    id: Mapped[str] = mapped_column(Text)
    destination: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)
    says: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(INSTANT)
    seen_at: Mapped[datetime] = mapped_column(INSTANT)
    mended_at: Mapped[datetime | None] = mapped_column(INSTANT)


class PayoutResult(Model):
    """A file of results as it was taken in, and what each of its lines came to."""

    __tablename__ = "payout_results"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="payout_results_pkey"),
        UniqueConstraint("digest", name="payout_results_digest_key"),
        SCHEMA,
    )

    id: Mapped[UUID]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    lines: Mapped[int]
    outcomes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    imported_by: Mapped[str] = mapped_column(Text)
    imported_at: Mapped[datetime] = mapped_column(INSTANT)
