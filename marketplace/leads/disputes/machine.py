"""The machine's look at a dispute: it gathers the stored facts, judges them, and decides what they decide."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, select

from core.crypto import Vault
from core.db import db
from core.ids import show_id
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.disputes.decision import Ruling, lock_dispute, rule, upheld_by_rule
from marketplace.leads.disputes.reasons import reason_of_sale, vertical_of_sale
from marketplace.leads.disputes.verdicts import UPHELD, Earlier, Facts, Verdict, verdict_of
from marketplace.leads.models import Lead, Sale
from marketplace.leads.queries import opened_with
from marketplace.leads.submission import Contact
from marketplace.leads.suppression import listed_before
from marketplace.leads.verdicts import judge
from marketplace.leads.why import facts_of_stored
from marketplace.orders.models import OrderVersion
from marketplace.orders.terms import decode_terms

MACHINE = "system:machine"
_IDENTITIES = ("email", "phone", "profile_url")


class Person(NamedTuple):
    """A person as the keys of lists are made: each identity normalised, None when it was not given."""

    email_key: str | None
    phone_e164: str | None
    profile_key: str | None = None


Keys = Callable[[Person], tuple[bytes, ...]]


def judge_next(as_of: datetime, vault: Vault, keys_of: Keys) -> int:
    """Judge one open dispute that the machine has not seen and may decide; return how many that was."""
    due = db.session.scalar(unseen(as_of).order_by(Dispute.id).limit(1))
    if due is not None:
        judge_one(due, as_of, vault, keys_of)
    return int(due is not None)


def unseen(as_of: datetime) -> Select[UUID]:
    """Select the open disputes, by id, that the machine has not seen and may decide."""
    judged = [name for name, reason in dispute_rules().reasons.items() if reason.machine]
    return select(Dispute.id).where(
        Dispute.state == "open", Dispute.judged_at.is_(None), Dispute.reason.in_(judged), Dispute.opened_at <= as_of
    )


def judge_one(dispute_id: UUID, as_of: datetime, vault: Vault, keys_of: Keys) -> None:
    """Judge a dispute unless it was decided or judged meanwhile."""
    sale, dispute = lock_dispute(dispute_id)
    if dispute.state == "open" and dispute.judged_at is None:
        dispute.judged_at = as_of
        verdict = verdict_of(dispute.reason, facts_of(sale, dispute, vault, keys_of))
        if verdict:
            _decide(sale, dispute, verdict, as_of)
    db.session.flush()


def facts_of(sale: Sale, dispute: Dispute, vault: Vault, keys_of: Keys) -> Facts:
    """Gather what is stored about a disputed sale, as of its moment."""
    lead = db.session.get_one(Lead, sale.lead_id)
    if dispute.reason == "duplicate":
        return Facts(dispute.sub_reason, sale.order_version, earlier=_earlier(sale, lead, vault, keys_of))
    return Facts(dispute.sub_reason, sale.order_version, _misses(sale, lead, vault))


def _decide(sale: Sale, dispute: Dispute, verdict: Verdict, at: datetime) -> None:
    if verdict.state == UPHELD:
        credit_bp = reason_of_sale(sale, dispute.reason).credit_bp
        rule(sale, dispute, upheld_by_rule(sale, credit_bp, verdict.evidence), MACHINE, at)
    else:
        rule(sale, dispute, Ruling(verdict.state, 0, verdict.evidence), MACHINE, at)


def _misses(sale: Sale, lead: Lead, vault: Vault) -> str:
    """Say which conditions of the order version that bought it the stored lead does not meet, if any."""
    version = db.session.get_one(OrderVersion, (sale.order_id, sale.order_version))
    outcome, detail = judge(decode_terms(version.terms), facts_of_stored(lead, vault), sale.sold_at)
    return detail if outcome in ("region", "filtered") else ""


def _earlier(sale: Sale, lead: Lead, vault: Vault, keys_of: Keys) -> Earlier | None:
    """Find the person on a list that the buyer uploaded before the sale, or in his newest earlier sale.

    An earlier sale counts within the vertical's window unless it was returned. Contacts are sealed and a person's key
    names only the newest lead, so the buyer's leads of the window are opened one by one.
    """
    contact = opened_with(vault, lead.id, lead.contact, lead.contact_key).contact
    known = Person((contact.email or "").lower() or None, contact.phone)
    listed = listed_before(sale.buyer_id, keys_of(known), sale.sold_at)
    if listed is not None:
        return Earlier(listed.uploaded_at, f"the list {show_id('sup', listed.id)}")
    person = _identities(contact)
    since = sale.sold_at - timedelta(days=vertical_of_sale(sale).buyer_dedupe_days)
    for sale_id, sold_at, *sealed in _bought_before(sale, since):
        if person & _identities(opened_with(vault, *sealed).contact):
            return Earlier(sold_at, f"sale {show_id('sale', sale_id)}")
    return None


def _bought_before(sale: Sale, since: datetime) -> Iterator[Any]:
    columns = (Sale.id, Sale.sold_at, Lead.id, Lead.contact, Lead.contact_key)
    query = select(*columns).join(Lead, Lead.id == Sale.lead_id).where(
        Sale.buyer_id == sale.buyer_id, Sale.id != sale.id, Sale.sold_at >= since, Sale.sold_at < sale.sold_at,
        Sale.state.in_(("delivered", "disputed", "settled")),
    )  # fmt: skip
    return iter(db.session.execute(query.order_by(Sale.sold_at.desc()).execution_options(yield_per=200)))


def _identities(contact: Contact) -> set[tuple[str, str]]:
    given = ((way, getattr(contact, way)) for way in _IDENTITIES)
    return {(way, said.casefold()) for way, said in given if said}
