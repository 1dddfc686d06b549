"""The lines of invoices and statements, which months were looked at, and how accounts are taxed, as mapped rows."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

SCHEMA = {"schema": "billing"}
INSTANT = DateTime(timezone=True)


class DocumentLine(Model):
    """One transaction on an invoice or a statement; `refers_to` is the number of an earlier document it corrects."""

    __tablename__ = "document_lines"
    __table_args__ = (
        PrimaryKeyConstraint("document_id", "line", name="document_lines_pkey"),
        UniqueConstraint("side", "account_id", "transaction_id", name="document_lines_once_key"),
        CheckConstraint(
            "line > 0 AND side IN ('invoice', 'statement') AND jsonb_typeof(label) = 'object'",
            name="document_lines_check",
        ),
        Index("document_lines_hold_id_idx", "hold_id"),
        SCHEMA,
    )

    document_id: Mapped[UUID] = mapped_column(
        ForeignKey("billing.documents.id", name="document_lines_document_id_fkey")
    )  # fmt: skip
    line: Mapped[int] = mapped_column(Integer, autoincrement=False)
    side: Mapped[str] = mapped_column(Text)
    account_id: Mapped[UUID]
    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("billing.transactions.id", name="document_lines_transaction_id_fkey")
    )
    kind: Mapped[str] = mapped_column(Text)
    hold_id: Mapped[UUID | None]
    occurred_at: Mapped[datetime] = mapped_column(INSTANT)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    promo_minor: Mapped[int] = mapped_column(BigInteger)
    payable_minor: Mapped[int] = mapped_column(BigInteger)
    reserve_minor: Mapped[int] = mapped_column(BigInteger)
    owed_minor: Mapped[int] = mapped_column(BigInteger)
    reserve_until: Mapped[datetime | None] = mapped_column(INSTANT)
    refers_to: Mapped[str | None] = mapped_column(Text)
    label: Mapped[Any] = mapped_column(JSONB)


class DocumentMonth(Model):
    """A month of an account that was looked at; without a document nothing had happened in it."""

    __tablename__ = "document_months"
    __table_args__ = (
        PrimaryKeyConstraint("side", "account_id", "currency", "period", name="document_months_pkey"),
        CheckConstraint(
            "side IN ('invoice', 'statement') AND extract(day FROM period) = 1", name="document_months_check"
        ),
        SCHEMA,
    )

    side: Mapped[str] = mapped_column(Text)
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    period: Mapped[date]
    document_id: Mapped[UUID | None] = mapped_column(
        ForeignKey(
            "billing.documents.id", name="document_months_document_id_fkey", deferrable=True, initially="DEFERRED"
        )
    )
    from_id: Mapped[UUID]
    looked_at: Mapped[datetime] = mapped_column(INSTANT)


class VatTerms(Model):
    """How what an account is supplied from a day on is taxed; of two that hold on a day the newer version counts."""

    __tablename__ = "vat_terms"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "version", name="vat_terms_pkey"),
        CheckConstraint(
            "version > 0 AND treatment IN ('rate', 'reverse_charge', 'none') AND length(vat_number) <= 40 "
            "AND length(reason) BETWEEN 1 AND 200 AND (treatment = 'rate') = (rate_bp > 0) "
            "AND rate_bp BETWEEN 0 AND 5000 AND (treatment = 'none' OR country ~ '^[A-Z]{2}$') "
            "AND (treatment <> 'reverse_charge' OR vat_number <> '')",
            name="vat_terms_check",
        ),
        SCHEMA,
    )

    account_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(Integer, autoincrement=False)
    treatment: Mapped[str] = mapped_column(Text)
    country: Mapped[str] = mapped_column(Text)
    vat_number: Mapped[str] = mapped_column(Text)
    rate_bp: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    said_at: Mapped[datetime] = mapped_column(INSTANT)
    valid_from: Mapped[date]


class DocumentPrint(Model):
    """The print of a long document: asked for, and its bytes once a job has made them."""

    __tablename__ = "document_prints"
    __table_args__ = (
        PrimaryKeyConstraint("document_id", name="document_prints_pkey"),
        CheckConstraint("(content IS NULL) = (printed_at IS NULL)", name="document_prints_check"),
        SCHEMA,
    )

    document_id: Mapped[UUID] = mapped_column(
        ForeignKey(
            "billing.documents.id", name="document_prints_document_id_fkey", deferrable=True, initially="DEFERRED"
        )
    )
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    asked_at: Mapped[datetime] = mapped_column(INSTANT)
    printed_at: Mapped[datetime | None] = mapped_column(INSTANT)
