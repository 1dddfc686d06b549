"""The log: who did what when, for operators alone, in an order that loses nothing, and found by its index."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from core.db import db, transaction
from core.ids import new_id, parse_id, show_id
from core.overrides import Word, say
from marketplace.catalog.shelf import apply_vertical, get_vertical
from marketplace.catalog.verticals import Vertical
from marketplace.leads.resuming import resume
from marketplace.orders.standing import pause_order
from marketplace.reports.audit_log import Asked, deeds
from marketplace.resolved import REACHES
from tests.at_once import ask
from tests.conftest import SetClock
from tests.deals import Deal
from tests.factories import Market
from tests.marketplace.test_portal_pages import MOST_QUERIES, queries, visitor_of
from tests.visitor import words_of

ODD = "<b>שלום & " + "x" * 180 + "</b>"


def log_of(deal: Deal, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = deal.operator.get(f"/audit-log{query}")["items"]
    return items


@pytest.fixture
def disputed(deal: Deal, clock: SetClock) -> Deal:
    """Dispute the sale, and a day later reject the claim."""
    opened = deal.dispute(note=ODD)
    clock.advance(days=1)
    assert deal.decide(opened, "reject", note=ODD).status_code == 200
    return deal


def test_the_log_says_who_did_what_to_what_when_and_why(disputed: Deal) -> None:
    _, latest, *_, first = log_of(disputed)
    assert latest["actor"].startswith("key_") and latest["account"] == disputed.operator.id
    assert (latest["kind"], latest["move"], latest["at"][:10]) == ("dispute", "open>rejected", "2026-11-23")
    assert latest["object"].startswith("dsp_") and latest["id"].startswith("evt_") and latest["actor_name"]
    assert first["account"] == disputed.buyer.id and first["at"][:10] == "2026-11-22"
    assert {one["kind"] for one in log_of(disputed)} == {"dispute", "sale", "order"}


def test_a_births_and_the_systems_moves_stand_in_the_log_of_their_thing(disputed: Deal) -> None:
    [lead] = disputed.publisher.get("/leads")["items"]
    assert all(one["kind"] != "lead" for one in log_of(disputed))
    [born] = log_of(disputed, f"?object={lead['id']}")
    assert (born["move"], born["account"]) == ("received>sold", disputed.publisher.id)
    moves = [one["move"] for one in log_of(disputed, f"?object={disputed.sale}")]
    assert moves == ["disputed>delivered", "delivered>disputed", "new>delivered"]


def test_the_log_is_narrowed(disputed: Deal) -> None:
    everything = log_of(disputed)
    operators = everything[0]["actor"]
    for query, holds in (
        (f"?actor={operators}", lambda one: one["actor"] == operators),
        ("?kind=sale", lambda one: one["kind"] == "sale"),
        ("?day=2026-11-22", lambda one: one["at"].startswith("2026-11-22")),
        (f"?kind=dispute&day=2026-11-23&actor={operators}", lambda one: one["move"] == "open>rejected"),
    ):
        assert log_of(disputed, query) == [one for one in everything if holds(one)] != []
    for query in ("?day=2026-11-24", "?kind=account", "?actor=cli", f"?object={show_id('acc', new_id())}"):
        assert log_of(disputed, query) == []


def test_the_log_is_continued_without_losing_or_doubling_a_row_of_one_instant(disputed: Deal) -> None:
    with transaction() as session:
        session.execute(db.text(
            "INSERT INTO marketplace.events (subject_id, at, move, actor)"
            " SELECT gen_random_uuid(), '2026-11-22T12:00Z', 'a>b', 'cli' FROM generate_series(1, 7)"))  # fmt: skip
    whole, shown, cursor = log_of(disputed), [], ""
    while cursor is not None:
        page = disputed.operator.get(f"/audit-log?limit=2{cursor and '&cursor=' + cursor}")
        shown += page["items"]
        cursor = page["next_cursor"]
    assert shown == whole and len({one["id"] for one in shown}) == len(shown) == 12
    assert [one["kind"] for one in shown].count(None) == 7


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [("day=2026-13-01", "day", "not_a_date"), ("day=2026-W48-5", "day", "not_a_date"), ("kind=all", "kind", "not_allowed_value"),
     ("actor=me", "actor", "bad_format"), ("actor=key_x", "actor", "bad_format"), ("actor=%00", "actor", "bad_format"),
     ("object=whk_x", "object", "bad_format"), ("object=acc_%00", "object", "bad_format"), ("cursor=evt_x", "cursor", "bad_cursor"),
     (f"cursor=evt_7{'z' * 25}", "cursor", "bad_cursor"), (f"cursor={show_id('evt', UUID(int=1 << 127 | 1))}", "cursor", "bad_cursor"),
     (f"cursor={show_id('evt', UUID(int=1 << 63))}", "cursor", "bad_cursor"),
     ("limit=0", "limit", "out_of_range")],
)  # fmt: skip
def test_what_cannot_be_read_is_named(deal: Deal, query: str, field: str, code: str) -> None:
    refused = deal.operator.request("GET", f"/audit-log?{query}")
    assert refused.status_code == 400
    assert [(one["field"], one["code"]) for one in refused.json["errors"]] == [(field, code)]


@pytest.mark.parametrize("query", ["day=0001-01-01", "day=9999-12-31", "actor=&kind=&day=&object="])
def test_days_at_the_ends_of_time_and_empty_filters_are_read(deal: Deal, query: str) -> None:
    assert deal.operator.request("GET", f"/audit-log?{query}").status_code == 200


def test_keys_of_other_accounts_are_refused(deal: Deal) -> None:
    for member in (deal.publisher, deal.buyer):
        assert member.request("GET", "/audit-log").status_code == 403
    assert deal.operator.app.test_client().get("/api/v1/audit-log").status_code == 401


def test_the_page_says_the_same_and_names_are_text(disputed: Deal, market: Market) -> None:
    visitor = visitor_of(market, disputed.operator)
    with queries(market.app) as said:
        answer = visitor.open("/operator/log")
    assert len(said) <= MOST_QUERIES, said
    assert "Open → Rejected" in words_of(answer) and "<b>שלום" not in answer.text
    page = visitor.read("/operator/log")
    [of_sale] = {link for link in page.xpath("//td/a/@href") if "object=sale" in link}
    assert "the system did by itself too" in words_of(visitor.open(of_sale))
    actor = page.xpath("//td/a[contains(@href, 'actor=key_')]/@href")[0]
    assert len(visitor.read(actor).xpath("//tbody/tr")) == 2
    assert "Nothing of this kind was done" in words_of(visitor.open("/operator/log?kind=account"))
    assert visitor.open("/operator/log?kind=x").status_code == 400


def _plain(statement: str) -> str:
    return statement.replace("%%", "%").partition("LIMIT")[0] + "LIMIT 50"


def test_the_log_is_found_by_its_index_among_the_events_of_sales(disputed: Deal, database_url: str) -> None:
    with transaction() as session:
        session.execute(db.text(
            "INSERT INTO marketplace.events (subject_id, at, move, actor)"
            " SELECT gen_random_uuid(), '2026-11-22T12:00Z', 'received>sold', 'key:' || gen_random_uuid()"
            " FROM generate_series(1, 20000)"))  # fmt: skip
        session.execute(db.text("ANALYZE marketplace.events"))
    with queries(disputed.operator.app) as said:
        assert len(deeds(Asked(), None, 50)) == len(log_of(disputed)) == 5
    db.session.rollback()
    plan = ask(database_url, "EXPLAIN " + _plain(next(one for one in said if "marketplace.events.why" in one)))
    assert "Index Scan Backward using events_deeds_idx" in str(plan)


def test_changes_of_orders_verticals_and_settings_stand_in_it_without_being_written_twice(
    disputed: Deal, market: Market, clock: SetClock
) -> None:
    [order] = disputed.buyer.get("/orders")["items"]
    for change in ({"status": "paused"}, {"name": ODD[:90]}):
        clock.advance(minutes=1)
        assert disputed.buyer.request("PATCH", f"/orders/{order['id']}", change).status_code == 200
    at = clock.advance(minutes=1)
    with transaction():
        say(Word("contact.order_minutes", "", 3, 0, "they answer faster"), REACHES, "cli", at)
    with transaction():
        _, standing = get_vertical("education")
        said = msgspec.to_builtins(standing.definition)
        apply_vertical(Vertical.load(said | {"version": said["version"] + 1}), at, "cli")
    latest = {(one["kind"], one["object"], one["why"]) for one in log_of(disputed, "?actor=cli")}
    assert latest == {("setting", "contact.order_minutes", "they answer faster"), ("vertical", "education", None)}
    of_order = [one["move"] for one in log_of(disputed, f"?object={order['id']}")]
    assert of_order == ["changed", "active>paused", "new>active"]
    assert [one["move"] for one in log_of(disputed, "?kind=order")] == of_order
    assert [one["kind"] for one in log_of(disputed, "?kind=setting")] == ["setting"]
    links = set(visitor_of(market, disputed.operator).read("/operator/log").xpath("//td/a/@href"))
    assert {"/operator/settings/contact.order_minutes", "/operator/verticals/education"} <= links


def test_a_change_that_left_an_event_with_its_reason_is_told_once(disputed: Deal, clock: SetClock) -> None:
    [order] = disputed.buyer.get("/orders")["items"]
    row = parse_id("ord", order["id"])
    with transaction():
        pause_order(row, "system:bounces", clock.advance(minutes=1))
    with transaction():
        resume("order", row, "it works again", "cli", clock.advance(minutes=1))
    told = [(one["move"], one["why"]) for one in log_of(disputed, "?actor=cli")]
    assert told == [("paused>active", "it works again")]
