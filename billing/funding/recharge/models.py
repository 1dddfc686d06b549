"""Saved cards, the pages on which they are saved, settings of automatic top-ups, their log, and the pace of wallets."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from billing.models import INSTANT, SCHEMA
from core.db import Model


class SavedCard(Model):
    """A card that may be charged without its owner, until it is removed."""

    __tablename__ = "saved_cards"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="saved_cards_pkey"),
        UniqueConstraint("method_id", name="saved_cards_method_id_key"),
        CheckConstraint(
            "exp_month BETWEEN 1 AND 12 AND (removed_at IS NULL) = (removed_by IS NULL)", name="saved_cards_check"
        ),
        Index("saved_cards_account_id_idx", "account_id", postgresql_where=text("removed_at IS NULL")),
        SCHEMA,
    )

    id: Mapped[UUID]
    account_id: Mapped[UUID]
    customer_id: Mapped[str] = mapped_column(Text)
    method_id: Mapped[str] = mapped_column(Text)
    brand: Mapped[str] = mapped_column(Text)
    last4: Mapped[str] = mapped_column(Text)
    exp_month: Mapped[int]
    exp_year: Mapped[int]
    saved_at: Mapped[datetime] = mapped_column(INSTANT)
    removed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    removed_by: Mapped[str | None] = mapped_column(Text)
    fingerprint: Mapped[str | None] = mapped_column(Text)  # the same for the same card, however often it is saved

    @property
    def name(self) -> str:
        """Return what its owner knows it by: "Visa •• 4242"."""
        return f"{self.brand.replace('_', ' ').title()} •• {self.last4}"


class CardPage(Model):
    """A page on which a card is saved: `opening`, `open`, then `saved`, `expired` or `refused`."""

    __tablename__ = "card_pages"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="card_pages_pkey"),
        CheckConstraint(
            "state IN ('opening', 'open', 'saved', 'expired', 'refused') AND (state IN ('opening', 'open')) = "
            "(ended_at IS NULL) AND (state = 'open') <= (session_id IS NOT NULL) AND (state = 'saved') = "
            "(card_id IS NOT NULL)",
            name="card_pages_check",
        ),
        UniqueConstraint("session_id", name="card_pages_session_id_key"),
        Index("card_pages_account_id_idx", "account_id", "opened_at"),
        Index("card_pages_open_idx", "opened_at", postgresql_where=text("state IN ('opening', 'open')")),
        SCHEMA,
    )

    id: Mapped[UUID]
    account_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(Text, server_default="opening")
    session_id: Mapped[str | None] = mapped_column(Text)
    page_url: Mapped[str | None] = mapped_column(Text)
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey("billing.saved_cards.id", name="card_pages_card_id_fkey"))
    why: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)


class Recharge(Model):
    """When and by how much a wallet tops itself up, what its card's bank wants, and what was last told of it.

    `resumed_after` is the declined charge after which its owner wanted the card to be tried once more all the same.
    """

    __tablename__ = "recharges"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "currency", name="recharges_pkey"),
        CheckConstraint(
            "length(currency) = 3 AND threshold_minor > 0 AND amount_minor > 0 AND target_minor > 0 AND (amount_minor "
            "IS NULL OR target_minor IS NULL) AND coalesce(target_minor > threshold_minor, true) AND "
            "daily_most_minor > 0 AND version > 0 AND asked_minor > 0",
            name="recharges_check",
        ),
        Index("recharges_on_idx", "account_id", "currency", postgresql_where=text("is_on")),
        SCHEMA,
    )

    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    is_on: Mapped[bool]
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey("billing.saved_cards.id", name="recharges_card_id_fkey"))
    threshold_minor: Mapped[int | None] = mapped_column(BigInteger)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    target_minor: Mapped[int | None] = mapped_column(BigInteger)
    daily_most_minor: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int]
    asked_minor: Mapped[int | None] = mapped_column(BigInteger)
    resumed_after: Mapped[UUID | None] = mapped_column(
        ForeignKey("billing.top_ups.id", name="recharges_resumed_after_fkey")
    )
    last_code: Mapped[str] = mapped_column(Text, server_default="")
    actor: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(INSTANT)


class RechargeNote(Model):
    """One thing that became of an automatic top-up, with its reason; it is only added to."""

    __tablename__ = "recharge_log"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="recharge_log_pkey"),
        Index("recharge_log_account_id_idx", "account_id", "currency", "id"),
        SCHEMA,
    )

    id: Mapped[UUID]
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(INSTANT)
    code: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    top_up_id: Mapped[UUID | None] = mapped_column(ForeignKey("billing.top_ups.id", name="recharge_log_top_up_id_fkey"))
    says: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)


class WalletPace(Model):
    """What a wallet spends a day, as it was counted lately, and since when it is too low for that."""

    __tablename__ = "wallet_paces"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "currency", name="wallet_paces_pkey"),
        CheckConstraint("daily_minor >= 0", name="wallet_paces_check"),
        SCHEMA,
    )

    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    daily_minor: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[datetime] = mapped_column(INSTANT)
    low_since: Mapped[datetime | None] = mapped_column(INSTANT)
