"""Money that the bank took back, charged to the wallet that had it: what is available, and the rest is owed at once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from billing.bank.models import ProForma, SuspenseMove
from billing.documents.issuing import Paid, issue_credit_note
from billing.documents.models import Document
from billing.ledger import AVAILABLE, OWED_BY_WALLET, SUSPENSE, Line, post
from billing.models import Wallet
from core.db import db
from core.errors import Fault, Invalid
from core.money import Money

METHOD = "taken_back"  # as documents name it
_BY_TRANSFER = ("bank", "assigned")


def demand_had(account_id: UUID, money: Money) -> None:
    """Refuse to charge a wallet more than came into it by transfer and was not charged already; locks the wallet.

    Invalid `invalid_suspense_move` at the account.
    """
    wallet = select(Wallet.account_id).where(Wallet.account_id == account_id, Wallet.currency == money.currency)
    db.session.execute(wallet.with_for_update())
    had = Money(_had(account_id, money.currency), money.currency)
    if had.minor < money.minor:
        says = (
            f"Choose the wallet that had it: into this one came {had} {had.currency} by transfer that is not charged."
        )
        raise Invalid("invalid_suspense_move", "Nothing was moved.", [Fault("account", "never_had_it", says)])


def charge_wallet(move: SuspenseMove, key: str, actor: str, at: datetime) -> None:
    """Book a charge with its credit note: what the wallet lacks is a debt that is due at once."""
    assert move.account_id is not None
    whole = Money(-move.amount_minor, move.currency)
    owner = (move.account_id, move.currency)
    wallet = db.session.get(Wallet, owner, with_for_update=True, populate_existing=True)
    taken = min(whole.minor, wallet.available if wallet else 0)
    lines = [Line(AVAILABLE, taken, move.account_id), Line(OWED_BY_WALLET, whole.minor - taken, move.account_id),
             Line(SUSPENSE, -whole.minor)]  # fmt: skip
    post("suspense_charge", key, move.currency, lines, source=str(move.id), actor=actor, at=at, reason=move.reason)
    parts = [(one, whole.minor) for one in _receipted(move.account_id, whole)]
    issue_credit_note(move.account_id, whole, key, move.id, Paid(METHOD), parts, at)


def _had(account_id: UUID, currency: str) -> int:
    """Sum what came by transfer, under a reference or assigned, less what was or is to be charged."""
    asked, move = ProForma, SuspenseMove
    came = select(func.coalesce(func.sum(asked.received_minor), 0)).where(
        asked.account_id == account_id, asked.currency == currency
    )
    # An assigned part is above zero, a charged one below.
    moved = select(func.coalesce(func.sum(move.amount_minor), 0)).where(
        move.account_id == account_id, move.currency == currency,
        (move.state == "done") | ((move.kind == "charge") & (move.state == "proposed")),
    )  # fmt: skip
    return int(db.session.scalar(came) or 0) + int(db.session.scalar(moved) or 0)


def _receipted(account_id: UUID, money: Money) -> list[UUID]:
    """Return what the newest receipt of a transfer of just this amount is about: the credit note refers to it."""
    one = Document
    query = select(one.about_id).where(
        one.account_id == account_id, one.kind == "receipt", one.currency == money.currency,
        one.amount_minor == money.minor, one.content["method"].astext.in_(_BY_TRANSFER),
    )  # fmt: skip
    return list(db.session.scalars(query.order_by(one.id.desc()).limit(1)))
