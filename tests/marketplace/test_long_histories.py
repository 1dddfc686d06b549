"""What pages ask of a long history: no statement reads a whole table, or more of one than a page needs."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from billing import bank_unexplained, suspended
from core.db import db
from core.ids import parse_id
from core.keyset import Asked
from core.months import month_of
from marketplace.leads.desk import desk
from marketplace.leads.models import Lead
from marketplace.leads.queries import pending_of, unsealed
from marketplace.market import counting, losses, quality
from marketplace.orders.models import Order
from marketplace.reports import (
    buyer_leads,
    buyer_orders,
    buyer_wallet,
    credit,
    dispute_queue,
    months,
    parties,
    pending,
    publisher_balance,
    publisher_disputes,
    publisher_leads,
    publisher_today,
)
from tests.conftest import SetClock
from tests.deals import make_deal
from tests.factories import Market

ROWS = 20_000  # over two hundred days, so that fourteen of them are a fourteenth
MOST_ROWS = ROWS // 5
LONG = {"leads", "sales", "events", "entries", "transactions", "disputes", "deliveries", "delivery_attempts"}

# A whole table is then only read where no index serves.
# Copies of one lead, its sale, its dispute and its hold in one database transaction that is never committed.
HISTORY = """
    CREATE TEMPORARY TABLE history ON COMMIT DROP AS
    SELECT n, uuidv7(make_interval(hours => -n)) AS lead_id, uuidv7(make_interval(hours => -n)) AS sale_id,
           CAST(:at AS timestamptz) - n * interval '200 days' / :rows AS at
    FROM generate_series(1, :rows) AS n;
    INSERT INTO marketplace.leads
    SELECT h.lead_id, publisher_id, vertical_id, region, CASE h.n % 5 WHEN 0 THEN 'rejected' ELSE 'sold' END, reasons,
           contact_class, (ARRAY['hot', 'warm', 'cold'])[1 + h.n % 3], h.n % 101, test, external_id, source_name, h.at,
           jsonb_set(details, '{source,sub}', jsonb_build_object('1', 'sub-' || h.n % 1000)), contact, contact_key, decision FROM marketplace.leads, history h WHERE id = :lead;
    INSERT INTO marketplace.sales SELECT (jsonb_populate_record(s, jsonb_build_object('id', h.sale_id, 'lead_id',
           h.lead_id, 'sold_at', h.at, 'ended_at', CASE WHEN h.n >= 700 THEN h.at END, 'state',
           CASE WHEN h.n < 700 THEN 'delivered' ELSE 'settled' END))).*
    FROM marketplace.sales s, history h WHERE s.id = :sale;
    INSERT INTO marketplace.disputes SELECT (jsonb_populate_record(d, jsonb_build_object('id', h.sale_id, 'sale_id',
           h.sale_id, 'state', 'rejected', 'opened_at', h.at, 'decided_at', h.at))).*
    FROM marketplace.disputes d, history h WHERE d.sale_id = :sale;
    INSERT INTO billing.transactions (id, key, kind, currency, actor, occurred_at)
    SELECT sale_id, 'history:' || n, 'hold', 'EUR', 'system:test', at FROM history;
    INSERT INTO billing.entries SELECT h.sale_id, e.line, e.account, e.sub_account, e.owner_id, e.currency,
           e.amount_minor FROM billing.entries e, history h WHERE e.transaction_id = :sale;
    SET LOCAL enable_seqscan = off;
    ANALYZE marketplace.leads, marketplace.sales, marketplace.disputes, billing.transactions, billing.entries
"""

Ask = Callable[[UUID, UUID, Any], object]
NEWEST, OLDEST = Asked("received", descending=True), Asked("received", descending=False)
ASKED: dict[str, Ask] = {
    "publisher today": lambda p, _, at: publisher_today.today_of(p, "EUR", at),
    "publisher latest": lambda p, _, at: publisher_today.latest_leads(p, NEWEST, None),
    "publisher latest sold": lambda p, _, at: publisher_today.latest_leads(p, NEWEST, "sold"),
    "publisher pending": lambda p, _, at: pending_of(p, "EUR"),
    "publisher next release": lambda p, _, at: publisher_today.next_release_of(p, "EUR"),
    "publisher reserve": lambda p, _, at: publisher_balance.reserve_days(p, "EUR", at),
    "publisher leads": lambda p, _, at: publisher_leads.leads_asked(p, publisher_leads.Narrowed(), NEWEST),
    "publisher leads, oldest": lambda p, _, at: publisher_leads.leads_asked(p, publisher_leads.Narrowed(), OLDEST),
    "publisher leads of a day": lambda p, _, at: publisher_leads.leads_asked(
        p, publisher_leads.Narrowed(since=at.date(), until=at.date()), NEWEST),
    "suspense": lambda _, __, at: suspended(),
    "suspense and the bank": lambda _, __, at: bank_unexplained(at),
    "publisher leads of a sub id": lambda p, _, at: publisher_leads.leads_asked(
        p, publisher_leads.Narrowed(sub="sub-7"), NEWEST),
    "publisher leads of no sub id": lambda p, _, at: publisher_leads.leads_asked(
        p, publisher_leads.Narrowed(sub="nobody's"), NEWEST),
    "publisher weeks": lambda p, _, at: pending.pending_weeks("EUR", p),
    "publisher held": lambda p, _, at: pending.held_part(p, "EUR", at, None),
    "publisher cycles": lambda p, _, at: pending.cycles_of(p, at),
    "publisher month": lambda p, _, at: months.month_told("statement", p, "EUR", month_of(at), at),
    "publisher movements": lambda p, _, at: buyer_wallet.movements_of(p, "EUR", None),
    "publisher disputes": lambda p, _, at: publisher_disputes.disputes_asked(p, None, Asked("opened", True)),
    "publisher answers": lambda p, _, at: publisher_disputes.waiting_for(p, at),
    "buyer orders": lambda _, b, at: buyer_orders.order_lines(b, Asked("created", True), None, at),
    "buyer leads": lambda _, b, at: buyer_leads.bought_leads(b, buyer_leads.Wanted(), at),
    "buyer hot leads": lambda _, b, at: buyer_leads.bought_leads(b, buyer_leads.Wanted(temperature="hot"), at),
    "buyer wallet": lambda _, b, at: buyer_wallet.wallet_standing(b, "EUR", at),
    "buyer movements": lambda _, b, at: buyer_wallet.movements_of(b, "EUR", None),
    "buyer credit": lambda _, b, at: credit.statement_of(b, "EUR", None),
    "operator credit line": lambda _, b, at: credit.line_story(b, "EUR", at),
    "a day of the market": lambda _, __, at: counting._counted(at.date() - timedelta(days=40)),
    "quality of sources": lambda p, _, at: db.session.execute(quality._endings(p, at - timedelta(days=30), at)).all(),
    "why an order lost": lambda _, b, at: losses.losses_of(
        db.session.scalars(db.select(Order).where(Order.buyer_id == b)).one(), at.date() - timedelta(days=40), desk().vault),
    "operator waiting": lambda *_: dispute_queue.waiting_disputes(),
    "operator disputes": lambda *_: dispute_queue.queue_of(Asked("opened", True), dispute_queue.Narrowed()),
    "operator publishers": lambda p, _, at: parties.publishers_figures([p], "EUR", at),
    "operator buyers": lambda _, b, at: parties.buyers_figures([b], "EUR", at),
}  # fmt: skip


@pytest.fixture
def parties_of(market: Market, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[UUID, UUID]]:
    """Give one publisher and one buyer a long history, and take it back afterwards."""
    deal = make_deal(market)
    deal.dispute()
    publisher, buyer = parse_id("acc", deal.publisher.id), parse_id("acc", deal.buyer.id)
    db.session.rollback()
    [(sale, lead)] = db.session.execute(db.text("SELECT id, lead_id FROM marketplace.sales")).all()
    contact = unsealed(db.session.get_one(Lead, lead), desk().vault)  # sealed for one lead, and copied to all
    for module in ("buyer_leads", "publisher_leads"):
        monkeypatch.setattr(f"marketplace.reports.{module}.unsealed", lambda *_: contact)
    monkeypatch.setattr("marketplace.leads.contact_clock.unsealed", lambda *_: contact)
    values = {"lead": lead, "sale": sale, "at": clock.now(), "rows": ROWS}
    for statement in HISTORY.split(";"):
        wanted = {name: value for name, value in values.items() if f":{name}" in statement}
        db.session.execute(db.text(statement), wanted)
    yield publisher, buyer
    db.session.rollback()


@contextmanager
def plans() -> Iterator[list[tuple[str, Any]]]:
    """Collect what each statement of the session did, as PostgreSQL tells when it explains and runs it."""
    found: list[tuple[str, Any]] = []

    def explain(connection: Any, _: object, statement: str, parameters: Any, *__: object) -> None:
        with connection.connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
            [(said,)] = cursor.fetchall()
        found.append((statement, (json.loads(said) if isinstance(said, str) else said)[0]["Plan"]))

    event.listen(db.engine, "before_cursor_execute", explain)
    yield found
    event.remove(db.engine, "before_cursor_execute", explain)


def nodes(plan: Any) -> Iterator[Any]:
    """Yield a plan's nodes."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def rows_read(node: Any) -> float:
    """Count the rows that a node visited, those that it threw away with them."""
    passed = sum(
        node.get(name, 0) for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    )
    return float(passed * node["Actual Loops"])


def too_much(plan: Any) -> Iterator[str]:
    """Name what a plan reads of a long table: the whole of it, or more than a page needs."""
    for node in nodes(plan):
        whole = node["Node Type"] == "Seq Scan"
        if node.get("Relation Name") in LONG and (whole or rows_read(node) > MOST_ROWS):
            yield f"{node['Node Type']} on {node['Relation Name']}: {rows_read(node):.0f} rows"


def test_no_page_reads_a_whole_history(parties_of: tuple[UUID, UUID], clock: SetClock) -> None:
    faults = []
    for name, ask in ASKED.items():
        with plans() as told:
            ask(*parties_of, clock.now())
        assert told, name
        faults += [(name, fault, statement[:300]) for statement, plan in told for fault in too_much(plan)]
    assert faults == [], "\n".join(map(str, faults))
