"""What somebody finds: their own by id or name, an operator everybody's; every question goes by an index."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from core.db import db
from core.errors import NotFound
from core.identity import Account
from core.ids import parse_id
from marketplace.catalog.models import VerticalRow
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.models import Lead, PersonKey, Sale
from marketplace.leads.sources.models import LeadSource
from marketplace.orders.models import Order
from marketplace.reports.publisher_leads import says_sub

MOST = 20  # found things that are shown
OWN = 500  # of one's own orders or sources, the newest, whose names are looked at
LONGEST = 200
LETTERS = 26  # of an id without its prefix


@dataclass(frozen=True, slots=True)
class Found:
    """One thing: what it is (`lead sale order dispute source sub publisher buyer operator`), its id, name and state.

    An operator is also told whose a lead, a sale or an order is, since there they are read.
    """

    kind: str
    id: UUID
    name: str = ""
    state: str = ""
    owner_id: UUID | None = None


def found_by(kind: str, account_id: UUID, text: str, keys: Sequence[bytes] = ()) -> list[Found]:
    """Return what an account of a kind finds by an id, with its prefix or without, or by a name.

    Somebody else's is never found. `keys` are those of a person (`leads/persons.py`): only operators find leads by
    them, and only those of whom the exchange recognises again anyway.
    """
    wanted = text.strip()
    if not wanted or len(wanted) > LONGEST or "\x00" in wanted:
        return []
    mine = None if kind == "operator" else account_id
    found = [*_by_id(kind, mine, wanted)]
    if mine is None and keys:
        found += _by_person(keys)
    if not found:
        found += _BY_NAME[kind](account_id, wanted)
    return found[:MOST]


def _by_id(kind: str, mine: UUID | None, text: str) -> Iterator[Found]:
    for prefix, find in _BY_ID.items():
        try:
            wanted = parse_id(prefix, text if "_" in text else f"{prefix}_{text}")
        except NotFound:
            continue
        yield from find(kind, mine, wanted)


def _lead(kind: str, mine: UUID | None, wanted: UUID) -> Iterator[Found]:
    row = None if kind == "buyer" else db.session.get(Lead, wanted)
    if row is not None and mine in (None, row.publisher_id):
        yield _of_lead(row, mine)
        if mine is None:
            for sale in db.session.scalars(select(Sale).where(Sale.lead_id == row.id).order_by(Sale.id)):
                yield Found("sale", sale.id, state=sale.state, owner_id=sale.buyer_id)


def _sale(kind: str, mine: UUID | None, wanted: UUID) -> Iterator[Found]:
    row = db.session.get(Sale, wanted)
    if row is None or mine not in (None, row.publisher_id if kind == "publisher" else row.buyer_id):
        return
    if kind == "publisher":
        yield Found("lead", row.lead_id, state="sold")
    else:
        yield Found("sale", row.id, state=row.state, owner_id=row.buyer_id if mine is None else None)
    for dispute in db.session.scalars(select(Dispute).where(Dispute.sale_id == row.id)):
        yield Found("dispute", dispute.id, dispute.reason, dispute.state)


def _order(kind: str, mine: UUID | None, wanted: UUID) -> Iterator[Found]:
    row = None if kind == "publisher" else db.session.get(Order, wanted)
    if row is not None and mine in (None, row.buyer_id):
        yield _of_order(row, mine)


def _dispute(kind: str, mine: UUID | None, wanted: UUID) -> Iterator[Found]:
    row = db.session.get(Dispute, wanted)
    if row is None or mine not in (None, row.publisher_id if kind == "publisher" else row.buyer_id):
        return
    yield Found("dispute", row.id, row.reason, row.state)
    if kind == "buyer":
        yield Found("sale", row.sale_id, state="disputed")


def _account(_kind: str, mine: UUID | None, wanted: UUID) -> Iterator[Found]:
    row = db.session.get(Account, wanted) if mine is None else None
    if row is not None:
        yield Found(row.kind, row.id, row.name, row.standing)


def _by_person(keys: Sequence[bytes]) -> Iterator[Found]:
    verticals = db.session.scalars(select(VerticalRow.id)).all()  # the primary key of person keys begins with these
    query = select(PersonKey.lead_id).where(PersonKey.vertical_id.in_(verticals), PersonKey.key.in_(keys)).limit(MOST)
    for row in db.session.scalars(select(Lead).where(Lead.id.in_(query)).order_by(Lead.id.desc())):
        yield _of_lead(row, None)


def _orders_named(account_id: UUID, text: str) -> Iterator[Found]:
    query = select(Order).where(Order.buyer_id == account_id).order_by(Order.id.desc()).limit(OWN)
    return (
        _of_order(row, account_id)
        for row in db.session.scalars(query)
        if text.casefold() in row.terms["name"].casefold()
    )


def _sources_named(account_id: UUID, text: str) -> Iterator[Found]:
    query = select(LeadSource).where(LeadSource.publisher_id == account_id).order_by(LeadSource.id.desc()).limit(OWN)
    for row in db.session.scalars(query):
        if text.casefold() in row.name.casefold():
            yield Found("source", row.id, row.name, row.status)


def _sub_or_source(account_id: UUID, text: str) -> Iterator[Found]:
    query = select(Lead.id).where(Lead.publisher_id == account_id, Lead.test.is_(False), says_sub(text))
    newest = db.session.scalar(query.order_by(Lead.id.desc()).limit(1))
    if newest is not None:
        yield Found("sub", newest, text)
    yield from _sources_named(account_id, text)


def _accounts_named(_: UUID, text: str) -> Iterator[Found]:
    begins = func.lower(Account.name).like(func.lower(_plain(text)) + "%", escape="\\")
    query = select(Account).where(begins).order_by(func.lower(Account.name), Account.id).limit(MOST)
    return (Found(row.kind, row.id, row.name, row.standing) for row in db.session.scalars(query))


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _of_lead(row: Lead, mine: UUID | None) -> Found:
    return Found("lead", row.id, state=row.status, owner_id=row.publisher_id if mine is None else None)


def _of_order(row: Order, mine: UUID | None) -> Found:
    return Found("order", row.id, row.terms["name"], row.status, row.buyer_id if mine is None else None)


_BY_ID: dict[str, Callable[[str, UUID | None, UUID], Iterator[Found]]] = {
    "lead": _lead, "sale": _sale, "ord": _order, "dsp": _dispute, "acc": _account,
}  # fmt: skip
_BY_NAME: dict[str, Callable[[UUID, str], Iterator[Found]]] = {
    "publisher": _sub_or_source, "buyer": _orders_named, "operator": _accounts_named,
}  # fmt: skip
