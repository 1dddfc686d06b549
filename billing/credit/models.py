"""Credit as mapped rows, for reading: lines in their versions, debts, what holds drew, and payments of debts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

SCHEMA = {"schema": "billing"}
INSTANT = DateTime(timezone=True)
OPEN = text("paid_minor < amount_minor")
_WALLET = ("billing.wallets.account_id", "billing.wallets.currency")


class CreditLine(Model):
    """What a wallet may draw and in how many days that falls due, as somebody said it once; the newest counts."""

    __tablename__ = "credit_lines"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "currency", "version", name="credit_lines_pkey"),
        ForeignKeyConstraint(("account_id", "currency"), _WALLET, name="credit_lines_wallet_fkey"),
        CheckConstraint(
            "limit_minor BETWEEN 0 AND 100000000000 AND days IN (7, 15, 30) AND version > 0 AND usual_minor >= 0 "
            "AND length(reason) BETWEEN 1 AND 200",
            name="credit_lines_check",
        ),
        SCHEMA,
    )

    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    limit_minor: Mapped[int] = mapped_column(BigInteger)
    days: Mapped[int] = mapped_column(SmallInteger)
    usual_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(INSTANT)


class Debt(Model):
    """What a wallet owes since when and until when: the draws that fall due together, or one charge."""

    __tablename__ = "debts"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="debts_pkey"),
        ForeignKeyConstraint(("account_id", "currency"), _WALLET, name="debts_wallet_fkey"),
        CheckConstraint(
            "kind IN ('draw', 'charge') AND amount_minor > 0 AND paid_minor BETWEEN 0 AND amount_minor "
            "AND payments >= 0",
            name="debts_check",
        ),
        Index(
            "debts_of_draws", "account_id", "currency", "due_at", unique=True, postgresql_where=text("kind = 'draw'")
        ),
        Index("debts_open", "due_at", "id", postgresql_where=OPEN),
        Index("debts_owner", "account_id", "currency", "due_at", "id"),
        SCHEMA,
    )

    id: Mapped[UUID]
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    paid_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    payments: Mapped[int] = mapped_column(server_default=text("0"))
    due_at: Mapped[datetime] = mapped_column(INSTANT)
    made_at: Mapped[datetime] = mapped_column(INSTANT)


class Draw(Model):
    """What of a hold was paid from credit."""

    __tablename__ = "draws"
    __table_args__ = (
        PrimaryKeyConstraint("hold_id", name="draws_pkey"),
        CheckConstraint("amount_minor > 0", name="draws_amount_check"),
        UniqueConstraint("transaction_id", name="draws_transaction_id_key"),
        Index("draws_debt_id", "debt_id"),
        Index("draws_owner", "account_id", "currency", "transaction_id"),
        SCHEMA,
    )

    hold_id: Mapped[UUID]
    debt_id: Mapped[UUID] = mapped_column(ForeignKey("billing.debts.id", name="draws_debt_id_fkey"))
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("billing.transactions.id", name="draws_transaction_id_fkey")
    )  # fmt: skip


class DebtPayment(Model):
    """What was paid of a debt, the debt's first payment being number 1."""

    __tablename__ = "debt_payments"
    __table_args__ = (
        PrimaryKeyConstraint("debt_id", "number", name="debt_payments_pkey"),
        CheckConstraint("amount_minor > 0", name="debt_payments_amount_check"),
        UniqueConstraint("transaction_id", name="debt_payments_transaction_id_key"),
        Index("debt_payments_owner", "account_id", "currency", "transaction_id"),
        SCHEMA,
    )

    debt_id: Mapped[UUID] = mapped_column(ForeignKey("billing.debts.id", name="debt_payments_debt_id_fkey"))
    number: Mapped[int]
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("billing.transactions.id", name="debt_payments_transaction_id_fkey")
    )  # fmt: skip
    paid_at: Mapped[datetime] = mapped_column(INSTANT)
