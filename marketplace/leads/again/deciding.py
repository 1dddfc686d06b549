"""Whether a lead may be offered again, as what, until when and from when on: pure, from what is known of it.

It is offered until the consent is too old, the vertical's days are over or its data may not be kept any longer. One
that somebody has bought is sold again only by a consent that says so, when no buyer is inside his window any more.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from core.money import BASIS_POINTS
from marketplace.orders.ages import RESALABLE, STEPS

NEVER_AGAIN = datetime.max.replace(tzinfo=UTC)
OVER = ("refused", "failed")
DAYS_A_MONTH = 30


class Limits(Struct, frozen=True):
    """What a vertical and the country say: days, resales, and what a returned lead costs of another."""

    consent_days: int
    most_days: int
    unsold_days: int
    sold_months: int
    most_resales: int
    returned_bp: int


class PastSale(Struct, frozen=True):
    """A sale of the lead: its state, when it was made, its window, and the reason of a claim that was granted, if any.

    It is `contested` while a claim is not decided for good.
    """

    id: UUID
    buyer_id: UUID
    state: str
    price_minor: int
    sold_at: datetime
    window_ends_at: datetime | None
    claim: str | None = None
    is_deal: bool = False
    is_contested: bool = False
    resale: int = 0


class Chance(Struct, frozen=True):
    """What may be done with a lead now.

    Either it is over (`ended` says why), or it waits until `later` for a `reason`, or it is offered as a `kind`, to one
    buyer more at most for `ceiling_minor` if somebody has bought it before, and `returned` says why he sent it back.
    """

    ended: str | None = None
    later: datetime | None = None
    reason: str | None = None
    kind: str = "unsold"
    ceiling_minor: int | None = None
    returned: str | None = None


def chance_of(
    received_at: datetime, details: Mapping[str, Any], sales: Sequence[PastSale], limits: Limits, bp: int, at: datetime
) -> Chance:
    """Decide what may be done with a lead at this instant; `bp` is what leads of its age cost of fresh ones."""
    bought = [sale for sale in sales if sale.state not in OVER]
    until, why = ends(received_at, details, bool(bought), limits)
    if at >= until:
        return Chance(ended=why)
    if not bought:
        return Chance()
    if any(sale.state == "held" for sale in bought):
        return Chance(later=at + timedelta(days=1), reason="not_delivered")
    if any(sale.state == "disputed" or sale.is_contested for sale in bought):
        return Chance(later=at + timedelta(days=1), reason="disputed")
    if ended := _never_resold(details, details.get("consent") or {}, bought, limits):
        return Chance(ended=ended)
    windows = [_free_from(sale, at) for sale in bought if sale.state != "returned"]
    if windows and max(windows) > at:
        return Chance(later=max(windows), reason="inside_window")
    returned = next((sale.claim for sale in reversed(bought) if sale.state == "returned"), None)
    ceiling = bought[-1].price_minor * bp // BASIS_POINTS
    if returned is None:
        return Chance(kind="resale", ceiling_minor=ceiling)
    return Chance(kind="returned", ceiling_minor=ceiling * limits.returned_bp // BASIS_POINTS, returned=returned)


def ends(
    received_at: datetime, details: Mapping[str, Any], is_sold: bool, limits: Limits
) -> tuple[datetime, str]:  # fmt: skip
    """Return until when a lead may be offered, and what ends it."""
    kept_days = limits.sold_months * DAYS_A_MONTH if is_sold else limits.unsold_days
    given = (details.get("consent") or {}).get("given_at")
    bounds = [
        (received_at + timedelta(days=limits.most_days), "too_old"),
        (received_at + timedelta(days=kept_days), "retention_over"),
    ]
    if given is not None:
        bounds.append((datetime.fromisoformat(given) + timedelta(days=limits.consent_days), "consent_expired"))
    return min(bounds)


def next_step(received_at: datetime, age_minutes: int, edges: Sequence[int]) -> datetime | None:
    """Return when the lead next reaches an age at which its price falls or an order begins to buy; None for never."""
    later = [edge for edge in (*STEPS, *edges) if edge > age_minutes]
    return received_at + timedelta(minutes=min(later)) if later else None


def _never_resold(
    details: Mapping[str, Any], consent: Mapping[str, Any], bought: Sequence[PastSale], limits: Limits
) -> str | None:
    """Say why a lead that somebody has bought is not sold again, if so."""
    if consent.get("resale") is not True:
        return "sold"
    if details.get("exclusive_only") or any(sale.is_deal for sale in bought):
        return "made_for_one"
    if any(sale.claim is not None and sale.claim not in RESALABLE for sale in bought):
        return "pseudo_lead"
    if len([sale for sale in bought if sale.resale]) >= limits.most_resales:
        return "resold_out"
    most = consent.get("most_recipients")
    return "recipients_reached" if most is not None and len({sale.buyer_id for sale in bought}) >= most else None


def _free_from(sale: PastSale, at: datetime) -> datetime:
    """Return when a sale keeps its lead from nobody any more: its window's end, a day on while it is not delivered."""
    return sale.window_ends_at or at + timedelta(days=1)
