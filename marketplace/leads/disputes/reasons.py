"""The reasons of disputes as they hold for a sale: whether one counts there, from when and until when."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from sqlalchemy import select

from core.clock import from_rfc3339
from core.db import db
from core.errors import Conflict, Fault, Invalid
from core.overrides import overrides
from marketplace.catalog.dispute_rules import Attempts, Reason, closes_at, dispute_rules
from marketplace.catalog.models import VerticalRow
from marketplace.catalog.regions import country_of
from marketplace.catalog.shelf import BOOK, vertical_of
from marketplace.catalog.verticals import Vertical
from marketplace.leads.models import Lead, Sale
from marketplace.orders.models import OrderVersion
from marketplace.orders.terms import decode_terms

# Pseudo-leads by their causes (domain D5), and what the trade accepts beside them.
REASONS = tuple(dispute_rules().reasons)


def vertical_of_sale(sale: Sale) -> Vertical:
    """Return the vertical that a sale's lead is of."""
    query = select(*BOOK).join(Lead, Lead.vertical_id == VerticalRow.id).where(Lead.id == sale.lead_id)
    return vertical_of(db.session.execute(query).one())


def reasons_of_sale(sale: Sale) -> dict[str, Reason]:
    """Return the rule of each reason as it holds for a sale: in its vertical, its lead's country and its order.

    What operators said after the sale leaves it alone, so that nobody loses a claim that he bought with the lead.
    """
    then = (OrderVersion.order_id == sale.order_id) & (OrderVersion.version == sale.order_version)
    query = select(Lead.region, OrderVersion.terms, *BOOK).join(Lead, Lead.vertical_id == VerticalRow.id)
    region, terms, *book = db.session.execute(query.join(OrderVersion, then).where(Lead.id == sale.lead_id)).one()
    return reasons_as_sold(sale, vertical_of(book), region, terms)


def reasons_as_sold(sale: Sale, vertical: Vertical, region: str, terms: Any) -> dict[str, Reason]:
    """Return what `reasons_of_sale` does, to whoever has read the vertical, the lead's region and the order's terms."""
    said, order = overrides(sale.sold_at), decode_terms(terms)
    reasons = vertical.dispute_reasons(said.of_country(country_of(region)), order.settings, said.exchange)
    if order.returns:
        return reasons
    return {name: replace(one, enabled=one.enabled and one.without_return) for name, one in reasons.items()}


def reason_of_sale(sale: Sale, name: str) -> Reason:
    """Return the rule of a known reason as it holds for the sale."""
    return reasons_of_sale(sale)[name]


def check_right(sale: Sale, name: str) -> None:
    """Refuse a reason that the order of a sale gave up, Conflict `no_return_right`."""
    query = select(OrderVersion.terms).where(OrderVersion.order_id == sale.order_id)
    terms = db.session.scalars(query.where(OrderVersion.version == sale.order_version)).one()
    if decode_terms(terms).returns or dispute_rules().reasons[name].without_return:
        return
    left = ", ".join(each for each, rule in dispute_rules().reasons.items() if rule.without_return)
    raise Conflict("no_return_right", f"The order gave up the right of return for a lower price; it may claim {left}.")


def check_words(name: str, sub_reason: str | None) -> None:
    """Refuse a reason or sub-reason that nobody knows, Invalid `invalid_dispute` with the known ones."""
    if name not in REASONS:
        fault = Fault("reason", "not_allowed_value", f"Choose one of {', '.join(REASONS)}.")
        raise Invalid("invalid_dispute", "The dispute cannot be opened.", [fault])
    known = dispute_rules().reasons[name].sub_reasons
    if sub_reason is not None and sub_reason not in known:
        fault = Fault("sub_reason", "not_allowed_value", f"Choose one of {', '.join(known)}, or leave it out.")
        raise Invalid("invalid_dispute", "The dispute cannot be opened.", [fault])


def window_of(sale: Sale, reason: Reason) -> tuple[datetime, datetime] | None:
    """Return from when and until when a delivered sale may be disputed for a reason; None while it is not delivered."""
    if sale.delivered_at is None or sale.window_ends_at is None:
        return None
    opens_at = sale.delivered_at + timedelta(hours=reason.from_hours)
    return opens_at, closes_at(reason, sale.delivered_at, sale.window_ends_at)


def check_time(sale: Sale, name: str, reason: Reason, at: datetime) -> None:
    """Refuse a claim that comes too early or too late, Conflict with the instant that decides."""
    window = window_of(sale, reason)
    if window is None:
        return  # the move out of its state is refused in its own words
    opens_at, until = window
    if at < opens_at:
        raise Conflict("window_not_open", f"A dispute as {name} can be opened from {opens_at.isoformat()} on.")
    if at >= until:
        raise Conflict("window_closed", f"The window of this sale for {name} closed at {until.isoformat()}.")


def check_operator_time(sale: Sale, name: str, reason: Reason, at: datetime) -> None:
    """Refuse an operator's claim by a reason that has none, or that comes too late, Conflict with the instant."""
    if reason.operator_days is None:
        raise Conflict("reason_off", f"{name} is no reason for which an operator claims.")
    until = operator_claims_until(sale, reason)
    if until is not None and at >= until:
        raise Conflict("window_closed", f"An operator's claim for {name} was possible until {until.isoformat()}.")


def operator_claims_until(sale: Sale, reason: Reason) -> datetime | None:
    """Return when an operator's claim on a delivered sale comes too late; None where there is no such claim."""
    if reason.operator_days is None or sale.delivered_at is None:
        return None
    return sale.delivered_at + timedelta(days=reason.operator_days)


def check_evidence(evidence: Sequence[Any], reason: Reason) -> None:
    """Refuse a claim that must show its attempts at once and does not, Invalid `invalid_dispute`."""
    if reason.attempts and not has_attempts(evidence, reason.attempts):
        least = reason.attempts
        says = f'Send at least {least.calls} calls on {least.days} days, each as {{"attempted_at": instant}}.'
        raise Invalid("invalid_dispute", "The dispute cannot be opened.", [Fault("evidence", "attempts_missing", says)])


def has_attempts(evidence: Sequence[Any], least: Attempts) -> bool:
    """Tell whether the evidence lists so many calls, at different instants, on so many days."""
    calls = set()
    for item in evidence:
        with suppress(ValueError, TypeError, KeyError):
            calls.add(from_rfc3339(item["attempted_at"]))
    return len(calls) >= least.calls and len({call.date() for call in calls}) >= least.days
