"""Another system's history as a record: its leads by a column map, its orders from a sheet, every bad line named.

Leads are held in memory, since their file need not stand in the order of time. Wallets are not known, so everybody can
pay; nor is why a lead did not sell.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from core.errors import DomainError, Fault, Invalid, Malformed
from core.money import Money
from core.schemas import convert
from marketplace.catalog.verticals import Vertical
from marketplace.leads.decisions import Tried
from marketplace.leads.facts import facts_of
from marketplace.leads.imports.mapped import Mapped
from marketplace.leads.imports.mapping import MappingFile, check_mapping, parsed
from marketplace.leads.rows import CsvFile, Row
from marketplace.leads.validation import Judged, judge
from marketplace.orders.periods import is_zone
from marketplace.orders.standing import check_order
from marketplace.orders.terms import PORTAL, OrderBody, terms_of
from marketplace.what_if.happened import Fact, LeadCame, OrderSaid, Record, SaleThen, Split
from marketplace.what_if.judging import Known, OrderThen
from marketplace.what_if.world import payout_of

NOT_RECORDED = "not_recorded"  # why another system's lead did not sell
SHOWN = 1000  # faults that are named
_NOBODY = UUID(int=0)
_PUBLISHER = UUID(int=1)
_VERTICAL = 1


class Columns(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which columns say when a lead came, to whom it was sold, for how much, and what its publisher got of it.

    `format` is how instants are written, in Python's `strptime` letters; ISO 8601 when left out. `timezone` is of those
    that say none.
    """

    received_at: str
    buyer: str
    price: str
    payout: str | None = None
    format: str | None = None
    timezone: str = "UTC"


class MapFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The map of a history: its vertical, its own columns, and the leads' mapping as for an import (docs/import.md)."""

    vertical: str
    columns: Columns
    leads: dict[str, Any]


@dataclass(frozen=True)
class Map:
    """A map that was judged."""

    columns: Columns
    leads: MappingFile


@dataclass(frozen=True)
class History:
    """A history that was read whole: its orders by their names, its leads in the order of time."""

    vertical: Vertical
    orders: Sequence[OrderSaid]
    leads: Sequence[LeadCame]
    buyers: Mapping[str, UUID]

    @property
    def split(self) -> Split:
        """Return how a price is shared where the file does not say it: as with a new publisher."""
        return _split(self.vertical)

    def record(self) -> Record:
        """Return it as a run reads it."""
        return Record({}, None, self._facts(), lambda _id, _book: self.vertical, lambda _publisher, _at: self.split)

    def known(self) -> Known:
        """Return what there is to change: orders and buyers by the names that the files give them."""
        by_name = {said.terms.name: said.order_id for said in self.orders}
        then = {said.order_id: OrderThen(said.buyer_id, _VERTICAL, (said.terms,)) for said in self.orders}
        return Known(
            self.orders[0].at, then, {self.vertical.slug: (_VERTICAL, self.vertical)},
            frozenset(self.buyers.values()), frozenset(), frozenset(), {},
            lambda kind, shown: (by_name if kind == "ord" else self.buyers).get(shown),
        )  # fmt: skip

    def names(self) -> dict[int, str]:
        """Return what the vertical is called in the report."""
        return {_VERTICAL: self.vertical.slug}

    def _facts(self) -> Iterator[Fact]:
        yield from self.orders
        yield from self.leads


def read_map(text: str) -> MapFile:
    """Read a map from YAML or JSON; Invalid `invalid_mapping` names every fault."""
    try:
        return convert(parsed(text), MapFile)
    except Malformed as wrong:
        raise Invalid("invalid_mapping", "The map has faults; nothing was run.", wrong.faults) from None


def check_map(file: MapFile, vertical: Vertical) -> Map:
    """Return a map judged by its vertical; Invalid `invalid_mapping` names every fault."""
    if not is_zone(file.columns.timezone):
        says = "Name a zone of the IANA database, such as Europe/Paris."
        raise Invalid("invalid_mapping", "The map has faults.", [Fault("columns.timezone", "unknown_timezone", says)])
    return Map(file.columns, check_mapping(file.leads, vertical))


def read_history(
    stream: io.BufferedReader, map_: Map, orders: Sequence[tuple[int, str, OrderBody]], vertical: Vertical
) -> History:
    """Read a history whole; Invalid `invalid_history` names every bad line of both files, and nothing is half read.

    `orders` are given with their lines and their buyers' names. Malformed for a file without a header.
    """
    faults: list[Fault] = []
    buyers = {name: UUID(int=place) for place, name in enumerate(dict.fromkeys(name for _, name, _ in orders), 2)}
    standing = list(_orders(orders, buyers, vertical, faults))
    reader = _Reader(map_, vertical, standing, buyers)
    file = CsvFile(stream, map_.leads.encoding, map_.leads.delimiter)
    missing = _missing(file.header, map_)
    faults += missing
    leads = [] if missing else sorted(reader.leads(file.rows(), faults), key=lambda one: one.at)
    if not faults and not leads:
        faults.append(Fault("leads", "no_rows", "Give a file with at least one lead under its header."))
    if not faults and not standing:
        faults.append(Fault("orders", "no_rows", "Give a sheet with at least one order."))
    if faults:
        left_out = f" {len(faults) - SHOWN} more are left out." if len(faults) > SHOWN else ""
        says = f"{len(faults)} faults; nothing was run.{left_out}"
        raise Invalid("invalid_history", says, faults[:SHOWN])
    return History(vertical, [replace(said, at=leads[0].at) for said in standing], leads, buyers)


def _split(vertical: Vertical) -> Split:
    return Split(vertical.share.new_publisher_bp, int(vertical.setting("margin.least_minor")))


def _orders(
    orders: Sequence[tuple[int, str, OrderBody]], buyers: Mapping[str, UUID], vertical: Vertical, faults: list[Fault]
) -> Iterator[OrderSaid]:
    seen: set[str] = set()
    for place, (line, buyer, body) in enumerate(orders, 1):
        at, plain = f"orders.{line}", replace(body, delivery={"kind": PORTAL}, settings=None)
        found = [Fault(f"{at}.{one.field}", one.code, one.message) for one in check_order(plain, vertical)]
        if body.vertical != vertical.slug:
            found.append(Fault(f"{at}.vertical", "unknown_vertical", f"The map is of {vertical.slug}; name that one."))
        if not buyer.strip():
            found.append(Fault(f"{at}.buyer", "missing", "Name the buyer as the leads do."))
        if body.name in seen:
            found.append(Fault(f"{at}.name", "said_twice", "Another order above has this name; give each its own."))
        seen.add(body.name)
        faults += found
        if not found:
            terms = terms_of(plain, vertical.min_price.minor)
            yield OrderSaid(datetime.now(UTC), UUID(int=place), buyers[buyer], _VERTICAL, 1, terms)


def _missing(header: Sequence[str], map_: Map) -> list[Fault]:
    wanted = dict.fromkeys(
        [map_.columns.received_at, map_.columns.buyer, map_.columns.price, map_.columns.payout, *map_.leads.columns()]
    )
    says = f"The file has the columns {', '.join(header)[:500]}."
    return [Fault(f"leads.1.{name}", "unknown_column", says) for name in wanted if name and name not in header]


class _Reader:
    """Reads rows of leads by a map, against the orders that stood."""

    def __init__(
        self, map_: Map, vertical: Vertical, orders: Sequence[OrderSaid], buyers: Mapping[str, UUID]
    ) -> None:  # fmt: skip
        self._columns, self._vertical, self._buyers = map_.columns, vertical, buyers
        self._mapped = Mapped(map_.leads, vertical, datetime.now(UTC))
        self._zone, self._split = ZoneInfo(map_.columns.timezone), _split(vertical)
        self._orders: dict[UUID, list[OrderSaid]] = {}
        for said in orders:
            self._orders.setdefault(said.buyer_id, []).append(said)

    def leads(self, rows: Iterator[Row], faults: list[Fault]) -> Iterator[LeadCame]:
        """Yield the leads of sound rows, and add the faults of the others."""
        for row in rows:
            found: list[Fault] = []
            lead = self._lead(row, found)
            faults += [Fault(f"leads.{row.line}.{one.field}", one.code, one.message) for one in found]
            if lead is not None and not found:
                yield lead

    def _lead(self, row: Row, faults: list[Fault]) -> LeadCame | None:
        if isinstance(row.columns, Malformed):
            faults.append(Fault("row", row.columns.code, row.columns.detail))
            return None
        at = self._instant(row.columns, faults)
        sales = self._sales(row.columns, at, faults)
        try:
            judged = judge(self._mapped.lead(row.columns), self._vertical, at)
        except DomainError as refused:
            faults += refused.faults or [Fault("row", refused.code, refused.detail)]
            return None
        tried = tuple(Tried(one.order_id, 1, "sold") for one in sales) or (Tried(_NOBODY, 1, NOT_RECORDED),)
        return LeadCame(
            at, UUID(int=row.line), judged.submission.source.name, _VERTICAL, 1, (),
            facts_of(judged, _PUBLISHER, at), None, _keys(judged), False, tried, tuple(sales),
        )  # fmt: skip

    def _instant(self, columns: Mapping[str, Any], faults: list[Fault]) -> datetime:
        name, written = self._columns.received_at, self._columns.format
        text = str(columns[name]).strip()
        try:
            at = datetime.strptime(text, written) if written else datetime.fromisoformat(text)  # noqa: DTZ007
            return at if at.tzinfo else at.replace(tzinfo=self._zone)
        except ValueError:
            faults.append(Fault(name, "not_an_instant", f"{text[:60]!r} is no instant as the map has it."))
            return datetime.now(UTC)

    def _sales(self, columns: Mapping[str, Any], at: datetime, faults: list[Fault]) -> list[SaleThen]:
        names = self._columns
        buyer, price = (str(columns[name]).strip() for name in (names.buyer, names.price))
        if not buyer and not price:
            return []
        if not buyer or not price:
            says = "Say both the buyer and the price of a sold lead, and neither of one that was not."
            faults.append(Fault(names.price if buyer else names.buyer, "missing", says))
            return []
        minor = self._minor(names.price, price, faults)
        if buyer not in self._buyers:
            faults.append(Fault(names.buyer, "unknown_buyer", f"No order is of {buyer[:60]!r}."))
        if minor is None or self._buyers.get(buyer) not in self._orders:
            return []
        said = str(columns[names.payout]).strip() if names.payout else ""
        payout = self._minor(str(names.payout), said, faults) if said else None
        if payout is None:
            payout = payout_of(minor, self._split, self._vertical.bands)
        order = self._order_of(self._buyers[buyer], minor)
        return [SaleThen(order.order_id, order.buyer_id, minor, payout, at, "settled", None, 0)]

    def _order_of(self, buyer_id: UUID, minor: int) -> OrderSaid:
        """Return by which of a buyer's orders he bought: the first at this price, else his first."""
        orders = self._orders[buyer_id]
        return next((one for one in orders if one.terms.price_minor == minor), orders[0])

    def _minor(self, name: str, text: str, faults: list[Fault]) -> int | None:
        try:
            minor = Money.parse(text, self._vertical.currency).minor
        except ValueError:
            minor = -1
        if minor < 0:
            faults.append(Fault(name, "bad_amount", f"Write an amount in {self._vertical.currency}, such as 12.50."))
            return None
        return minor


def _keys(judged: Judged) -> tuple[int, ...]:
    said = (("e", judged.email_key), ("p", judged.phone_e164), ("l", judged.profile_key))
    digests = (blake2b(f"{kind}{value}".encode(), digest_size=8).digest() for kind, value in said if value)
    return tuple(int.from_bytes(digest, "big") for digest in digests)
