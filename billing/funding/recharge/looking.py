"""How a wallet stands for its automatic top-up, as the round decides and as its owner reads it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select

from billing.credit.debts import owing_of
from billing.funding.models import Chargeback, TopUp
from billing.funding.recharge.deciding import (
    Decision,
    Pace,
    Pause,
    Standing,
    Terms,
    after_decline,
    decide,
    threshold_of,
    wanted,
)
from billing.funding.recharge.models import Recharge, SavedCard, WalletPace
from billing.funding.recharge.payer import card_for, cards_of
from billing.funding.recharge.tries import Tries, tries_of
from billing.funding.top_ups import newcomer_left
from billing.wallets import wallet_of
from core.db import db
from core.identity import get_account
from core.overrides import overrides

CHARGED = ("opening", "paid", "set_aside")  # what may be, or was, taken from the card


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would be done now, and all that this follows from; `card` is the one of `cards` that is charged."""

    terms: Terms
    pace: Pace
    standing: Standing
    decision: Decision
    card: SavedCard | None
    cards: list[SavedCard]

    @property
    def threshold_minor(self) -> int:
        """Return below how much is topped up."""
        return threshold_of(self.terms, self.pace)

    @property
    def next_minor(self) -> int:
        """Return what would be charged at the threshold, were there no limits."""
        return wanted(self.terms, self.pace, self.threshold_minor)

    @property
    def is_held_up(self) -> bool:
        """Tell whether declines or a bank's question keep the card from being charged."""
        return self.standing.paused_why is not None or self.standing.not_before is not None


def terms_of(row: Recharge) -> Terms:
    """Return what the owner wants."""
    return Terms(row.is_on, row.threshold_minor, row.amount_minor, row.target_minor, row.daily_most_minor)


def pace_of(account_id: UUID, currency: str) -> Pace:
    """Return what a wallet spends a day, as it was last counted."""
    row = db.session.get(WalletPace, (account_id, currency), populate_existing=True)
    below, to = overrides().setting("wallet.recharge_below_days"), overrides().setting("wallet.recharge_to_days")
    return Pace(row.daily_minor if row else 0, below, to)


def look(row: Recharge, at: datetime) -> Outlook:
    """Judge a wallet as it stands now."""
    cards = cards_of(row.account_id)
    card = card_for(row, cards)
    terms, pace, standing = terms_of(row), pace_of(row.account_id, row.currency), _standing(row, card, at)
    return Outlook(terms, pace, standing, decide(terms, pace, standing, at), card, cards)


def charged_today(account_id: UUID, currency: str, at: datetime) -> tuple[int, int, bool, bool]:
    """Sum what automatic top-ups took, or may be taking, since midnight UTC, and count them.

    With it, whether one is under way, and whether the account has a chargeback that it has not won.
    """
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    is_todays, flies = (TopUp.opened_at >= midnight) & TopUp.state.in_(CHARGED), TopUp.state == "opening"
    taken_back = select(Chargeback.id).where(Chargeback.account_id == account_id, Chargeback.state != "won")
    query = select(
        func.sum(TopUp.amount_minor).filter(is_todays), func.count().filter(is_todays), func.count().filter(flies),
        taken_back.exists(),
    ).where(
        TopUp.account_id == account_id, TopUp.currency == currency, TopUp.card_id.is_not(None),
        (TopUp.opened_at >= midnight) | flies,
    )  # fmt: skip
    taken, charges, flying, has_chargeback = db.session.execute(query).one()
    return int(taken or 0), charges, flying > 0, has_chargeback


def _standing(row: Recharge, card: SavedCard | None, at: datetime) -> Standing:
    account_id, currency = row.account_id, row.currency
    wallet = wallet_of(account_id, currency)
    charged_minor, charges, is_in_flight, has_chargeback = charged_today(account_id, currency, at)
    tries = tries_of(account_id, card, at)
    paused_why, not_before = _held_up(row, tries, at)
    return Standing(
        spendable_minor=wallet.available.minor + wallet.promo.minor,
        due_minor=owing_of([account_id], currency, at)[account_id].due.minor,
        charged_today_minor=charged_minor,
        charges_today=charges,
        tries_left=tries.left,
        most_minor=overrides().setting("wallet.top_up_most_minor"),
        newcomer_left_minor=newcomer_left(account_id, get_account(account_id).registered_at, at),
        is_suspended=wallet.suspended_at is not None,
        has_chargeback=has_chargeback,
        is_in_flight=is_in_flight,
        has_card=card is not None,
        is_card_expired=card is not None and (card.exp_year, card.exp_month) < (at.year, at.month),
        paused_why=paused_why,
        not_before=not_before,
    )


def _held_up(row: Recharge, tries: Tries, at: datetime) -> tuple[Pause | None, datetime | None]:
    """Return why a card is not charged until its owner does something, and until when it is left alone otherwise."""
    if row.asked_minor is not None:
        return "authentication", None
    if tries.last_at is None or tries.last_id == row.resumed_after:
        return None, None
    not_before = after_decline(tries.declines, tries.last_at)
    if not_before is None:
        return "declined", None
    return None, (not_before if at < not_before else None)
