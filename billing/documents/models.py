"""Documents, their numbers, and whom they name, as mapped rows."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

SCHEMA = {"schema": "billing"}
INSTANT = DateTime(timezone=True)
MARKS = {"receipt": "RC", "credit_note": "CN", "invoice": "IN", "statement": "ST"}


class DocumentCounter(Model):
    """The last number given of a kind in a year."""

    __tablename__ = "document_counters"
    __table_args__ = (PrimaryKeyConstraint("kind", "year", name="document_counters_pkey"), SCHEMA)

    kind: Mapped[str] = mapped_column(Text)
    year: Mapped[int]
    last: Mapped[int] = mapped_column(BigInteger)


class Document(Model):
    """A paper about one transaction or one month; `number` is given at the commit.

    `about_id` is the top-up or the order back; of an invoice or statement it is the document itself, and its
    transaction books the tax, if there is any.
    """

    __tablename__ = "documents"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="documents_pkey"),
        UniqueConstraint("transaction_id", name="documents_transaction_id_key"),
        UniqueConstraint("kind", "year", "number", name="documents_number_key"),
        CheckConstraint(
            "year BETWEEN 2000 AND 9999 AND number > 0 AND length(currency) = 3 AND jsonb_typeof(content) = 'object' "
            "AND CASE WHEN kind IN ('receipt', 'credit_note') "
            "THEN amount_minor > 0 AND transaction_id IS NOT NULL AND period IS NULL "
            "WHEN kind IN ('invoice', 'statement') THEN period IS NOT NULL AND extract(day FROM period) = 1 "
            "ELSE false END",
            name="documents_check",
        ),
        Index("documents_account_id_idx", "account_id", "id"),
        Index("documents_about_id_idx", "about_id"),
        Index("documents_month_idx", "kind", "account_id", "currency", "period", unique=True,
              postgresql_where=text("period IS NOT NULL")),
        SCHEMA,
    )  # fmt: skip

    id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    year: Mapped[int]
    number: Mapped[int | None] = mapped_column(BigInteger)
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    about_id: Mapped[UUID]
    transaction_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("billing.transactions.id", name="documents_transaction_id_fkey")
    )
    period: Mapped[date | None]
    content: Mapped[Any] = mapped_column(JSONB)
    issued_at: Mapped[datetime] = mapped_column(INSTANT)

    @property
    def shown_number(self) -> str:
        """Return the number as people write it: RC-2026-000001."""
        return f"{MARKS[self.kind]}-{self.year}-{self.number or 0:06}"


class BillingDetails(Model):
    """Whom an account's documents name; empty where nothing was said."""

    __tablename__ = "billing_details"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", name="billing_details_pkey"),
        CheckConstraint(
            "length(name) BETWEEN 1 AND 200 AND length(address) <= 500 AND length(vat_id) <= 40",
            name="billing_details_check",
        ),
        SCHEMA,
    )

    account_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    vat_id: Mapped[str] = mapped_column(Text)
    said_by: Mapped[str] = mapped_column(Text)
    said_at: Mapped[datetime] = mapped_column(INSTANT)
