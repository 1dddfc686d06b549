"""A change to suppose: a YAML or JSON file that says what would have been otherwise; its faults are named at once."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from core.errors import Fault, Invalid, Malformed
from core.schemas import Amount, convert
from marketplace.catalog.definition import Buyers, VerticalDefinition
from marketplace.catalog.distribution import Distribution, LeastPrice, MarginBand
from marketplace.leads.imports.mapping import parsed
from marketplace.orders.terms import OrderBody, OrderPatch

MOST_PLACE = 1_000_000
FIXED_OF_ORDERS = ("name", "vertical", "model", "action", "rate_bp", "hold", "delivery", "contact_sla", "settings")
_SAYS_ORDER = "This does not bear on who buys a lead, or makes it another order: leave it out."
_SAYS_VERTICAL = (
    "Leads were judged by it when they came: only distribution, margin, least prices and sharing can be supposed."
)


class VerticalChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What of a vertical would have been otherwise; `min_price` is then the least that any order pays for a lead."""

    min_price: Amount | None = None
    min_prices: tuple[LeastPrice, ...] | None = None
    margin: tuple[MarginBand, ...] | None = None
    distribution: Distribution | None = None
    buyers_ceiling: Buyers | None = None


class SourceChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the leads of a source would have asked for, instead of what they did; null asks nothing."""

    publisher: str
    source: str
    vertical: str
    exclusive_only: bool = False
    most_buyers: Annotated[int, Meta(ge=2, le=5)] | None = None
    min_price: Amount | None = None


class PublisherChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A publisher's share of the price, where the vertical has no bands."""

    share_bp: Annotated[int, Meta(ge=0, le=10_000)]


class PlaceChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an order would have stood; null is no place."""

    order: str
    priority: Annotated[int, Meta(ge=1, le=MOST_PLACE)] | None = None
    target_share: Annotated[int, Meta(ge=1, le=MOST_PLACE)] | None = None


class NewOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that would have been there from the beginning of the period."""

    buyer: str
    order: OrderBody


class MoreFunds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money that a buyer would have had more at the beginning."""

    buyer: str
    amount: Amount


class Change(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a file may suppose; an empty one supposes nothing."""

    orders: dict[str, OrderPatch] = {}
    new_orders: tuple[NewOrder, ...] = ()
    places: tuple[PlaceChange, ...] = ()
    verticals: dict[str, VerticalChange] = {}
    sources: tuple[SourceChange, ...] = ()
    publishers: dict[str, PublisherChange] = {}
    funds: tuple[MoreFunds, ...] = ()


NOTHING = Change()


def read_change(text: str) -> Change:
    """Read a change from YAML or JSON; Invalid `invalid_change` names every unknown key, bad number and wrong type."""
    try:
        document = parsed(text)
    except Malformed as wrong:
        raise invalid(wrong.faults) from None
    return change_of(document)


def change_of(document: Any) -> Change:
    """Read a change that is no text any more; Invalid as `read_change`. Nothing at all supposes nothing."""
    if document is None:
        return NOTHING
    fixed = list(_fixed(document)) if isinstance(document, Mapping) else []
    try:
        change = convert(_without(document, {fault.field for fault in fixed}), Change)
    except Malformed as wrong:
        raise invalid([*fixed, *wrong.faults]) from None
    if fixed:
        raise invalid(fixed)
    return change


def invalid(faults: Iterable[Fault]) -> Invalid:
    """Make the refusal of a change."""
    return Invalid("invalid_change", "The change has faults; nothing was run.", faults)


def _fixed(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Name what is known and cannot be supposed."""
    fixed = set(VerticalDefinition.__struct_fields__) - set(VerticalChange.__struct_fields__)
    for part, names, says in (("orders", set(FIXED_OF_ORDERS), _SAYS_ORDER), ("verticals", fixed, _SAYS_VERTICAL)):
        said = document.get(part)
        for key, one in said.items() if isinstance(said, Mapping) else ():
            for name in one if isinstance(one, Mapping) else ():
                if name in names:
                    yield Fault(f"{part}.{key}.{name}", "cannot_change", says)


def _without(document: Any, fields: set[str]) -> Any:
    if not fields:
        return document
    return {
        part: {
            key: {name: value for name, value in one.items() if f"{part}.{key}.{name}" not in fields}
            if isinstance(one, Mapping) else one for key, one in said.items()
        } if isinstance(said, Mapping) else said for part, said in document.items()
    }  # fmt: skip


def definition_with(definition: VerticalDefinition, change: VerticalChange) -> VerticalDefinition:
    """Return a vertical's definition as the change would have it."""
    plain = {name: getattr(definition, name) for name in definition.__struct_fields__}
    for name in ("min_price", "min_prices", "margin", "distribution"):
        if (said := getattr(change, name)) is not None:
            plain[name] = said
    if change.buyers_ceiling is not None:
        share = definition.share
        buyers = min(share.buyers, change.buyers_ceiling)
        plain["share"] = type(share)(
            buyers=buyers, buyers_ceiling=change.buyers_ceiling, new_publisher_bp=share.new_publisher_bp
        )
    return VerticalDefinition(**plain)
