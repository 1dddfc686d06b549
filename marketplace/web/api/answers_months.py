"""The shapes of invoices and statements over HTTP, and of how accounts are taxed."""

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from core.schemas import Amount
from marketplace.web.api.answers import one_of
from marketplace.web.api.documents import PartyShown

Period = Annotated[str, Meta(extra_json_schema={"pattern": "^[0-9]{4}-[0-9]{2}$"})]


class VatPartShown(Struct, frozen=True, kw_only=True):
    """What of a document was taxed in one way: its net, and the tax on it."""

    treatment: Annotated[str, one_of(("none", "rate", "reverse_charge"))]
    country: str
    number: str
    rate_bp: int
    net: Amount
    amount: Amount


class VatShown(Struct, frozen=True, kw_only=True):
    """How a document was taxed: at `rate_bp`, by reverse charge, or not; `number` is what reverse charge rests on.

    Where that changed within the month these are the latest, `parts` has each, and `amount` is the tax of all.
    """

    treatment: Annotated[str, one_of(("none", "rate", "reverse_charge"))]
    country: str
    number: str
    rate_bp: int
    amount: Amount
    parts: list[VatPartShown]


class LabelShown(Struct, frozen=True, kw_only=True):
    """What a line is about: which sale of which lead, and why it was corrected; null where that says nothing."""

    sale: str | None
    lead: str | None
    vertical: str | None
    region: str | None
    reason: str | None
    reason_said: str | None


class BoughtLabel(LabelShown, frozen=True, kw_only=True):
    """What an invoice's line is about, for the buyer."""

    order: str | None
    order_name: str | None


class SoldLabel(LabelShown, frozen=True, kw_only=True):
    """What a statement's line is about, for the publisher: a sale or a payout; `sub` has the sub ids by number."""

    source: str | None
    sub: dict[str, str]
    external_id: str | None
    payout: str | None


class InvoiceLine(Struct, frozen=True, kw_only=True):
    """One transaction of the wallet: what it charged (negative: gave back), and what of that was promotional credit."""

    line: int
    kind: str
    occurred_at: datetime
    amount: Amount
    promotional: Amount
    refers_to: str | None
    about: BoughtLabel


class StatementLine(Struct, frozen=True, kw_only=True):
    """One transaction of the earnings: what it earned (negative: took back), and how the parts of the balance moved."""

    line: int
    kind: str
    occurred_at: datetime
    earned: Amount
    payable: Amount
    reserve: Amount
    owed: Amount
    reserve_until: datetime | None
    refers_to: str | None
    about: SoldLabel


class DifferenceShown(Struct, frozen=True, kw_only=True):
    """Where a document and the books disagree; `line` is null for its sums."""

    line: int | None
    what: str
    said: Amount
    booked: Amount


class InvoiceShown(Struct, frozen=True, kw_only=True):
    """An invoice of one month (UTC) and currency: `net` is its lines without what promotional credit paid."""

    id: str
    number: str
    period: Period
    issued_at: datetime
    net: Amount
    promotional: Amount
    vat: VatShown
    gross: Amount
    lines: int
    seller: PartyShown
    buyer: PartyShown
    language: str
    test: bool


class InvoiceRead(InvoiceShown, frozen=True, kw_only=True):
    """An invoice with one part of its lines; `unexplained` is what it says more than the books, by `differences`."""

    items: list[InvoiceLine]
    next_cursor: str | None
    unexplained: Amount
    differences: list[DifferenceShown]


class PositionShown(Struct, frozen=True, kw_only=True):
    """What a publisher has: payable and in reserve, less what is owed."""

    payable: Amount
    reserve: Amount
    owed: Amount
    total: Amount


class PaidOutShown(Struct, frozen=True, kw_only=True):
    """One payout: opening + added = paid + left, where `added` sums the lines since the payout before."""

    line: int
    at: datetime
    opening: Amount
    added: Amount
    paid: Amount
    left: Amount


class CountedShown(Struct, frozen=True, kw_only=True):
    """How many leads of the month came to this."""

    code: str
    says: str
    count: int


class StatementShown(Struct, frozen=True, kw_only=True):
    """An issued statement of one month (UTC) and currency; `net` is what its lines earned."""

    id: str
    number: str
    period: Period
    issued_at: datetime
    net: Amount
    vat: VatShown
    gross: Amount
    opening: PositionShown
    closing: PositionShown
    lines: int
    language: str
    test: bool


class StatementRead(Struct, frozen=True, kw_only=True):
    """A month of a publisher with one part of its lines: issued, or as it stands so far, without id and number.

    A month that is over and `empty` has no statement: nothing was booked in it, and the balance stayed as it was.

    `unexplained` is what its lines say more than the books.
    """

    period: Period
    currency: str
    state: Annotated[str, one_of(("issued", "open", "empty"))]
    issued: StatementShown | None
    earned: Amount
    opening: PositionShown
    closing: PositionShown
    paid_out: list[PaidOutShown]
    counted: list[CountedShown]
    items: list[StatementLine]
    next_cursor: str | None
    unexplained: Amount
    differences: list[DifferenceShown]


class VatTermsSaid(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an account is to be taxed; `version` is the one that was read, 0 for none; without `valid_from` today."""

    treatment: str
    country: str = ""
    vat_number: str = ""
    rate_bp: int | None = None
    reason: str = ""
    version: int = 0
    valid_from: date | None = None


class VatTermsShown(Struct, frozen=True, kw_only=True):
    """How what an account is supplied from `valid_from` (UTC) on is taxed; of two that hold the later counts."""

    version: int
    treatment: Annotated[str, one_of(("none", "rate", "reverse_charge"))]
    country: str
    vat_number: str
    rate_bp: int
    reason: str
    actor: str
    said_at: datetime
    valid_from: date
