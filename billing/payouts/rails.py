"""Where earners are paid: said by themselves, one at a time; an account at the processor is opened and looked at.

What a rail says never changes. Another place is another row, and drafts for the old one are withdrawn.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import or_, select

from billing.iban import iban_fault, is_bic, plain
from billing.payouts.models import PayoutRail
from billing.payouts.moving import one_at_a_time, withdraw_waiting
from billing.payouts.ordering import write_call
from billing.stripe_connect import PayableAccount
from core.db import db
from core.errors import Fault, Invalid, NotFound
from core.ids import new_id

RailKind = Literal["connect", "sepa", "wise", "paypal"]
KINDS: tuple[RailKind, ...] = ("connect", "sepa", "wise", "paypal")
MOST_NAME = 70  # letters that a transfer carries
# Whose banks take part in SEPA credit transfers.
SEPA = frozenset((
    "AD", "AL", "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GG", "GI", "GR", "HR",
    "HU", "IE", "IM", "IS", "IT", "JE", "LI", "LT", "LU", "LV", "MC", "MD", "ME", "MK", "MT", "NL", "NO", "PL", "PT",
    "RO", "RS", "SE", "SI", "SK", "SM", "VA",
))  # fmt: skip
LOOK_AGAIN = timedelta(hours=1)
_EMAIL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
# Whose banks have BICs of other countries: of France those overseas, of Britain the islands.
_BIC_OF = {"FR": "FR GF GP MQ RE YT PM BL MF PF NC WF TF MC", "GB": "GB GG IM JE", "FI": "FI AX", "MC": "MC FR",
           "SM": "SM IT", "VA": "VA IT", "GG": "GG GB", "IM": "IM GB", "JE": "JE GB"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RailWish:
    """Where somebody wants to be paid: an IBAN for `sepa`, the address of an account for `wise` and `paypal`."""

    kind: str
    holder: str
    country: str
    destination: str = ""
    bic: str = ""


def say_rail(account_id: UUID, wish: RailWish, actor: str, at: datetime) -> PayoutRail:
    """Have an earner be paid here from now on; what is said already is not said again.

    For `connect` an account is opened, unless he has one from before. Invalid `invalid_payout_rail` with every fault.
    """
    said = _tidy(wish)
    if faults := _faults(said):
        raise Invalid("invalid_payout_rail", "You are paid where you were paid.", faults)
    one_at_a_time(f"rail:{account_id}")
    present = find_rail(account_id)
    if present is not None and _is_same(present, said):
        return present
    if present is not None:
        withdraw_waiting(account_id, "rail_changed", actor, at)
        present.ended_at = at
        db.session.flush()
    return (
        _connect(account_id, said, actor, at)
        if said.kind == "connect"
        else _write(account_id, said, "ready", actor, at)
    )


def find_rail(account_id: UUID) -> PayoutRail | None:
    """Return where an earner is paid now."""
    query = select(PayoutRail).where(PayoutRail.account_id == account_id, PayoutRail.ended_at.is_(None))
    return db.session.scalar(query.execution_options(populate_existing=True))


def get_rail(account_id: UUID) -> PayoutRail:
    """Return where an earner is paid now; NotFound when he has not said."""
    found = find_rail(account_id)
    if found is None:
        raise NotFound(detail="Nobody has said yet where you are paid.")
    return found


def record_account(rail_id: UUID, account: PayableAccount | None, why: str | None, at: datetime) -> None:
    """Note the account that was opened for a rail, or why none was."""
    rail = db.session.get_one(PayoutRail, rail_id, with_for_update=True, populate_existing=True)
    if rail.state != "opening":
        return
    if account is None:
        code, _, says = (why or "refused").partition(": ")
        rail.state, rail.reason, rail.says, rail.checked_at = "blocked", code[:60], says[:500] or None, at
    else:
        rail.destination = account.id
        _note(rail, account, at)
    db.session.flush()


def note_account(account_id: str, account: PayableAccount | None, at: datetime) -> str:
    """Note how an account at the processor stands, None for one that is closed; return what that came to."""
    query = select(PayoutRail).where(PayoutRail.destination == account_id, PayoutRail.kind == "connect")
    rails = list(db.session.scalars(query.order_by(PayoutRail.id).with_for_update()))
    if not rails and account is not None and (opened := _opened_for(account)):
        record_account(opened, account, None, at)
        return account.state
    for rail in rails:
        if account is None:
            rail.state, rail.reason, rail.says, rail.checked_at = "closed", "account_closed", None, at
        else:
            _note(rail, account, at)
    db.session.flush()
    return rails[0].state if rails else "unknown"


def block_rail(rail_id: UUID, reason: str, says: str, at: datetime) -> None:
    """Note that nothing arrives at a rail, until its earner says another place."""
    rail = db.session.get_one(PayoutRail, rail_id, with_for_update=True, populate_existing=True)
    rail.state, rail.reason, rail.says, rail.checked_at = "blocked", reason, says[:500] or None, at
    db.session.flush()


def accounts_to_look_at(at: datetime, most: int = 100) -> list[str]:
    """Return the accounts at the processor that stand open for a payout and were not read for an hour."""
    one = PayoutRail
    query = select(one.destination).where(
        one.kind == "connect", one.ended_at.is_(None), one.destination.is_not(None), one.state != "closed",
        or_(one.checked_at.is_(None), one.checked_at <= at - LOOK_AGAIN),
    )  # fmt: skip
    found = db.session.scalars(query.order_by(one.checked_at.nulls_first(), one.id).limit(most))
    return [destination for destination in found if destination]


def rail_of_account(account_id: str) -> UUID | None:
    """Return the newest rail of an account at the processor."""
    query = select(PayoutRail.id).where(PayoutRail.destination == account_id, PayoutRail.kind == "connect")
    return db.session.scalar(query.order_by(PayoutRail.id.desc()).limit(1))


def _note(rail: PayoutRail, account: PayableAccount, at: datetime) -> None:
    rail.state, rail.reason, rail.checked_at = account.state, account.reason, at
    rail.says = ", ".join(account.missing)[:500] or None


def _opened_for(account: PayableAccount) -> UUID | None:
    """Return the rail that waits for this account, whose answer was lost."""
    try:
        rail_id = UUID(account.reference or "")
    except ValueError:
        return None
    query = select(PayoutRail.id).where(PayoutRail.id == rail_id, PayoutRail.state == "opening")
    return db.session.scalar(query)


def _connect(account_id: UUID, said: RailWish, actor: str, at: datetime) -> PayoutRail:
    one = PayoutRail
    query = select(one).where(one.account_id == account_id, one.kind == "connect", one.country == said.country)
    known = db.session.scalar(query.where(one.destination.is_not(None), one.state != "closed").order_by(one.id.desc()))
    if known is not None:
        again = RailWish("connect", said.holder, said.country, known.destination or "")
        rail = _write(account_id, again, "pending", actor, at)
        rail.reason = "not_looked_at_yet"
        db.session.flush()
        return rail
    rail = _write(account_id, said, "opening", actor, at)
    write_call("open_account", rail.id, _account(rail))
    return rail


def _account(rail: PayoutRail) -> dict[str, Any]:
    named = {"leadbourse": str(rail.id)}
    wish = {"transfers": {"requested": True}}
    return {"type": "express", "country": rail.country, "capabilities": wish, "metadata": named}


def _write(account_id: UUID, said: RailWish, state: str, actor: str, at: datetime) -> PayoutRail:
    rail = PayoutRail(
        id=new_id(), account_id=account_id, kind=said.kind, state=state, destination=said.destination or None,
        holder=said.holder, country=said.country, bic=said.bic or None, said_by=actor, said_at=at,
    )  # fmt: skip
    db.session.add(rail)
    db.session.flush()
    return rail


def _is_same(present: PayoutRail, said: RailWish) -> bool:
    if present.state in ("blocked", "closed"):
        return False
    where = said.kind == "connect" or (present.destination, present.bic or "") == (said.destination, said.bic)
    return where and (present.kind, present.holder, present.country) == (said.kind, said.holder, said.country)


def _tidy(wish: RailWish) -> RailWish:
    holder, country = " ".join(wish.holder.replace("\0", " ").split()), wish.country.strip().upper()
    destination = plain(wish.destination) if wish.kind == "sepa" else wish.destination.strip().lower()
    bic = plain(wish.bic) if wish.kind == "sepa" else ""
    return RailWish(wish.kind, holder, country, "" if wish.kind == "connect" else destination, bic)


def _faults(said: RailWish) -> list[Fault]:
    faults = []
    if said.kind not in KINDS:
        faults.append(Fault("kind", "not_allowed_value", f"Choose one of {', '.join(KINDS)}."))
    if not 1 <= len(said.holder) <= MOST_NAME:
        faults.append(
            Fault("holder", "bad_length", f"Give the name of whoever is paid, in at most {MOST_NAME} letters.")
        )
    if len(said.country) != 2 or not said.country.isascii() or not said.country.isalpha():
        faults.append(Fault("country", "unknown_country", "Give the country as two letters, such as FR."))
    if said.kind == "sepa":
        faults += _sepa_faults(said)
    elif said.kind in ("wise", "paypal") and (len(said.destination) > 254 or not _EMAIL.fullmatch(said.destination)):
        faults.append(Fault("destination", "bad_payee", "Give the e-mail address of the account that is paid."))
    return faults


def _sepa_faults(said: RailWish) -> list[Fault]:
    faults = []
    if wrong := iban_fault(said.destination):
        faults.append(Fault("destination", "bad_iban", wrong))
    elif said.destination[:2] not in SEPA:
        says = f"Choose another way: banks of {said.destination[:2]} take no SEPA transfers."
        faults.append(Fault("destination", "not_in_sepa", says))
    of_account = said.destination[:2]
    if said.bic and (not is_bic(said.bic) or said.bic[4:6] not in _BIC_OF.get(of_account, of_account).split()):
        says = "Give the BIC of the bank that has this account: 8 or 11 letters and digits; or leave it empty."
        faults.append(Fault("bic", "bad_bic", says))
    return faults
