"""The rows of a dispute: the claim and its decision, the one appeal, the evidence files, and verdicts on clusters."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

Instant = DateTime(timezone=True)


class DisputeGroup(Model):
    """One verdict of an operator on many sales of a source; `key` is what was asked."""

    __tablename__ = "dispute_groups"
    __table_args__ = (UniqueConstraint("key", name="dispute_groups_key_key"), {"schema": "marketplace"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text)
    publisher_id: Mapped[UUID]
    asked: Mapped[Any] = mapped_column(JSONB)
    report: Mapped[Any] = mapped_column(JSONB)
    actor: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(Instant)


class Dispute(Model):
    """A buyer's claim that a lead was none; one a sale.

    `full_payout_minor` and `full_reserve_minor` are the sale's as they were when it was disputed; `credited_minor` is
    what the decision gives back to the buyer, `compensation_minor` what the platform paid the publisher instead. A
    late one was opened when the sale was settled. `fee_minor` is what the buyer pays if it is rejected; `watch_due`
    says that nobody has looked at the lead's source since something went back.
    """

    __tablename__ = "disputes"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'upheld', 'rejected', 'partial', 'repriced', 'appealed')",
                        name="disputes_state_check"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)"),
        CheckConstraint("paid_by IN ('publisher', 'platform')"),
        CheckConstraint("compensation_minor >= 0"),
        CheckConstraint("credited_minor >= 0", name="disputes_credited_check"),
        CheckConstraint("opened_by IN ('buyer', 'operator')"),
        CheckConstraint(
            "fee_minor >= 0 AND (fee_minor = 0) = (fee_state IS NULL)"
            " AND fee_state IN ('due', 'charged', 'waived', 'returned')",
            name="disputes_fee_check",
        ),
        UniqueConstraint("sale_id", name="disputes_sale_id_key"),
        Index("disputes_state_idx", "state", "id"),
        Index("disputes_buyer_id_idx", "buyer_id", "id"),
        Index("disputes_publisher_id_idx", "publisher_id", "id"),
        Index("disputes_bought_by_day_idx", "buyer_id", "opened_at"),
        Index("disputes_sold_by_day_idx", "publisher_id", "opened_at"),
        Index("disputes_watch_due_idx", "id", postgresql_where=text("watch_due")),
        Index("disputes_decided_idx", "buyer_id", "decided_at", postgresql_where=text("decided_at IS NOT NULL")),
        Index("disputes_opened_at_idx", "opened_at"),
        Index("disputes_decided_at_idx", "decided_at"),
        Index("disputes_group_id_idx", "group_id", postgresql_where=text("group_id IS NOT NULL")),
        {"schema": "marketplace"},
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sale_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.sales.id"))
    buyer_id: Mapped[UUID]
    publisher_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(Text)
    sub_reason: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    evidence: Mapped[Any] = mapped_column(JSONB)
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("marketplace.dispute_groups.id"))
    state: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    hear_until: Mapped[datetime] = mapped_column(Instant)
    decide_by: Mapped[datetime] = mapped_column(Instant)
    judged_at: Mapped[datetime | None] = mapped_column(Instant)
    heard_at: Mapped[datetime | None] = mapped_column(Instant)
    accepts: Mapped[bool | None]
    answer_note: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decision_note: Mapped[str | None] = mapped_column(Text)
    paid_by: Mapped[str | None] = mapped_column(Text)
    full_payout_minor: Mapped[int] = mapped_column(BigInteger)
    full_reserve_minor: Mapped[int] = mapped_column(BigInteger)
    credited_minor: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    compensation_minor: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    appeal_until: Mapped[datetime | None] = mapped_column(Instant)
    late: Mapped[bool] = mapped_column(Boolean, server_default="false", default=False)
    opened_by: Mapped[str] = mapped_column(Text, server_default="buyer", default="buyer")
    fee_minor: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    fee_state: Mapped[str | None] = mapped_column(Text)
    watch_due: Mapped[bool] = mapped_column(Boolean, server_default="false", default=False)


class Appeal(Model):
    """The one appeal of a dispute, by the side that lost; `against` is the decision's state."""

    __tablename__ = "appeals"
    __table_args__ = (
        CheckConstraint("side IN ('buyer', 'publisher')"),
        CheckConstraint("outcome IN ('stands', 'changed')"),
        CheckConstraint("(decided_at IS NULL) = (outcome IS NULL)"),
        Index("appeals_decide_by_idx", "decide_by", postgresql_where=text("decided_at IS NULL")),
        {"schema": "marketplace"},
    )

    dispute_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.disputes.id"), primary_key=True)
    side: Mapped[str] = mapped_column(Text)
    against: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    appealed_at: Mapped[datetime] = mapped_column(Instant)
    decide_by: Mapped[datetime] = mapped_column(Instant)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decision_note: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)


class EvidenceFile(Model):
    """A file that one side shows; its bytes lie in the data folder under this row's id."""

    __tablename__ = "evidence_files"
    __table_args__ = (
        CheckConstraint("side IN ('buyer', 'publisher')"),
        CheckConstraint("size_bytes > 0"),
        CheckConstraint("length(sha256) = 32"),
        Index("evidence_files_dispute_id_idx", "dispute_id", "id"),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dispute_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.disputes.id"))
    side: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    uploaded_by: Mapped[str] = mapped_column(Text)
    uploaded_at: Mapped[datetime] = mapped_column(Instant)
