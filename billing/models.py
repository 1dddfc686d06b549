"""The tables of the schema `billing` as mapped rows, for reading; only the SQL functions beside them write.

They say exactly what `migrations/sql/0002_ledger` says, names of constraints included; a test compares the two.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

SCHEMA = {"schema": "billing"}
RARE_KIND = text("kind <> 'hold' AND kind <> 'resolve'")  # what no sale posts; such kinds have an index
INSTANT = DateTime(timezone=True)


def _balance(table: str, column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} >= 0", name=f"{table}_{column}_check")


class ChartOfAccounts(Model):
    """One place where an entry may stand; an owned account has one balance per owner."""

    __tablename__ = "chart_of_accounts"
    __table_args__ = (
        PrimaryKeyConstraint("code", name="chart_of_accounts_pkey"),
        UniqueConstraint("name", name="chart_of_accounts_name_key"),
        CheckConstraint("side IN ('debit', 'credit')", name="chart_of_accounts_side_check"),
        SCHEMA,
    )

    code: Mapped[int] = mapped_column(SmallInteger, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    side: Mapped[str] = mapped_column(Text)
    is_owned: Mapped[bool] = mapped_column(Boolean)


class Transaction(Model):
    """One fact of the journal under its key; it never changes, and a correction names what it reverses."""

    __tablename__ = "transactions"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="transactions_pkey"),
        UniqueConstraint("key", name="transactions_key_key"),
        Index("transactions_rare_kind_idx", "kind", "id", postgresql_where=RARE_KIND),
        Index(
            "transactions_occurred_at_idx",
            "occurred_at",
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on"},
        ),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(server_default=func.uuidv7())
    key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    source: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    reverses: Mapped[UUID | None] = mapped_column(
        ForeignKey("billing.transactions.id", name="transactions_reverses_fkey")
    )
    occurred_at: Mapped[datetime] = mapped_column(INSTANT)
    posted_at: Mapped[datetime] = mapped_column(INSTANT, server_default=func.clock_timestamp())
    posted_in: Mapped[int] = mapped_column(
        BigInteger, server_default=text("(((pg_current_xact_id())::text)::bigint)")
    )  # fmt: skip


class Entry(Model):
    """One line of a transaction, debit positive; the lines of a transaction sum to zero."""

    __tablename__ = "entries"
    __table_args__ = (
        PrimaryKeyConstraint("transaction_id", "line", name="entries_pkey"),
        CheckConstraint("billing.is_entry(entries)", name="entries_check"),
        Index("entries_history", "owner_id", "transaction_id", postgresql_where=text("owner_id IS NOT NULL")),
        SCHEMA,
    )

    transaction_id: Mapped[UUID]
    line: Mapped[int] = mapped_column(SmallInteger, autoincrement=False)
    account: Mapped[int] = mapped_column(SmallInteger)
    sub_account: Mapped[str | None] = mapped_column(Text)
    owner_id: Mapped[UUID | None]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class Wallet(Model):
    """The cached balances of one spender in one currency; never below zero."""

    __tablename__ = "wallets"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "currency", name="wallets_pkey"),
        CheckConstraint("billing.is_wallet(wallets)", name="wallets_check"),
        SCHEMA,
    )

    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    available: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    held: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    frozen: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    promo: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    suspended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    credit_limit: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    credit_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    drawn: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    owed: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    at_stake: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    stopped_at: Mapped[datetime | None] = mapped_column(INSTANT)


class Earner(Model):
    """The cached balances of one earner in one currency; never below zero."""

    __tablename__ = "earners"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "currency", name="earners_pkey"),
        CheckConstraint("length(currency) = 3", name="earners_currency_check"),
        *(_balance("earners", column) for column in ("payable", "reserve", "in_flight", "owed")),
        Index("earners_owing", "account_id", "currency", postgresql_where=text("owed > 0")),
        SCHEMA,
    )

    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    payable: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    reserve: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    in_flight: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    owed: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class Hold(Model):
    """Money set aside, with the part of it that was promotional credit."""

    __tablename__ = "holds"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="holds_pkey"),
        CheckConstraint("billing.is_hold(holds)", name="holds_check"),
        SCHEMA,
    )

    id: Mapped[UUID]
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    promo_minor: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    transaction_id: Mapped[UUID]
    placed_at: Mapped[datetime] = mapped_column(INSTANT)


class HoldResolution(Model):
    """How a hold ended, with the whole content of the request that ended it."""

    __tablename__ = "hold_resolutions"
    __table_args__ = (
        PrimaryKeyConstraint("hold_id", name="hold_resolutions_pkey"),
        CheckConstraint(
            "outcome IN ('captured', 'released', 'expired', 'split')", name="hold_resolutions_outcome_check"
        ),
        CheckConstraint("captured_minor >= 0", name="hold_resolutions_captured_check"),
        CheckConstraint("released_minor >= 0", name="hold_resolutions_released_check"),
        CheckConstraint(
            "released_promo_minor BETWEEN 0 AND released_minor", name="hold_resolutions_released_promo_check"
        ),
        CheckConstraint("share_minor = 0 OR earner_id IS NOT NULL", name="hold_resolutions_earner_check"),
        CheckConstraint("share_minor BETWEEN 0 AND captured_minor", name="hold_resolutions_share_check"),
        CheckConstraint("reserve_minor BETWEEN 0 AND share_minor", name="hold_resolutions_reserve_check"),
        CheckConstraint("reserve_minor = 0 OR reserve_until IS NOT NULL", name="hold_resolutions_reserve_until_check"),
        SCHEMA,
    )

    hold_id: Mapped[UUID] = mapped_column(ForeignKey("billing.holds.id", name="hold_resolutions_hold_id_fkey"))
    outcome: Mapped[str] = mapped_column(Text)
    captured_minor: Mapped[int] = mapped_column(BigInteger)
    released_minor: Mapped[int] = mapped_column(BigInteger)
    released_promo_minor: Mapped[int] = mapped_column(BigInteger)
    earner_id: Mapped[UUID | None]
    share_minor: Mapped[int] = mapped_column(BigInteger)
    reserve_minor: Mapped[int] = mapped_column(BigInteger)
    reserve_until: Mapped[datetime | None] = mapped_column(INSTANT)
    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey(
            "billing.transactions.id",
            name="hold_resolutions_transaction_id_fkey",
            deferrable=True,
            initially="DEFERRED",
        )
    )
    resolved_at: Mapped[datetime] = mapped_column(INSTANT)


class ReserveLot(Model):
    """What is kept back of the share of one captured hold until a day; `closed_at` only says that it ended."""

    __tablename__ = "reserve_lots"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="reserve_lots_pkey"),
        CheckConstraint("amount_minor > 0", name="reserve_lots_amount_check"),
        Index("reserve_lots_open", "matures_at", "id", postgresql_where=text("closed_at IS NULL")),
        Index(
            "reserve_lots_of_account",
            "account_id",
            "currency",
            "matures_at",
            postgresql_include=["amount_minor"],
            postgresql_where=text("closed_at IS NULL"),
        ),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("billing.hold_resolutions.hold_id", name="reserve_lots_id_fkey"))
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    matures_at: Mapped[datetime] = mapped_column(INSTANT)
    closed_at: Mapped[datetime | None] = mapped_column(INSTANT)


class LotResolution(Model):
    """How a lot ended: what became payable and what was taken back."""

    __tablename__ = "lot_resolutions"
    __table_args__ = (
        PrimaryKeyConstraint("lot_id", name="lot_resolutions_pkey"),
        CheckConstraint("matured_minor >= 0", name="lot_resolutions_matured_check"),
        CheckConstraint("clawed_back_minor >= 0", name="lot_resolutions_clawed_back_check"),
        SCHEMA,
    )

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("billing.reserve_lots.id", name="lot_resolutions_lot_id_fkey"))
    matured_minor: Mapped[int] = mapped_column(BigInteger)
    clawed_back_minor: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("billing.transactions.id", name="lot_resolutions_transaction_id_fkey")
    )
    resolved_at: Mapped[datetime] = mapped_column(INSTANT)


class Refund(Model):
    """What went back of a captured hold, and where the earner's part of it was taken."""

    __tablename__ = "refunds"
    __table_args__ = (
        PrimaryKeyConstraint("transaction_id", name="refunds_pkey"),
        CheckConstraint("refunded_minor > 0", name="refunds_refunded_check"),
        CheckConstraint("promo_minor BETWEEN 0 AND refunded_minor", name="refunds_promo_check"),
        CheckConstraint(
            "least(from_reserve_minor, from_payable_minor, owed_minor) >= 0"
            " AND share_minor = from_reserve_minor + from_payable_minor + owed_minor",
            name="refunds_share_check",
        ),
        Index("refunds_hold_id", "hold_id"),
        SCHEMA,
    )

    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("billing.transactions.id", name="refunds_transaction_id_fkey")
    )  # fmt: skip
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("billing.hold_resolutions.hold_id", name="refunds_hold_id_fkey"))
    refunded_minor: Mapped[int] = mapped_column(BigInteger)
    promo_minor: Mapped[int] = mapped_column(BigInteger)
    share_minor: Mapped[int] = mapped_column(BigInteger)
    from_reserve_minor: Mapped[int] = mapped_column(BigInteger)
    from_payable_minor: Mapped[int] = mapped_column(BigInteger)
    owed_minor: Mapped[int] = mapped_column(BigInteger)


class Refusal(Model):
    """A key whose posting was refused, with why; the same request again gets the same answer."""

    __tablename__ = "refusals"
    __table_args__ = (PrimaryKeyConstraint("key", name="refusals_pkey"), SCHEMA)

    key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    actor: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(INSTANT)
