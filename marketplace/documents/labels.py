"""What each line of an invoice or a statement is about: the sale, its lead and order, and why it was corrected.

A buyer reads his order and what he bought, a publisher his source and sub ids; neither reads who the other is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from billing import Booked, Label
from core.db import db
from core.ids import show_id
from core.money import Money
from marketplace.catalog.models import VerticalRow
from marketplace.catalog.shelf import BOOK, vertical_of
from marketplace.catalog.verticals import Vertical
from marketplace.documents.words import reason_in, say
from marketplace.leads.again.models import FurtherOffer, FurtherSale
from marketplace.leads.again.told import Aged, told_of
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.models import Lead, Sale
from marketplace.orders.ages import DAY
from marketplace.orders.models import Order

OF_DISPUTE = re.compile(r"(?:compensation:dispute|dsp):([0-9a-f-]{36})")
JOINERS = "\u200c\u200d"  # names in Persian and the scripts of India are misspelt without them
OF_PAYOUTS = ("payout", "payout_back", "transfer_back")  # whose source is the payout
AT_ONCE = 2000  # sales read together


@dataclass(frozen=True, slots=True)
class Told:
    """All that may be said of one sale; the order's name only to its buyer."""

    sale: Sale
    lead: Lead
    vertical: Vertical
    order: str
    dispute: Dispute | None
    aged: Aged | None


def labels_of(side: str, lines: Sequence[Booked], language: str) -> dict[UUID, Label]:
    """Say what each line is about, by its transaction."""
    disputes = {line.transaction_id: UUID(match[1]) for line in lines if (match := OF_DISPUTE.match(line.key))}
    of_dispute = _sales_of_disputes(disputes.values()) if disputes else {}
    sale_ids = {
        line.transaction_id: line.hold_id or of_dispute.get(disputes[line.transaction_id])
        for line in lines if line.hold_id or line.transaction_id in disputes
    }  # fmt: skip
    told = _told_of({one for one in sale_ids.values() if one is not None})
    labels = {}
    for line in lines:
        one = told.get(sale_ids.get(line.transaction_id) or line.transaction_id)
        if line.kind in OF_PAYOUTS and line.source:
            shown = show_id("pay", UUID(line.source))
            labels[line.transaction_id] = Label(ref="…" + shown[-8:], data={"payout": shown})
        elif one is not None:
            labels[line.transaction_id] = _label(side, line, one, language)
    return labels


def _label(side: str, line: Booked, one: Told, language: str) -> Label:
    sale, lead = one.sale, one.lead
    shown = show_id("sale", sale.id)
    data: dict[str, Any] = {"sale": shown, "lead": show_id("lead", lead.id), "vertical": one.vertical.slug,
                            "region": lead.region}  # fmt: skip
    place = f"{one.vertical.names.get(language, one.vertical.slug)}, {lead.region}"
    if side == "invoice":
        data |= {"order": show_id("ord", sale.order_id), "order_name": one.order}
        told = [place, one.order]
    else:
        subs: dict[str, str] = lead.details.get("source", {}).get("sub", {})
        data |= {"source": lead.source_name, "sub": subs, "external_id": lead.external_id}
        told = [place, say(language, "source", name=lead.source_name)]
        told += [say(language, "sub", number=number, text=text) for number, text in sorted(subs.items())]
    if one.aged is not None:
        told.append(_aged(one.aged, language))
        data |= {"aged_days": one.aged.age_minutes // DAY, "resold": one.aged.resold, "returned": one.aged.returned}
    reason, code = _why(line, one, language)
    if line.kind == "unpaid":
        full = one.dispute.full_payout_minor if one.dispute else sale.payout_minor
        told.append(say(language, "would", amount=f"{Money(full, sale.currency)} {sale.currency}"))
    return Label(ref="…" + shown[-8:], told=tuple(map(in_one_line, told)), reason=reason, data=data | {"reason": code})


def _aged(aged: Aged, language: str) -> str:
    """Say of a sale that its lead was not fresh: how old, whether somebody had bought it before, and sent it back."""
    what = "after_return" if aged.returned else "resold" if aged.resold else "aged"
    reason = reason_in(language, aged.returned or "")
    return say(language, what, days=str(aged.age_minutes // DAY), reason=reason)


def in_one_line(text: str) -> str:
    """Return a text without what breaks lines, turns their direction or prints nothing; all of it stays as data."""
    if text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(one if one.isprintable() or one in JOINERS else " " for one in text).split())


def _why(line: Booked, one: Told, language: str) -> tuple[str, str | None]:
    """Say why a line corrects, or is less than was agreed; nothing of a sale that was settled as it was made."""
    claim, state = one.dispute, one.sale.state
    reason = reason_in(language, claim.reason) if claim else ""
    if line.kind == "unpaid" and (claim is None or state in ("refused", "failed")):
        return say(language, state if state in ("refused", "failed") else "failed"), state
    if claim is None:
        return "", None
    what = {"unpaid": "returned", "refund": "late", "compensate": "compensated", "fee": "claimed",
            "fee_back": "returned"}.get(line.kind)  # fmt: skip
    if line.kind == "sale" and claim.credited_minor and not claim.late:
        what = "credited"
    return (say(language, what, reason=reason), claim.reason) if what else ("", None)


# Built once: to put it together anew takes as long as to read fifty sales.
_TOLD = (
    select(Sale, Lead, Order.terms["name"].astext, Dispute, FurtherSale, FurtherOffer, *BOOK)
    .join(Lead, Lead.id == Sale.lead_id)
    .join(VerticalRow, VerticalRow.id == Lead.vertical_id)
    .join(Order, Order.id == Sale.order_id)
    .outerjoin(Dispute, Dispute.sale_id == Sale.id)
    .outerjoin(FurtherSale, FurtherSale.sale_id == Sale.id)
    .outerjoin(FurtherOffer, FurtherOffer.id == FurtherSale.offer_id)
    .where(Sale.id.in_(bindparam("some", expanding=True)))
)


def _told_of(sale_ids: Iterable[UUID]) -> Mapping[UUID, Told]:
    wanted, found = sorted(sale_ids), dict[UUID, Told]()
    for first in range(0, len(wanted), AT_ONCE):
        rows = db.session.execute(_TOLD, {"some": wanted[first : first + AT_ONCE]})
        found |= {
            sale.id: Told(sale, lead, vertical_of(book), order or "", dispute, told_of(further, offer))
            for sale, lead, order, dispute, further, offer, *book in rows
        }
    return found


def _sales_of_disputes(dispute_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    query = select(Dispute.id, Dispute.sale_id).where(Dispute.id.in_(list(dispute_ids)))
    return dict(db.session.execute(query).all())
