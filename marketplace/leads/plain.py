"""The plain sale: most leads have one exclusive buyer whom nobody can outbid, and are sold to him by one statement.

What is plain is told here once; whatever is not goes the general way (`intake`), and so does a plain lead that turns
out otherwise in the database: its buyer has no room, its person is known. There is a statement for one such lead and
one for several (`together`); all ways write the same rows.
"""

from typing import TYPE_CHECKING, Any

from core.composites import Composite
from core.ids import new_id
from core.prepared import PreparedStatement
from marketplace.leads.auction import SHARED_ONLY
from marketplace.leads.matching import Listed
from marketplace.orders.periods import period_starts
from marketplace.orders.terms import OrderTerms

if TYPE_CHECKING:
    from marketplace.leads.intake import Prepared, Sender

# What both statements take of a lead, in this order.
_TYPES = (
    "uuid", "uuid", "uuid", "integer", "text", "text", "text", "integer", "text", "text", "timestamptz", "jsonb",
    "bytea", "integer", "uuid", "integer", "uuid", "bigint", "boolean", "bigint[]", "bigint", "text", "bytea[]",
    "integer", "integer", "bigint", "integer", "uuid", "text", "text",
)  # fmt: skip
LEAD_ID, PERSONS = 0, 22  # where of these
PLAIN_SALE = Composite("marketplace.plain_sale", _TYPES)
_PLACES = ",".join(f"${number}" for number, _ in enumerate(_TYPES, 1))
SELL_PLAIN = PreparedStatement("sell_plain", f"SELECT marketplace.sell_plain({_PLACES})")
SELL_TOGETHER = PreparedStatement("sell_together", "SELECT * FROM marketplace.sell_together($1)")


def is_plain(prepared: "Prepared", sender: "Sender", offered: list[Listed]) -> bool:
    """Tell whether a lead may be sold by the plain statement to those whom it is offered to first."""
    submission, vertical = prepared.judged.submission, prepared.live.vertical
    return (
        len(offered) == 1
        and sender.idempotency_key is None
        and not prepared.deals
        and not submission.test
        and (submission.consent is None or submission.consent.resale is not True)
        and vertical.bands is None
        and vertical.distribution.way != SHARED_ONLY
        and _has_plain_limits(offered[0].terms)
        and not (sender.awaits and offered[0].terms.is_sync)
    )


def _has_plain_limits(terms: OrderTerms) -> bool:
    """Tell whether an exclusive order has no limits but caps and budgets; only the general way knows the others."""
    return terms.max_share == 1 and not (terms.weekday_caps or terms.pacing or terms.ladder or terms.buyer_zone)


def plain_values(prepared: "Prepared", sender: "Sender", best: Listed) -> tuple[Any, ...]:
    """Return the statement's values: the lead, who buys it, what the vertical says, and who sends it."""
    vertical, terms, asked = prepared.live.vertical, best.terms, prepared.judged.min_price
    (lead_id, publisher_id, vertical_id, region, _, contact_class, temperature, score, _, external_id, source_name, at,
     details, contact, contact_key) = prepared.row  # fmt: skip
    return (
        lead_id, new_id(), publisher_id, vertical_id, region, contact_class, temperature, score, external_id,
        source_name, at, details, contact, contact_key, best.order_id, best.version, best.buyer_id, best.price_minor,
        terms.delivered_later, list(period_starts(terms.timezone, at)), prepared.live.book.version, vertical.currency,
        list(prepared.keys), vertical.window_hours, vertical.hold_days, asked.minor if asked else 0,
        vertical.definition.delivery_grace_minutes, sender.key_id, sender.name, prepared.answer.decode(),
    )  # fmt: skip
