"""How rows look from outside: prefixed ids, decimal amounts, instants in UTC, in the shapes of `answers`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from affiliates import Earnings
from billing import Owing, WalletBalance
from core.errors import DomainError
from core.identity import ApiKey
from core.ids import show_id, show_id_text
from core.money import Money, decimal_text
from core.schemas import Amount
from marketplace.leads.again.told import Aged
from marketplace.leads.contact_models import SaleContact
from marketplace.leads.contact_speed import ContactState, contact_state
from marketplace.leads.delivery.credentials import masked
from marketplace.leads.delivery.endpoint_rows import Endpoint
from marketplace.leads.delivery.log import Exchanged
from marketplace.leads.delivery.models import DeliveryAttempt
from marketplace.leads.models import Lead, Sale
from marketplace.leads.paid_from import paid_from
from marketplace.leads.queries import Pending
from marketplace.leads.reasons import REASONS
from marketplace.leads.source_codes import public_codes
from marketplace.orders.models import Order
from marketplace.orders.terms import decode_terms, show_terms
from marketplace.web.api.answers import (
    BalanceShown,
    CreditShown,
    DeliveryTried,
    EndpointShown,
    FaultShown,
    KeyMade,
    KeyShown,
    LeadAnswer,
    LeadBought,
    LeadShown,
    OrderShown,
    RowRefused,
    RowTaken,
    SaleOfLead,
    SaleShown,
    WalletShown,
)  # fmt: skip
from marketplace.web.api.answers_aged import AgedShown
from marketplace.web.api.answers_contact import Handling

UNPAID = ("returned", "refused", "failed")  # sales that pay the publisher nothing


def amount(minor: int, currency: str) -> Amount:
    """Show an amount of minor units."""
    return Amount(amount=decimal_text(minor, currency), currency=currency)


def money(value: Money) -> Amount:
    """Show an amount."""
    return Amount(amount=str(value), currency=value.currency)


def instant(at: datetime) -> datetime:
    """Show an instant in UTC, whatever zone the database session has."""
    return at.astimezone(UTC)


def instant_or_none(at: datetime | None) -> datetime | None:
    """Show an instant in UTC, null for none."""
    return at.astimezone(UTC) if at else None


def lead_answer(result: dict[str, Any]) -> LeadAnswer:
    """Show what the sale function said of a posted lead; the same result always gives the same answer."""
    currency = result["currency"]
    sales = [
        SaleOfLead(
            id=show_id_text("sale", sale["id"]), model="cpl", price=amount(sale["price"], currency),
            payout=amount(sale["payout"], currency), state=sale["state"],
            release_at=instant(datetime.fromisoformat(sale["release_at"])) if sale["release_at"] else None,
        )
        for sale in result["sales"]
    ]  # fmt: skip
    is_sold = sales and result["status"] == "sold"
    payout = amount(sum(sale["payout"] for sale in result["sales"]), currency) if is_sold else None
    lead_id = show_id_text("lead", result["id"])
    return LeadAnswer(
        id=lead_id, status=result["status"], contact_class=result["contact_class"],
        temperature=result["temperature"], score=result["score"], reasons=result["reasons"],
        reasons_explained=explained(result["reasons"]), test=result["test"], payout=payout, sales=sales,
        redirect_url=result.get("redirect_url"), links=links_of(lead_id),
    )  # fmt: skip


def lead(
    row: Lead, sales: list[Sale], drawn: Mapping[UUID, int], returnable: Mapping[UUID, bool], currency: str,
    redirect_url: str | None, private: dict[str, Any] | None = None,
) -> LeadShown:  # fmt: skip
    """Show a stored lead to its publisher, with the sales as they stand; `private` is the contact in the clear.

    `drawn` is what of each sale's price came from credit, `returnable` whether it may go back for more than fraud.
    """
    lead_id, private = show_id("lead", row.id), private or {"contact": None, "comments": None}
    payout = sum(each.payout_minor for each in sales if each.state not in UNPAID)
    return LeadShown(
        id=lead_id, status=row.status, contact_class=row.contact_class, temperature=row.temperature,
        score=row.score, reasons=row.reasons, reasons_explained=explained(row.reasons), test=row.test,
        payout=amount(payout, currency) if sales and row.status == "sold" else None,
        sales=[_sale_of_lead(each) for each in sales],
        paid_from={show_id("sale", each.id): paid_from(each.price_minor, drawn.get(each.id, 0)) for each in sales},
        returnable={show_id("sale", each.id): returnable[each.id] for each in sales},
        redirect_url=redirect_url, links=links_of(lead_id), region=row.region, external_id=row.external_id,
        received_at=instant(row.received_at), **row.details, **private,
    )  # fmt: skip


def explained(reasons: list[str]) -> list[str]:
    """Say what each reason asks the publisher to do."""
    return [REASONS[code] for code in reasons]


def links_of(lead_id: str) -> dict[str, str]:
    """Say where to read on about a lead."""
    return {"self": f"/api/v1/leads/{lead_id}", "why": f"/api/v1/leads/{lead_id}/why"}


def _sale_of_lead(row: Sale) -> SaleOfLead:
    return SaleOfLead(
        id=show_id("sale", row.id), model="cpl", price=amount(row.price_minor, row.currency),
        payout=amount(row.payout_minor, row.currency), state=row.state,
        release_at=instant_or_none(row.release_at),
    )  # fmt: skip


def sale(
    row: Sale, bought: Lead, private: dict[str, Any] | None, contact: SaleContact | None, at: datetime,
    aged: Aged | None = None,
) -> SaleShown:  # fmt: skip
    """Show a sale to its buyer with the lead that he bought, as it stands at `at`.

    `private` is None once the lead was returned, `contact` as long as it is not delivered.
    """
    publisher_code, source_code = public_codes(row.publisher_id, bought.source_name)
    return SaleShown(
        id=show_id("sale", row.id), publisher_code=publisher_code, source_code=source_code,
        lead=_lead_bought(bought, private), order=show_id("ord", row.order_id),
        order_version=row.order_version, model="cpl", price=amount(row.price_minor, row.currency),
        state=row.state, sold_at=instant(row.sold_at), delivered_at=instant_or_none(row.delivered_at),
        dispute_until=instant_or_none(row.window_ends_at), release_at=instant_or_none(row.release_at),
        ended_at=instant_or_none(row.ended_at), contact_due_at=instant(contact.due_at) if contact else None,
        contact_wanted_at=instant_or_none(contact.wanted_at) if contact else None,
        best_time_understood=contact.best_time == "respected" if contact and contact.best_time else None,
        contact_state=_contact_state(row, contact, at),
        handling=_handling(contact) if contact else None,
        credited=amount(row.credited_minor, row.currency) if row.credited_minor else None,
        contact_ended_at=instant_or_none(row.ended_at) if row.state == "returned" else None,
        aged=AgedShown(age_minutes=aged.age_minutes, resold=aged.resold, returned=aged.returned) if aged else None,
    )  # fmt: skip


def _contact_state(row: Sale, contact: SaleContact | None, at: datetime) -> ContactState | None:
    """Show how the first contact stands; a sale that went back untouched waits for nobody."""
    if contact is None or (row.state == "returned" and contact.first_attempt_at is None):
        return None
    return contact_state(contact.due_at, contact.first_attempt_at, at)


def _handling(contact: SaleContact) -> Handling:
    """Show what was reported of a sale, summed up."""
    return Handling(
        status=contact.last_status, status_at=instant_or_none(contact.last_at), attempts=contact.attempts,
        attempt_days=contact.attempt_days, first_attempt_at=instant_or_none(contact.first_attempt_at),
        first_contact_at=instant_or_none(contact.first_contact_at),
        follow_up_at=instant_or_none(contact.follow_up_at),
    )  # fmt: skip


def _lead_bought(bought: Lead, private: dict[str, Any] | None) -> LeadBought:
    details = {name: bought.details.get(name) for name in ("attributes", "interest", "channel", "consent")}
    return LeadBought(
        id=show_id("lead", bought.id), region=bought.region, contact_class=bought.contact_class,
        temperature=bought.temperature, score=bought.score, received_at=instant(bought.received_at),
        **details, **(private or {"contact": None, "comments": None}),
    )  # fmt: skip


def attempt(row: DeliveryAttempt, exchanged: Exchanged | None = None) -> DeliveryTried:
    """Show an attempt to deliver, with as much of the request and its answer as the asker may see."""
    return DeliveryTried(
        number=row.number, started_at=instant(row.started_at), outcome=row.outcome, reason=row.reason,
        status=row.status, milliseconds=row.milliseconds, by_hand=row.asked_by is not None,
        bounced_at=instant_or_none(row.bounced_at), bounce=row.bounce, exchanged=exchanged,
    )  # fmt: skip


def order(row: Order, secret: str | None = None, endpoint: Endpoint | None = None) -> OrderShown:
    """Show an order to its buyer, with the secret that signs its webhook, and how its endpoint does."""
    said = decode_terms(row.terms)
    terms = show_terms(said)
    terms["delivery"] = masked(terms["delivery"])
    if secret is not None and terms["delivery"]["kind"] == "webhook":
        terms["delivery"]["secret"] = secret
    return OrderShown(
        id=show_id("ord", row.id), version=row.version, **terms, priority=said.priority or None,
        target_share=said.target_share or None, resumes_at=instant_or_none(row.resumes_at),
        endpoint=_endpoint(row, endpoint), created_at=instant(row.created_at), changed_at=instant(row.changed_at),
    )  # fmt: skip


def _endpoint(row: Order, endpoint: Endpoint | None) -> EndpointShown | None:
    if row.endpoint is None:
        return None
    state = endpoint.state if endpoint else "closed"
    until = endpoint.probe_at if endpoint and state == "open" else None
    word = {"closed": "ok", "open": "paused"}.get(state, "trying")
    return EndpointShown(address=row.endpoint, state=word, paused_until=instant_or_none(until))


def wallet(held: WalletBalance, owing: Owing) -> WalletShown:
    """Show a buyer's wallet."""
    return WalletShown(
        available=money(held.available), held=money(held.held), frozen=money(held.frozen), promo=money(held.promo),
        suspended_at=instant_or_none(held.suspended_at), stopped_at=instant_or_none(held.stopped_at),
        credit=credit(held, owing),
    )  # fmt: skip


def credit(held: WalletBalance, owing: Owing) -> CreditShown:
    """Show a wallet's credit line."""
    currency = held.available.currency
    return CreditShown(
        limit=amount(held.limit_minor, currency), net_days=held.credit_days or None,
        drawn=amount(held.drawn_minor, currency), room=money(held.room), due=money(owing.due),
        next_due_at=instant_or_none(owing.next_due_at),
    )  # fmt: skip


def balance(earned: Earnings, pending: Pending) -> BalanceShown:
    """Show a publisher's earnings, and what the open sales will bring."""
    currency = earned.payable.currency
    return BalanceShown(
        pending=amount(pending.amount_minor, currency), payable=money(earned.payable), reserve=money(earned.reserve),
        paid=money(earned.paid), owed=money(earned.owed),
        pending_sales=pending.sales, next_release_at=instant_or_none(pending.next_release_at),
    )  # fmt: skip


def key(row: ApiKey) -> KeyShown:
    """Show a key without its secret."""
    return KeyShown(**_key(row))


def key_made(row: ApiKey, secret: str) -> KeyMade:
    """Show a new key with its secret."""
    return KeyMade(**_key(row), api_key=secret)


def _key(row: ApiKey) -> dict[str, Any]:
    return {
        "id": show_id("key", row.id), "name": row.name, "hint": row.hint, "scopes": row.scopes,
        "created_at": instant(row.created_at), "revoked_at": instant_or_none(row.revoked_at),
        "last_used_on": row.last_used_on,
    }  # fmt: skip


def row_taken(line: int, result: dict[str, Any]) -> RowTaken:
    """Show what became of a row of a batch."""
    return RowTaken(line=line, **msgspec.structs.asdict(lead_answer(result)))


def row_refused(line: int, refused: DomainError) -> RowRefused:
    """Show why a row of a batch was no lead."""
    errors = [FaultShown(field=one.field, code=one.code, message=one.message) for one in refused.faults]
    return RowRefused(line=line, status="refused", code=refused.code, detail=refused.detail, errors=errors)


def plain(value: Any) -> Any:
    """Turn structs into plain JSON values."""
    return msgspec.to_builtins(value)
