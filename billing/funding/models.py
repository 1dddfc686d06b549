"""Money in by card as mapped rows: top-ups, calls to the processor, its news and movements, refunds, chargebacks."""

from datetime import datetime
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
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

SCHEMA = {"schema": "billing"}
INSTANT = DateTime(timezone=True)


class CardCustomer(Model):
    """Which customer at the card processor an account became with its first payment."""

    __tablename__ = "card_customers"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", name="card_customers_pkey"),
        UniqueConstraint("customer_id", name="card_customers_customer_id_key"),
        SCHEMA,
    )

    account_id: Mapped[UUID]
    customer_id: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[datetime] = mapped_column(INSTANT)


class TopUp(Model):
    """Money that somebody wants to pay in by card, and what became of it.

    `opening`, `open`, then one of `paid`, `expired`, `refused`, or `set_aside`: paid, but not as it was asked for.
    """

    __tablename__ = "top_ups"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="top_ups_pkey"),
        CheckConstraint(
            "amount_minor > 0 AND length(currency) = 3 AND state IN ('opening', 'open', 'paid', 'expired', "
            "'refused', 'set_aside') AND (state IN ('opening', 'open')) = (ended_at IS NULL) AND (state = "
            "'open') <= (session_id IS NOT NULL) AND (state IN ('paid', 'set_aside')) <= (payment_id IS NOT "
            "NULL)",
            name="top_ups_check",
        ),
        CheckConstraint(
            "declined_as IS NULL OR (declined_as IN ('declined', 'authentication') AND state = 'refused' AND "
            "card_id IS NOT NULL)",
            name="top_ups_declined_check",
        ),
        UniqueConstraint("session_id", name="top_ups_session_id_key"),
        UniqueConstraint("payment_id", name="top_ups_payment_id_key"),
        Index("top_ups_declined_idx", "account_id", "ended_at", postgresql_where=text("declined_as IS NOT NULL")),
        Index("top_ups_account_id_idx", "account_id", "opened_at"),
        Index("top_ups_open_idx", "opened_at", postgresql_where=text("state IN ('opening', 'open')")),
        Index("top_ups_set_aside_idx", "ended_at", postgresql_where=text("state = 'set_aside'")),
        Index(
            "top_ups_one_recharge",
            "account_id",
            "currency",
            unique=True,
            postgresql_where=text("card_id IS NOT NULL AND state = 'opening'"),
        ),
        SCHEMA,
    )

    id: Mapped[UUID]
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, server_default="opening")
    session_id: Mapped[str | None] = mapped_column(Text)
    checkout_url: Mapped[str | None] = mapped_column(Text)
    payment_id: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    # The saved card that is charged without its owner; none for a payment page.
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey("billing.saved_cards.id", name="top_ups_card_id_fkey"))
    # What its bank said to a charge that took nothing: `declined`, or that it wants its customer, `authentication`.
    declined_as: Mapped[str | None] = mapped_column(Text)


class CardCall(Model):
    """A call to the processor under its key; `sent` is without an outcome that we know of, `lost` given up."""

    __tablename__ = "card_calls"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="card_calls_pkey"),
        CheckConstraint(
            "verb IN ('open_checkout', 'send_back', 'open_card_page', 'forget_card', 'charge_card') AND state IN "
            "('due', 'sent', 'done', 'refused', 'lost') AND (state IN ('due', 'sent')) = (ended_at IS NULL) AND "
            "(state = 'due') <= (sent_at IS NULL) AND (sent_at IS NULL) <= (state IN ('due', 'refused'))",
            name="card_calls_check",
        ),
        UniqueConstraint("idempotency_key", name="card_calls_idempotency_key_key"),
        Index("card_calls_open_idx", "next_attempt_at", postgresql_where=text("state IN ('due', 'sent')")),
        Index("card_calls_subject_id_idx", "subject_id"),
        SCHEMA,
    )

    id: Mapped[UUID]
    verb: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID]
    idempotency_key: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, server_default="due")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    made_at: Mapped[datetime] = mapped_column(INSTANT)
    sent_at: Mapped[datetime | None] = mapped_column(INSTANT)
    next_attempt_at: Mapped[datetime] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    object_id: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)


class CardNews(Model):
    """One event of the processor as it came, and what its handling came to."""

    __tablename__ = "card_news"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="card_news_pkey"),
        CheckConstraint(
            "via IN ('webhook', 'poll') AND (handled_at IS NULL) = (outcome IS NULL)",
            name="card_news_check",
        ),
        CheckConstraint("raw IS NOT NULL OR handled_at IS NOT NULL", name="card_news_raw_check"),
        Index("card_news_raw_idx", "handled_at", postgresql_where=text("raw IS NOT NULL AND handled_at IS NOT NULL")),
        Index("card_news_unhandled_idx", "received_at", postgresql_where=text("handled_at IS NULL")),
        Index("card_news_created_at_idx", "created_at"),
        SCHEMA,
    )

    id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    about: Mapped[str] = mapped_column(Text)
    object_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    received_at: Mapped[datetime] = mapped_column(INSTANT)
    via: Mapped[str] = mapped_column(Text)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)  # erased some time after it was handled
    handled_at: Mapped[datetime | None] = mapped_column(INSTANT)
    outcome: Mapped[str | None] = mapped_column(Text)
    misses: Mapped[int] = mapped_column(server_default=text("0"))


class BalanceTransaction(Model):
    """One movement of our balance at the processor, and the transaction that books it, if it moved anything."""

    __tablename__ = "balance_transactions"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="balance_transactions_pkey"),
        CheckConstraint(
            "net_minor = amount_minor - fee_minor AND (transaction_id IS NOT NULL) <= (booked_as IS NOT NULL)",
            name="balance_transactions_check",
        ),
        UniqueConstraint("transaction_id", name="balance_transactions_transaction_id_key"),
        Index("balance_transactions_created_at_idx", "created_at", "id"),
        Index("balance_transactions_about_id_idx", "about_id"),
        Index("balance_transactions_unbooked_idx", "misses", "created_at", postgresql_where=text("booked_as IS NULL")),
        SCHEMA,
    )

    id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    source_id: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    seen_at: Mapped[datetime] = mapped_column(INSTANT)
    booked_as: Mapped[str | None] = mapped_column(Text)
    about_id: Mapped[str | None] = mapped_column(Text)  # the payment, refund part or chargeback that it belongs to
    transaction_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("billing.transactions.id", name="balance_transactions_transaction_id_fkey")
    )
    misses: Mapped[int] = mapped_column(server_default=text("0"))


class CardLook(Model):
    """Up to when one of the processor's lists was read whole, and when it was last read far back."""

    __tablename__ = "card_looks"
    __table_args__ = (
        PrimaryKeyConstraint("what", name="card_looks_pkey"),
        CheckConstraint("what IN ('news', 'movements', 'open')", name="card_looks_check"),
        SCHEMA,
    )

    what: Mapped[str] = mapped_column(Text)
    seen_to: Mapped[datetime] = mapped_column(INSTANT)
    deep_at: Mapped[datetime] = mapped_column(INSTANT)


class CardBalance(Model):
    """What the processor last said of our balance, and how that differed from the movements that we knew then."""

    __tablename__ = "card_balances"
    __table_args__ = (PrimaryKeyConstraint("currency", name="card_balances_pkey"), SCHEMA)

    currency: Mapped[str] = mapped_column(Text)
    told_minor: Mapped[int] = mapped_column(BigInteger)
    difference_minor: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime] = mapped_column(INSTANT)


class GiveBack(Model):
    """Unused money that its owner wants back; it goes in parts to the cards that it came from."""

    __tablename__ = "give_backs"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="give_backs_pkey"),
        CheckConstraint(
            "amount_minor > 0",
            name="give_backs_check",
        ),
        Index("give_backs_account_id_idx", "account_id", "ordered_at"),
        SCHEMA,
    )

    id: Mapped[UUID]
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str] = mapped_column(Text)
    ordered_at: Mapped[datetime] = mapped_column(INSTANT)


class GiveBackPart(Model):
    """What goes back of one payment: `in_flight`, then `sent` or `failed`; a sent one may fail later."""

    __tablename__ = "give_back_parts"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="give_back_parts_pkey"),
        CheckConstraint(
            "amount_minor > 0 AND state IN ('in_flight', 'sent', 'failed') AND (state = 'in_flight') = "
            "(ended_at IS NULL)",
            name="give_back_parts_check",
        ),
        UniqueConstraint("refund_id", name="give_back_parts_refund_id_key"),
        Index("give_back_parts_give_back_id_idx", "give_back_id"),
        Index("give_back_parts_top_up_id_idx", "top_up_id"),
        SCHEMA,
    )

    id: Mapped[UUID]
    give_back_id: Mapped[UUID] = mapped_column(
        ForeignKey("billing.give_backs.id", name="give_back_parts_give_back_id_fkey")
    )
    top_up_id: Mapped[UUID] = mapped_column(ForeignKey("billing.top_ups.id", name="give_back_parts_top_up_id_fkey"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, server_default="in_flight")
    refund_id: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)


class Chargeback(Model):
    """A payment that its card's owner took back through the bank; `frozen_minor` is what of it was still there."""

    __tablename__ = "chargebacks"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="chargebacks_pkey"),
        CheckConstraint(
            "amount_minor > 0 AND frozen_minor BETWEEN 0 AND amount_minor AND state IN ('announced', "
            "'withdrawn', 'won', 'lost') AND (state IN ('won', 'lost')) = (ended_at IS NOT NULL)",
            name="chargebacks_check",
        ),
        Index("chargebacks_account_id_idx", "account_id"),
        SCHEMA,
    )

    id: Mapped[str] = mapped_column(Text)
    top_up_id: Mapped[UUID] = mapped_column(ForeignKey("billing.top_ups.id", name="chargebacks_top_up_id_fkey"))
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    frozen_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    state: Mapped[str] = mapped_column(Text, server_default="announced")
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
