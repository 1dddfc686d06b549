"""An owner's choice: automatic top-up of one wallet, changed under an optimistic lock, resumed, and read."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from billing.currencies import CURRENCIES
from billing.funding.models import GiveBack, TopUp
from billing.funding.recharge.charging import withdraw_charges
from billing.funding.recharge.deciding import Terms
from billing.funding.recharge.looking import Outlook, look, terms_of
from billing.funding.recharge.models import Recharge
from billing.funding.recharge.pauses import note, resume_after_tries, resume_if_free
from billing.funding.recharge.payer import cards_of, lock_payer
from billing.funding.recharge.terms import Limits, Wish, read_terms
from billing.funding.top_ups import is_newcomer
from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.identity import get_account
from core.overrides import overrides

AFTER_REFUND = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Choice:
    """One wallet's automatic top-up: what is wanted, at which version, how it stands."""

    currency: str
    version: int
    card_id: UUID | None
    paused_why: str | None
    asked_minor: int | None
    not_before: datetime | None
    outlook: Outlook


def choose_recharge(
    account_id: UUID, currency: str, wish: Wish, card_id: UUID | None, actor: str, at: datetime,
    if_version: int | None = None,
) -> Choice:  # fmt: skip
    """Say when and by how much a wallet tops itself up, from the commit on.

    Invalid with every fault; Conflict `version_changed` when it is not the version that the caller has seen, 0 being
    what was never said. Another card is charged whatever the one before was declined for.
    """
    demand_currency(currency)
    lock_payer(account_id)
    row = _row(account_id, currency, at, lock=True)
    if if_version is not None and if_version != (row.version or 0):
        raise Conflict("version_changed", f"It is at version {row.version or 0} by now; read it and try again.")
    _take(row, _accepted(account_id, currency, wish, card_id, at), card_id, actor, at)
    return _choice(row, at)


def resume_recharge(account_id: UUID, currency: str, actor: str, at: datetime) -> Choice:
    """Have a card that was declined be tried once more; nothing changes where nothing is paused.

    Its declines are not forgotten, and `card.tries_a_day` of an account's cards are the most all the same.
    """
    lock_payer(account_id)
    row = db.session.get(Recharge, (account_id, currency), with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(detail="This wallet has no automatic top-up.")
    if look(row, at).is_held_up:
        resume_after_tries(row, "Resumed by hand.", actor, at)
    return _choice(row, at)


def recharge_of(account_id: UUID, currency: str, at: datetime) -> Choice:
    """Return a wallet's automatic top-up, off and at version 0 when none was ever said."""
    demand_currency(currency)
    return _choice(_row(account_id, currency, at), at)


def recharges_of(account_id: UUID, at: datetime) -> list[Choice]:
    """Return the automatic top-ups of an account's wallets."""
    query = select(Recharge).where(Recharge.account_id == account_id).order_by(Recharge.currency)
    return [_choice(row, at) for row in db.session.scalars(query)]


def demand_currency(currency: str) -> None:
    """NotFound for a currency in which nobody pays by card."""
    if currency not in CURRENCIES:
        raise NotFound(detail=f"Wallets are topped up by card in {', '.join(CURRENCIES)}.")


def _row(account_id: UUID, currency: str, at: datetime, *, lock: bool = False) -> Recharge:
    row = db.session.get(Recharge, (account_id, currency), with_for_update=lock, populate_existing=True)
    if row is not None:
        return row
    return Recharge(account_id=account_id, currency=currency, is_on=False, version=0, last_code="",
                    daily_most_minor=overrides().setting("card.new_day_minor"), actor="", changed_at=at)  # fmt: skip


def _accepted(account_id: UUID, currency: str, wish: Wish, card_id: UUID | None, at: datetime) -> Terms:
    newcomer = (
        overrides().setting("card.new_day_minor") if is_newcomer(get_account(account_id).registered_at, at) else None
    )
    terms, faults = read_terms(wish, currency, Limits(overrides().setting("wallet.top_up_most_minor"), newcomer))
    if card_id is not None and card_id not in [card.id for card in cards_of(account_id)]:
        faults.append(Fault("card", "unknown_card", "Choose one of the saved cards."))
    if wish.is_on and not cards_of(account_id):
        faults.append(Fault("card", "no_saved_card", "Save a card first."))
    again_at = _after_refund(account_id, currency, at) if wish.is_on else None
    if again_at is not None:
        says = f"Money was sent back to a card. Switch it on from {again_at:%Y-%m-%d %H:%M} UTC on."
        faults.append(Fault("on", "refunded_lately", says))
    if terms is None or faults:
        raise Invalid("invalid_recharge", "Automatic top-up cannot work so.", faults)
    return terms


def _take(row: Recharge, terms: Terms, card_id: UUID | None, actor: str, at: datetime) -> None:
    if row.version and (terms_of(row), row.card_id) == (terms, card_id):
        return
    was_held_up = bool(row.version) and card_id != row.card_id and look(row, at).is_held_up
    row.is_on, row.threshold_minor, row.amount_minor = terms.is_on, terms.threshold_minor, terms.amount_minor
    row.target_minor, row.daily_most_minor, row.card_id = terms.target_minor, terms.daily_most_minor, card_id
    row.version, row.last_code, row.actor, row.changed_at = row.version + 1, "", actor, at
    row.asked_minor = None if was_held_up else row.asked_minor
    db.session.add(row)
    db.session.flush()
    note(row, "changed" if terms.is_on else "switched_off", "Changed." if terms.is_on else "Switched off.", actor, at)
    if not terms.is_on:
        withdraw_charges(TopUp.account_id == row.account_id, TopUp.currency == row.currency, code="off", at=at)
    resume_if_free(row, was_held_up, "Another card was chosen.", actor, at)


def switch_off_for_refund(account_id: UUID, currency: str, actor: str, at: datetime) -> bool:
    """Switch a wallet's automatic top-up off, since its owner takes money out of it; false where it was not on.

    Else money would go round between card and wallet, and each round costs the exchange the processor's fee. Under the
    payer's lock.
    """
    row = db.session.get(Recharge, (account_id, currency), with_for_update=True, populate_existing=True)
    if row is None or not row.is_on:
        return False
    row.is_on, row.version, row.last_code, row.actor, row.changed_at = False, row.version + 1, "", actor, at
    db.session.flush()
    note(row, "switched_off", "Switched off, as money was sent back to a card.", actor, at)
    withdraw_charges(TopUp.account_id == account_id, TopUp.currency == currency, code="refunded", at=at)
    return True


def _after_refund(account_id: UUID, currency: str, at: datetime) -> datetime | None:
    """Return when a wallet that money was taken out of may top itself up again; None when it may now."""
    query = select(func.max(GiveBack.ordered_at)).where(
        GiveBack.account_id == account_id, GiveBack.currency == currency, GiveBack.ordered_at > at - AFTER_REFUND
    )
    ordered_at: datetime | None = db.session.scalar(query)
    return ordered_at.astimezone(UTC) + AFTER_REFUND if ordered_at is not None else None


def _choice(row: Recharge, at: datetime) -> Choice:
    seen = look(row, at)
    standing = seen.standing
    return Choice(
        row.currency, row.version, row.card_id, standing.paused_why, row.asked_minor, standing.not_before, seen
    )


def last_recharges(account_id: UUID, currency: str, most: int = 10) -> list[TopUp]:
    """Return the newest automatic top-ups of a wallet."""
    query = select(TopUp).where(TopUp.account_id == account_id, TopUp.currency == currency, TopUp.card_id.is_not(None))
    return list(db.session.scalars(query.order_by(TopUp.opened_at.desc(), TopUp.id.desc()).limit(most)))
