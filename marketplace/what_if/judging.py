"""A change judged by what there is: unknown orders, sources and verticals, and values that contradict, all named."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from core.errors import DomainError, Fault, NotFound
from core.ids import new_id, parse_id
from core.money import Money
from core.schemas import Amount
from marketplace.catalog.definition import faults_of
from marketplace.catalog.verticals import Vertical
from marketplace.orders.standing import check_order
from marketplace.orders.terms import PORTAL, OrderPatch, OrderTerms, terms_of
from marketplace.what_if.change import Change, definition_with, invalid
from marketplace.what_if.happened import OrderSaid
from marketplace.what_if.supposing import Asked, Placed, Rule, Supposed, money_of, patched_body


@dataclass(frozen=True)
class OrderThen:
    """An order in the period: whose it is, where it buys, and every version that held."""

    buyer_id: UUID
    vertical_id: int
    versions: tuple[OrderTerms, ...]


@dataclass(frozen=True)
class Known:
    """What there is to change: `verticals` by their names, sources as (publisher, name), and the rules of these."""

    starts_at: datetime
    orders: Mapping[UUID, OrderThen]
    verticals: Mapping[str, tuple[int, Vertical]]
    buyers: frozenset[UUID]
    publishers: frozenset[UUID]
    sources: frozenset[tuple[UUID, str]]
    rules: Mapping[tuple[UUID, str, int], Rule]
    find: Callable[[str, str], UUID | None]  # what an id of a kind (ord, acc) stands for, None for none


def find_id(kind: str, shown: str) -> UUID | None:
    """Read an id as the exchange shows it; None when it cannot be one."""
    try:
        return parse_id(kind, shown)
    except NotFound:
        return None


def supposed(change: Change, known: Known) -> Supposed:
    """Return a change as a run goes by it; Invalid `invalid_change` with every fault, nothing half."""
    judge = _Judge(change, known)
    judge.everything()
    if judge.faults:
        raise invalid(judge.faults)
    return judge.found


class _Judge:
    """Goes through a change once, keeping what is sound and naming what is not."""

    def __init__(self, change: Change, known: Known) -> None:
        self._change, self._known = change, known
        self.faults: list[Fault] = []
        self.found = Supposed()

    def everything(self) -> None:
        """Judge every part."""
        change = self._change
        self.found.patches = dict(filter(None, (self._order(*one) for one in change.orders.items())))
        placed = dict(filter(None, (self._place(place) for place in range(len(change.places)))))
        self.found.places = placed
        self.found.verticals_weighed_anew = frozenset(self._known.orders[one].vertical_id for one in placed)
        self.found.verticals = {
            known[0]: one for slug, one in change.verticals.items()
            if (known := self._vertical(f"verticals.{slug}", slug)) and self._definition(slug, known[1])
        }  # fmt: skip
        self._new_orders()
        self._sources()
        for shown, one in change.publishers.items():
            if (publisher := self._account(f"publishers.{shown}", shown, "publisher")) is not None:
                self.found.shares = {**self.found.shares, publisher: one.share_bp}
        funds = []
        for place, more in enumerate(change.funds):
            buyer = self._account(f"funds.{place}.buyer", more.buyer, "buyer")
            money = self._money(f"funds.{place}.amount", more.amount)
            if buyer is not None and money is not None:
                funds.append(money_of(buyer, money, self._known.starts_at))
        self.found.funds = tuple(funds)

    def _fault(self, field: str, code: str, says: str) -> None:
        self.faults.append(Fault(field, code, says))

    def _order(self, shown: str, patch: OrderPatch) -> tuple[UUID, OrderPatch] | None:
        at, order_id = f"orders.{shown}", self._order_id(f"orders.{shown}", shown)
        if order_id is None:
            return None
        then = self._known.orders[order_id]
        vertical = next(one for id_, one in self._known.verticals.values() if id_ == then.vertical_id)
        named = {name for name in patch.__struct_fields__ if getattr(patch, name) is not UNSET}
        for terms in then.versions:
            if terms.deal is not None:
                if named - {"status"}:
                    says = "A deal is what both sides agreed: suppose it paused, or leave it."
                    self._fault(at, "deal_stands", says)
                break
            try:
                faults = check_order(patched_body(terms, patch), self._with_change(vertical))
            except DomainError as refused:
                faults = list(refused.faults)
            if faults:  # each version as changed is judged; the first that does not hold is told of
                self.faults += [Fault(f"{at}.{one.field}", one.code, one.message) for one in faults]
                return None
        return order_id, patch

    def _with_change(self, vertical: Vertical) -> Vertical:
        change = self._change.verticals.get(vertical.slug)
        return vertical if change is None else Vertical(definition_with(vertical.definition, change))

    def _place(self, place: int) -> tuple[UUID, Placed] | None:
        said = self._change.places[place]
        order_id = self._order_id(f"places.{place}.order", said.order)
        if order_id is None:
            return None
        if [other.order for other in self._change.places[:place]].count(said.order):
            self._fault(f"places.{place}.order", "said_twice", "This order stands above already.")
        return order_id, Placed(said.priority or 0, said.target_share or 0)

    def _definition(self, slug: str, vertical: Vertical) -> bool:
        faults = faults_of(definition_with(vertical.definition, self._change.verticals[slug]))
        self.faults += [Fault(f"verticals.{slug}.{one.field}", one.code, one.message) for one in faults]
        return not faults

    def _new_orders(self) -> None:
        made = []
        for place, one in enumerate(self._change.new_orders):
            at = f"new_orders.{place}"
            buyer = self._account(f"{at}.buyer", one.buyer, "buyer")
            known = self._vertical(f"{at}.order.vertical", one.order.vertical)
            if known is None:
                continue
            body = replace(one.order, delivery={"kind": PORTAL})
            faults = check_order(body, self._with_change(known[1]))
            self.faults += [Fault(f"{at}.order.{each.field}", each.code, each.message) for each in faults]
            if buyer is not None and not faults:
                terms = terms_of(body, known[1].min_price.minor)
                made.append(OrderSaid(self._known.starts_at, new_id(), buyer, known[0], 1, terms))
        self.found.new_orders = tuple(made)

    def _sources(self) -> None:
        found: dict[tuple[UUID, str, int], Asked] = {}
        for place, one in enumerate(self._change.sources):
            at = f"sources.{place}"
            publisher = self._account(f"{at}.publisher", one.publisher, "publisher")
            known = self._vertical(f"{at}.vertical", one.vertical)
            money = self._money(f"{at}.min_price", one.min_price, known[1].currency if known else None)
            if publisher is not None and (publisher, one.source) not in self._known.sources:
                self._fault(f"{at}.source", "unknown_source", "No lead of the period names this source of theirs.")
            if one.exclusive_only and one.most_buyers:
                self._fault(at, "one_of_two", "Say either exclusive_only or most_buyers.")
            if publisher is not None and known is not None:
                rule = Rule(one.exclusive_only, one.most_buyers, money.minor if money else None)
                key = (publisher, one.source, known[0])
                found[key] = Asked(rule, self._known.rules.get(key, Rule()))
        self.found.sources = found

    def _order_id(self, at: str, shown: str) -> UUID | None:
        order_id = self._known.find("ord", shown)
        if order_id not in self._known.orders:
            self._fault(at, "unknown_order", "Name an order that stood in the period, ord_… as the portal shows it.")
            return None
        return order_id

    def _vertical(self, at: str, slug: str) -> tuple[int, Vertical] | None:
        known = self._known.verticals.get(slug)
        if known is None:
            self._fault(at, "unknown_vertical", f"Name one of {', '.join(sorted(self._known.verticals))}.")
        return known

    def _account(self, at: str, shown: str, kind: str) -> UUID | None:
        found = self._known.find("acc", shown)
        if found not in (self._known.buyers if kind == "buyer" else self._known.publishers):
            self._fault(at, f"unknown_{kind}", f"Name a {kind}, acc_… as the operator's pages show it.")
            return None
        return found

    def _money(self, at: str, amount: Amount | None, currency: str | None = None) -> Money | None:
        if amount is None:
            return None
        try:
            money = Money.parse(amount.amount, amount.currency)
        except ValueError:
            self._fault(at, "invalid_amount", 'Write an amount, such as "12.50".')
            return None
        if money.minor <= 0:
            self._fault(at, "not_positive", "Say more than nothing, or leave it out.")
        if currency is not None and money.currency != currency:
            self._fault(f"{at}.currency", "wrong_currency", f"Leads of this vertical are traded in {currency}.")
        return money
