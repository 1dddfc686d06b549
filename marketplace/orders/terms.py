"""The terms of a standing order: the body a buyer sends, the change he sends later, and the frozen form that is kept.

Types are judged here, by msgspec (a wrong type is a malformed request); values are judged in `orders/checks.py`, so
that every bad value is named at once.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from core.defaults import default
from core.errors import Fault, Invalid
from core.money import Money
from core.schemas import learned
from marketplace.orders.ages import AT_CAP, AgeBody, Ages, age_body, ages_of
from marketplace.orders.deal_terms import DealTerms as DealTerms
from marketplace.orders.filters import OPERATORS, Filter
from marketplace.orders.pace import Ladder, LadderBody, ladder_body, ladder_of
from marketplace.orders.periods import DAYS, Schedule
from marketplace.orders.periods import PERIODS as PERIODS
from marketplace.orders.prices import Modifier
from marketplace.orders.said import (
    ModifierBody,
    MoneyBody,
    RadiusBody,
    ScheduleBody,
    minor_of,
    modifier_bodies,
    modifiers_of,
    money_body,
    prefixes_of,
    radius_body,
    radius_of,
    schedule_body,
    schedule_of,
)
from marketplace.orders.where import Radius

TEMPERATURES = ("cold", "warm", "hot")
CONTACT_CLASSES = ("quick", "registration", "promotional", "interested")
MODELS = ("cpl", "cpa", "cps")
OFFERED_MODELS = ("cpl",)
PORTAL = "none"  # the kind of delivery that needs none: what was bought is read in the portal or by the API
EXCLUSIVITIES = ("shared", "exclusive")
STATUSES = ("active", "paused")
MIN_SHARE, DEFAULT_SHARE, MAX_SHARE = 2, default("share.buyers"), default("share.most_buyers")


def _one_of(words: tuple[str, ...]) -> Meta:
    return Meta(extra_json_schema={"enum": list(words)})


Temperature = Annotated[str, _one_of(TEMPERATURES)]
ContactClass = Annotated[str, _one_of(CONTACT_CLASSES)]
AtCap = Annotated[str, _one_of(AT_CAP)]
Count = Annotated[int, Meta(extra_json_schema={"minimum": 1})]


class CapsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The most leads per period, and on days of the week; what is left out or null is unlimited."""

    hour: Count | None | UnsetType = UNSET
    day: Count | None | UnsetType = UNSET
    week: Count | None | UnsetType = UNSET
    month: Count | None | UnsetType = UNSET
    total: Count | None | UnsetType = UNSET
    weekday: dict[Annotated[str, _one_of(DAYS)], Count] | None | UnsetType = UNSET


class BudgetBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The most money per period; a period left out or null is unlimited."""

    hour: MoneyBody | None | UnsetType = UNSET
    day: MoneyBody | None | UnsetType = UNSET
    week: MoneyBody | None | UnsetType = UNSET
    month: MoneyBody | None | UnsetType = UNSET
    total: MoneyBody | None | UnsetType = UNSET


class FilterBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One condition on a field of the lead; all conditions of an order must hold."""

    field: str
    op: Annotated[str, _one_of(OPERATORS)]
    value: Any = None


class OrderBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new standing order; what is left out is unlimited, and a misspelt limit is refused instead of ignored."""

    name: str
    vertical: str
    regions: list[str] | None = None
    postal_prefixes: list[str] | None = None
    radius: RadiusBody | None = None
    model: Annotated[str, _one_of(MODELS)] = "cpl"
    price: MoneyBody | None = None
    modifiers: list[ModifierBody] | None = None
    price_floor: MoneyBody | None = None
    price_ceiling: MoneyBody | None = None
    returns: bool = True
    action: str | None = None
    rate_bp: int | None = None
    hold: dict[str, Any] | None = None
    exclusivity: Annotated[str, _one_of(EXCLUSIVITIES)] = "exclusive"
    max_share: int | None = None
    filters: list[FilterBody] | None = None
    min_score: int | None = None
    temperatures: list[Temperature] | None = None
    contact_classes: list[ContactClass] | None = None
    verified_only: bool | None = None
    caps: CapsBody | None = None
    budget: BudgetBody | None = None
    pacing: bool | None = None
    ladder: LadderBody | None = None
    schedule: ScheduleBody | None = None
    contact_hours: bool = False
    age: AgeBody | None = None
    at_cap: AtCap = "next"
    wait_hours: int | None = None
    delivery: dict[str, Any] | None = None
    contact_sla: bool | None = None
    settings: dict[str, int | bool] | None = None
    status: Annotated[str, _one_of(STATUSES)] = "active"


class OrderPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of some terms; `caps` and `budget` change period by period (null lifts one), all else as a whole.

    So do the caps of weekdays, all of them together.
    """

    name: str | UnsetType = UNSET
    vertical: str | UnsetType = UNSET
    regions: list[str] | None | UnsetType = UNSET
    postal_prefixes: list[str] | None | UnsetType = UNSET
    radius: RadiusBody | None | UnsetType = UNSET
    model: Annotated[str, _one_of(MODELS)] | UnsetType = UNSET
    price: MoneyBody | None | UnsetType = UNSET
    modifiers: list[ModifierBody] | None | UnsetType = UNSET
    price_floor: MoneyBody | None | UnsetType = UNSET
    price_ceiling: MoneyBody | None | UnsetType = UNSET
    returns: bool | UnsetType = UNSET
    action: str | None | UnsetType = UNSET
    rate_bp: int | None | UnsetType = UNSET
    hold: dict[str, Any] | None | UnsetType = UNSET
    exclusivity: Annotated[str, _one_of(EXCLUSIVITIES)] | UnsetType = UNSET
    max_share: int | None | UnsetType = UNSET
    filters: list[FilterBody] | None | UnsetType = UNSET
    min_score: int | None | UnsetType = UNSET
    temperatures: list[Temperature] | None | UnsetType = UNSET
    contact_classes: list[ContactClass] | None | UnsetType = UNSET
    verified_only: bool | None | UnsetType = UNSET
    caps: CapsBody | None | UnsetType = UNSET
    budget: BudgetBody | None | UnsetType = UNSET
    pacing: bool | None | UnsetType = UNSET
    ladder: LadderBody | None | UnsetType = UNSET
    schedule: ScheduleBody | None | UnsetType = UNSET
    contact_hours: bool | UnsetType = UNSET
    age: AgeBody | None | UnsetType = UNSET
    at_cap: AtCap | UnsetType = UNSET
    wait_hours: int | None | UnsetType = UNSET
    delivery: dict[str, Any] | None | UnsetType = UNSET
    contact_sla: bool | None | UnsetType = UNSET
    settings: dict[str, int | bool] | None | UnsetType = UNSET
    status: Annotated[str, _one_of(STATUSES)] | UnsetType = UNSET


class OrderTerms(Struct, frozen=True, kw_only=True):
    """What an order version says, normalised; every value is stored, so that a later default cannot change it.

    Empty `regions`, `postal_prefixes`, `temperatures` and `contact_classes` mean any; a floor or ceiling of 0 is none;
    `least_minor` is what the vertical asked for at least when modifiers were said; `max_share` 1 means exclusive; with
    `contact_hours` it buys only while the lead may be called; without `age` it buys leads as they come, and leads wait
    `wait_minutes` for it, 0 for not at all; without `returns` only fraud may be disputed; `contact_sla` lets the
    exchange pause the order when its leads are left alone; `priority` (the lowest number first) and `target_share` are
    the operator's to say, 0 where he has not, and `deal` is what a brief and who accepted it say; `buyer_zone` names
    the periods in which all orders of its buyer are limited together, empty where they are not; `settings` narrows what
    the exchange, the vertical and the country say; `delivery` has no secret in it.
    """

    name: str
    vertical: str
    currency: str
    price_minor: int
    regions: tuple[str, ...] = ()
    postal_prefixes: tuple[str, ...] = ()
    radius: Radius | None = None
    modifiers: tuple[Modifier, ...] = ()
    price_floor_minor: int = 0
    price_ceiling_minor: int = 0
    least_minor: int = 0
    returns: bool = True
    model: str = "cpl"
    max_share: int = 1
    filters: tuple[Filter, ...] = ()
    min_score: int = 0
    temperatures: tuple[str, ...] = ()
    contact_classes: tuple[str, ...] = ()
    verified_only: bool = False
    caps: dict[str, int] = {}
    weekday_caps: dict[str, int] = {}
    pacing: bool = False
    ladder: Ladder | None = None
    budget_minor: dict[str, int] = {}
    schedule: Schedule | None = None
    contact_hours: bool = False
    age: Ages | None = None
    wait_minutes: int = 0
    delivery_kind: str = PORTAL
    delivery: dict[str, Any] = {}
    contact_sla: bool = False
    settings: dict[str, int | bool] = {}
    priority: int = 0
    target_share: int = 0
    deal: DealTerms | None = None
    buyer_zone: str = ""
    status: str = "active"

    @property
    def is_aged_only(self) -> bool:
        """Tell whether the order buys no leads as they come."""
        return self.age is not None and self.age.from_minutes > 0

    @property
    def delivered_later(self) -> bool:
        """Tell whether what is bought still has to be delivered."""
        return self.delivery_kind != PORTAL

    @property
    def is_sync(self) -> bool:
        """Tell whether the buyer's answer is awaited inside the publisher's call."""
        return self.delivery.get("mode") == "sync"

    @property
    def exclusive(self) -> bool:
        """Tell whether the order buys alone."""
        return self.max_share == 1

    @property
    def timezone(self) -> str:
        """Return the zone in which caps and budgets reset: the schedule's, UTC without one."""
        return self.schedule.timezone if self.schedule else "UTC"


def terms_of(body: OrderBody, least_minor: int = 0) -> OrderTerms:
    """Normalise a body in which `check_terms` found no fault; ValueError may follow from any other body."""
    if body.price is None:
        raise ValueError("an order without a price has no terms")
    price = Money.parse(body.price.amount, body.price.currency)
    return OrderTerms(
        name=body.name.strip(),
        vertical=body.vertical,
        currency=price.currency,
        price_minor=price.minor,
        regions=_distinct(body.regions),
        postal_prefixes=prefixes_of(body.postal_prefixes, body.regions),
        radius=radius_of(body.radius, body.regions),
        modifiers=modifiers_of(body.modifiers),
        price_floor_minor=minor_of(body.price_floor),
        price_ceiling_minor=minor_of(body.price_ceiling),
        least_minor=least_minor if body.modifiers else 0,
        returns=body.returns,
        model=body.model,
        max_share=1 if body.exclusivity == "exclusive" else body.max_share or DEFAULT_SHARE,
        filters=tuple(Filter(each.field, each.op, each.value) for each in body.filters or ()),
        min_score=body.min_score or 0,
        temperatures=_distinct(body.temperatures),
        contact_classes=_distinct(body.contact_classes),
        verified_only=bool(body.verified_only),
        caps=limits_in(body.caps),
        weekday_caps=weekday_in(body.caps),
        pacing=bool(body.pacing),
        ladder=ladder_of(body.ladder) if body.ladder else None,
        budget_minor={
            period: Money.parse(money.amount, money.currency).minor for period, money in limits_in(body.budget).items()
        },
        schedule=schedule_of(body.schedule),
        contact_hours=body.contact_hours,
        age=ages_of(body.age),
        wait_minutes=60 * (body.wait_hours or default("wait.hours")) if body.at_cap == "wait" else 0,
        contact_sla=bool(body.contact_sla),
        settings=body.settings or {},
        delivery_kind=body.delivery["kind"] if body.delivery else PORTAL,
        delivery=body.delivery or {},
        status=body.status,
    )


def body_of(terms: OrderTerms) -> OrderBody:
    """Write terms back as the body that would create them, as it is shown to the order's owner."""
    budget = {
        period: MoneyBody(str(Money(minor, terms.currency)), terms.currency)
        for period, minor in terms.budget_minor.items()
    }
    return OrderBody(
        name=terms.name,
        vertical=terms.vertical,
        regions=list(terms.regions),
        postal_prefixes=list(terms.postal_prefixes) or None,
        radius=radius_body(terms.radius),
        modifiers=modifier_bodies(terms.modifiers, terms.currency),
        price_floor=money_body(terms.price_floor_minor, terms.currency),
        price_ceiling=money_body(terms.price_ceiling_minor, terms.currency),
        returns=terms.returns,
        model=terms.model,
        price=MoneyBody(str(Money(terms.price_minor, terms.currency)), terms.currency),
        exclusivity="exclusive" if terms.exclusive else "shared",
        max_share=None if terms.exclusive else terms.max_share,
        filters=[FilterBody(each.field, each.op, each.value) for each in terms.filters],
        min_score=terms.min_score,
        temperatures=list(terms.temperatures) or None,
        contact_classes=list(terms.contact_classes) or None,
        verified_only=terms.verified_only,
        caps=CapsBody(**terms.caps, weekday=terms.weekday_caps or UNSET),
        pacing=terms.pacing,
        ladder=ladder_body(terms.ladder, terms.currency) if terms.ladder else None,
        budget=BudgetBody(**budget),
        schedule=schedule_body(terms.schedule),
        contact_hours=terms.contact_hours,
        age=age_body(terms.age),
        at_cap="wait" if terms.wait_minutes else "next",
        wait_hours=terms.wait_minutes // 60 or None,
        contact_sla=terms.contact_sla,
        settings=terms.settings,
        delivery=terms.delivery or {"kind": PORTAL},
        status=terms.status,
    )


def by_others(terms: OrderTerms) -> dict[str, Any]:
    """Return what of an order is said elsewhere, which no change of the order touches."""
    return {name: getattr(terms, name) for name in ("priority", "target_share", "deal", "buyer_zone")}


def show_terms(terms: OrderTerms) -> dict[str, Any]:
    """Show terms as plain JSON values in the shape of the contract's order body."""
    shown: dict[str, Any] = msgspec.to_builtins(body_of(terms))
    for name in ("action", "rate_bp", "hold"):
        del shown[name]
    return shown


def patched(body: OrderBody, patch: OrderPatch) -> OrderBody:
    """Return the body with the patch's fields in place; Invalid when it would move the order to another vertical.

    Limits left out of `caps` and `budget` stay (RFC 7396): a raised day cap must not lift the total.
    """
    changes = {name: getattr(patch, name) for name in patch.__struct_fields__}
    changes = {name: value for name, value in changes.items() if value is not UNSET}
    if changes.get("vertical", body.vertical) != body.vertical:
        fault = Fault("vertical", "cannot_change", "An order stays in its vertical; create another order instead.")
        raise Invalid("cannot_change", fault.message, [fault])
    if isinstance(patch.caps, CapsBody):
        weekday = patch.caps.weekday if patch.caps.weekday is not UNSET else weekday_in(body.caps)
        changes["caps"] = CapsBody(**limits_in(body.caps) | _said(patch.caps), weekday=weekday)
    if isinstance(patch.budget, BudgetBody):
        changes["budget"] = BudgetBody(**limits_in(body.budget) | _said(patch.budget))
    return msgspec.structs.replace(body, **changes)


def encode_terms(terms: OrderTerms) -> bytes:
    """Write terms as the JSON that an order version keeps."""
    return msgspec.json.encode(terms)


def decode_terms(stored: bytes | str | dict[str, Any]) -> OrderTerms:
    """Read terms from an order version: JSON text, or the values a driver already read from it."""
    if isinstance(stored, dict):
        return msgspec.convert(stored, learned(OrderTerms))
    return msgspec.json.decode(stored, type=learned(OrderTerms))


def limits_in(body: CapsBody | BudgetBody | None) -> dict[str, Any]:
    """Return the limits a body sets, by period; what is left out or null sets none."""
    return {period: limit for period, limit in _said(body).items() if limit is not None} if body else {}


def weekday_in(body: CapsBody | None) -> dict[str, int]:
    """Return the caps that a body sets on days of the week."""
    return dict(body.weekday or {}) if body and body.weekday is not UNSET else {}


def _said(body: CapsBody | BudgetBody) -> dict[str, Any]:
    named = ((period, getattr(body, period)) for period in PERIODS)
    return {period: limit for period, limit in named if limit is not UNSET}


def _distinct(words: list[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words or ()))
