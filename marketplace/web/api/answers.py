"""The shapes of answers: what `shown` and the views fill in, and what the OpenAPI document describes.

An instant is in UTC, an id is prefixed, an amount is decimal text; null means that there is none.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from core.schemas import Amount
from marketplace.catalog.contact_rules import CountryRules
from marketplace.catalog.definition import ConsentRule, ShareRule
from marketplace.catalog.distribution import Distribution, LeastPrice, MarginBand
from marketplace.catalog.prices import Prices
from marketplace.leads.contact_speed import ContactState
from marketplace.leads.delivery.log import Exchanged
from marketplace.leads.paid_from import PaidFrom
from marketplace.leads.stages import MOVES
from marketplace.leads.submission import Consent, Contact, Source
from marketplace.leads.why import SENTENCES
from marketplace.orders.ages import AgeBody
from marketplace.orders.pace import LadderBody
from marketplace.orders.said import ModifierBody, RadiusBody, ScheduleBody
from marketplace.orders.terms import BudgetBody, CapsBody, FilterBody
from marketplace.web.api.answers_aged import AgedShown
from marketplace.web.api.answers_contact import Handling

LEAD_STATUSES = ("sold", "unsold", "pending", "rejected")


def one_of(words: Iterable[str]) -> Meta:
    """Document the words that an answer may say; answers are not checked against it."""
    return Meta(extra_json_schema={"enum": list(words)})


LeadStatus = Annotated[str, one_of(LEAD_STATUSES)]
SaleState = Annotated[str, one_of(MOVES["sale"])]


class SaleOfLead(Struct, frozen=True, kw_only=True, gc=False):
    """A sale as the lead's publisher sees it."""

    id: str
    model: str
    price: Amount
    payout: Amount
    state: SaleState
    release_at: datetime | None


class LeadAnswer(Struct, frozen=True, kw_only=True, gc=False):
    """What became of a lead: `reasons` say why it was rejected, `payout` is what all its sales pay the publisher.

    A pending one is waited for: for a review, or for a buyer who has not answered yet; it pays nothing so far.
    """

    id: str
    status: LeadStatus
    contact_class: str
    temperature: str
    score: int
    reasons: list[str]
    reasons_explained: list[str]
    test: bool
    payout: Amount | None
    sales: list[SaleOfLead]
    redirect_url: str | None
    links: dict[str, str]


class LeadShown(LeadAnswer, frozen=True, kw_only=True, gc=False):
    """A lead as its publisher sent it, with its sales as they stand; the list leaves the contact out.

    `paid_from` tells by sale where its price was taken from: money in escrow, the buyer's credit line, or both;
    `returnable` whether it may be sent back for more than fraud;
    `place` has latitude and longitude where orders judged the lead by them, `most_buyers` how many may have it as its
    source and its consent let.
    """

    paid_from: dict[str, PaidFrom]
    returnable: dict[str, bool]
    region: str
    external_id: str | None
    received_at: datetime
    attributes: dict[str, Any]
    interest: str
    channel: str
    source: Source
    consent: Consent | None
    exclusive_only: bool
    min_price: Amount | None
    ping_id: str | None
    contact: Contact | None
    comments: str | None
    place: list[float] | None = None
    most_buyers: int | None = None


class FaultShown(Struct, frozen=True, kw_only=True):
    """One bad field: its path, a stable code, and what to do."""

    field: str
    code: str
    message: str


class RowTaken(LeadAnswer, frozen=True, kw_only=True, gc=False):
    """What became of a row of a batch, with the line on which it began."""

    line: int


class RowRefused(Struct, frozen=True, kw_only=True):
    """What a row of a batch gets that was no lead, with the line on which it began."""

    line: int
    status: Annotated[str, one_of(("refused",))]
    code: str
    detail: str
    errors: list[FaultShown]


class Problem(Struct, frozen=True, kw_only=True):
    """A refusal (RFC 9457): `code` is stable, `errors` names every bad field at once."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FaultShown]


class ReasonShown(Struct, frozen=True, kw_only=True):
    """What became of one order for one lead; the order under a pseudonym and no figures unless it is the asker's."""

    order: str
    outcome: Annotated[str, one_of(SENTENCES)]
    detail: str
    bid: Amount | None


class RefusalCount(Struct, frozen=True, kw_only=True):
    """How many posts of one day were no leads, by the field and code they were refused for."""

    day: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    field: str
    code: str
    refused: int


class LeadBought(Struct, frozen=True, kw_only=True):
    """A lead as its buyer sees it; contact and comments are null once the lead went back."""

    id: str
    region: str
    contact_class: str
    temperature: str
    score: int
    received_at: datetime
    attributes: dict[str, Any]
    interest: str
    channel: str
    consent: Consent | None
    contact: Contact | None
    comments: str | None


class SaleShown(Struct, frozen=True, kw_only=True):
    """One lead sold to one buyer, as the buyer sees it.

    `credited` is what a dispute takes off the price; from `contact_ended_at` on the buyer may not contact the person
    any more. `contact_wanted_at` is when the person wants to be called, if later than delivery; `best_time_understood`
    is null where the person said nothing; `aged` is null for a lead that was fresh. By the codes of publisher and
    source an order may filter and price.
    """

    id: str
    lead: LeadBought
    order: str
    order_version: int
    publisher_code: str
    source_code: str
    model: str
    price: Amount
    state: SaleState
    sold_at: datetime
    delivered_at: datetime | None
    dispute_until: datetime | None
    release_at: datetime | None
    ended_at: datetime | None
    contact_wanted_at: datetime | None
    best_time_understood: bool | None
    contact_due_at: datetime | None
    contact_state: ContactState | None
    handling: Handling | None
    credited: Amount | None
    contact_ended_at: datetime | None
    aged: AgedShown | None


class DeliveryTried(Struct, frozen=True, kw_only=True):
    """One attempt to deliver a sale; without an outcome it is under way, or will be tried again.

    What was exchanged is shown to the buyer as long as the contact is his, to an operator with contact data hidden.
    """

    number: int
    started_at: datetime
    outcome: str | None
    reason: str | None
    status: int | None
    milliseconds: int | None
    by_hand: bool
    bounced_at: datetime | None
    bounce: str | None
    exchanged: Exchanged | None


class AttemptsShown(Struct, frozen=True):
    """The attempts to deliver a sale, the first first."""

    items: list[DeliveryTried]


class EndpointShown(Struct, frozen=True, kw_only=True):
    """Whether leads are sent where the order delivers: `paused` until then, `trying` with one lead, or `ok`."""

    address: str
    state: Annotated[str, one_of(("ok", "paused", "trying"))]
    paused_until: datetime | None


class OrderShown(Struct, frozen=True, kw_only=True):
    """A standing order with every term, also those that were left out when it was placed.

    `priority` and `target_share` are the operator's; they count where the vertical goes by them.
    """

    id: str
    version: int
    name: str
    vertical: str
    regions: list[str]
    postal_prefixes: list[str] | None
    radius: RadiusBody | None
    model: str
    price: Amount | None
    modifiers: list[ModifierBody] | None
    price_floor: Amount | None
    price_ceiling: Amount | None
    returns: bool
    exclusivity: str
    max_share: int | None
    filters: list[FilterBody]
    min_score: int
    temperatures: list[str] | None
    contact_classes: list[str] | None
    verified_only: bool
    caps: CapsBody
    budget: BudgetBody
    pacing: bool
    ladder: LadderBody | None
    schedule: ScheduleBody | None
    contact_hours: bool
    age: AgeBody | None
    at_cap: str
    wait_hours: int | None
    delivery: dict[str, Any]
    contact_sla: bool
    settings: dict[str, int | bool]
    status: str
    priority: int | None
    target_share: int | None
    resumes_at: datetime | None
    endpoint: EndpointShown | None
    created_at: datetime
    changed_at: datetime


class CreditShown(Struct, frozen=True, kw_only=True):
    """A wallet's credit line: its limit, what of it is drawn, what can still be drawn, and what is owed and due now.

    Draws of a UTC day fall due together, `net_days` after it ends; `due` also counts chargebacks that were lost and
    VAT.
    """

    limit: Amount
    net_days: int | None
    drawn: Amount
    room: Amount
    due: Amount
    next_due_at: datetime | None


class WalletShown(Struct, frozen=True, kw_only=True):
    """What a buyer has to spend in one currency.

    While `stopped_at` is set, its orders buy nothing, because a debt is overdue: see `credit.due`.
    """

    available: Amount
    held: Amount
    frozen: Amount
    promo: Amount
    suspended_at: datetime | None
    stopped_at: datetime | None
    credit: CreditShown


class BalanceShown(Struct, frozen=True, kw_only=True):
    """What a publisher has in one currency; `paid` counts what is on its way."""

    pending: Amount
    payable: Amount
    reserve: Amount
    paid: Amount
    owed: Amount
    pending_sales: int
    next_release_at: datetime | None


class VerticalSummary(Struct, frozen=True, kw_only=True):
    """A vertical and the rules it trades by."""

    slug: str
    version: int
    names: dict[str, str]
    currency: str
    min_price: Amount
    window_hours: int
    dedupe_days: int
    consent: ConsentRule
    share: ShareRule
    contact_required: list[str]
    verification: str
    prices: Prices
    min_prices: list[LeastPrice]
    margin: list[MarginBand]
    distribution: Distribution


class VerticalShown(VerticalSummary, frozen=True, kw_only=True):
    """A vertical with the JSON Schema of its attributes and a complete body that POST /leads accepts as it is."""

    schema: dict[str, Any]
    example: dict[str, Any]


class RegionShown(Struct, frozen=True, kw_only=True):
    """A country or subdivision (ISO 3166); `parent` is the code of what holds it."""

    code: str
    name: str
    type: str
    parent: str | None


class ContactRulesShown(CountryRules, frozen=True, kw_only=True):
    """The rules of contact of one country, by channel; times are local at the person."""

    country: str


class KeyShown(Struct, frozen=True, kw_only=True):
    """An API key without its secret; `hint` is the secret's last four characters, the last use a UTC day."""

    id: str
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None


class KeyMade(KeyShown, frozen=True, kw_only=True):
    """A new API key with its secret, which is never shown again."""

    api_key: str


class PublisherShown(Struct, frozen=True, kw_only=True):
    """A publisher's terms, as an operator sees them."""

    id: str
    standing: Annotated[str, one_of(("active", "paused"))]
    tier: str
    share_bp: int
    extra_hold_days: int
    reserve_bp: int
    reserve_days: int
