"""The operator's review: what stands still is found with why and since when, and can be set going again."""

from typing import Any
from urllib.parse import quote

import pytest

from core.db import db, transaction
from core.ids import new_id, parse_id, show_id
from tests.conftest import SetClock
from tests.deals import Deal
from tests.factories import Market, Member
from tests.marketplace.test_claim_guard import Trade
from tests.marketplace.test_portal_pages import MOST_QUERIES, queries, visitor_of
from tests.visitor import Visitor, words_of

ODD = "<b>שלום & " + "x" * 80 + "</b>"


@pytest.fixture(name="visitor")
def _visitor(deal: Deal, market: Market) -> Visitor:
    return visitor_of(market, deal.operator)


def pause_source(deal: Deal, name: str = "default", standing: str = "paused") -> str:
    deal.operator.post("/source-standings", {"publisher": deal.publisher.id, "source": name, "standing": "paused",
                                             "note": "a bot farm"})  # fmt: skip
    if standing != "paused":
        run("UPDATE marketplace.source_standings SET standing = :to WHERE source_name = :name", to=standing, name=name)
    return f"/operator/review/source?publisher={deal.publisher.id}&source={quote(name)}"


def run(statement: str, **values: Any) -> None:
    with transaction() as session:
        session.execute(db.text(statement), values)


def account(member: Member) -> Any:
    return parse_id("acc", member.id)


def test_where_nothing_waits_each_part_says_what_would_stand_there(visitor: Visitor) -> None:
    page = words_of(visitor.open("/operator/review"))
    assert "Nothing waits for an eye." in page
    for says in ("No source.", "Nobody.", "No buyer.", "No endpoint.", "No order.", "No webhook.", "No job."):
        assert says in page


def test_all_that_stands_still_is_found_in_few_queries(deal: Deal, visitor: Visitor, clock: SetClock) -> None:
    pause_source(deal, ODD)
    deal.operator.request("PATCH", f"/publishers/{deal.publisher.id}", {"standing": "paused"})
    at, buyer = clock.now(), account(deal.buyer)
    run("INSERT INTO marketplace.endpoints (id, buyer_id, address, state, probe_at)"
        " VALUES (:id, :buyer, 'https://leads.example/in', 'open', :at)", id=(endpoint := new_id()), buyer=buyer, at=at)  # fmt: skip
    run("INSERT INTO marketplace.events (subject_id, at, move, actor, why)"
        " VALUES (:id, :at, 'closed>open', 'system:breaker', '9 of 10 attempts failed')", id=endpoint, at=at)  # fmt: skip
    run("UPDATE marketplace.orders SET status = 'paused', version = 2, changed_at = :at", at=at)
    run("INSERT INTO marketplace.order_versions (order_id, version, status, terms, actor, at)"
        " SELECT id, 2, 'paused', terms, 'system:bounces', :at FROM marketplace.orders", at=at)  # fmt: skip
    run("INSERT INTO marketplace.events (subject_id, at, move, actor, why)"
        " SELECT id, :at, 'active>paused', 'system:bounces', 'no such mailbox' FROM marketplace.orders", at=at)  # fmt: skip
    hook = deal.buyer.post("/webhooks", {"url": "https://93.184.216.34/hook"})["id"]
    run("UPDATE core.webhooks SET disabled_at = :at, disabled_reason = 'failing' WHERE id = :id",
        at=at, id=parse_id("whk", hook))  # fmt: skip
    run("INSERT INTO procrastinate_jobs (queue_name, task_name, args, status) VALUES ('default', 'x', '{}', 'failed')")
    run("UPDATE core.accounts SET standing = 'suspended' WHERE id = :id", id=buyer)
    with queries(visitor.app) as said:
        answer = visitor.open("/operator/review")
    page = words_of(answer)
    assert len(said) <= MOST_QUERIES, said
    assert "Standing still besides disputes: 7." in page and ODD in page and "<b>שלום" not in answer.text
    for says in ("a bot farm", "Suspended", "9 of 10 attempts failed", "https://leads.example/in", "Mail came back",
                 "no such mailbox", "It failed too long", "Failed after every retry: 1."):  # fmt: skip
        assert says in page


def test_what_people_stopped_themselves_does_not_wait(deal: Deal, visitor: Visitor) -> None:
    [order] = deal.buyer.get("/orders")["items"]
    assert deal.buyer.request("PATCH", f"/orders/{order['id']}", {"status": "paused"}).status_code == 200
    hook = deal.buyer.post("/webhooks", {"url": "https://93.184.216.34/hook"})["id"]
    assert deal.buyer.request("PATCH", f"/webhooks/{hook}", {"enabled": False}).status_code == 200
    assert "Nothing waits for an eye." in words_of(visitor.open("/operator/review"))


def test_who_claims_too_much_or_falsely_is_found(market: Market) -> None:
    trade = Trade(market, 14)
    visitor = visitor_of(market, trade.operator)
    trade.rejected(9, 3)
    assert "No buyer." in words_of(visitor.open("/operator/review"))
    trade.decide(trade.claim(9).json, "uphold")
    page = words_of(visitor.open("/operator/review"))
    assert "now 14 7 – 10 3 Guarded" in page and "No buyer." not in page


def test_a_buyer_above_the_cap_is_found(market: Market) -> None:
    trade = Trade(market, 20)
    visitor = visitor_of(market, trade.operator)
    for number in range(4):
        assert trade.claim(number).status_code == 201
    standing = trade.buyer.get("/disputes/standing")
    page = words_of(visitor.open("/operator/review"))
    assert (standing["return_cap_reached"], "now 20 4 Above 0 0 –" in page) == (True, True)


def test_more_than_are_shown_are_counted(deal: Deal, visitor: Visitor) -> None:
    pause_source(deal)
    run("INSERT INTO marketplace.source_standings (publisher_id, source_name, standing, since, changed_at)"
        " SELECT publisher_id, 'source ' || n, 'warned', since, changed_at"
        " FROM marketplace.source_standings, generate_series(1, 24) n")  # fmt: skip
    page = words_of(visitor.open("/operator/review"))
    assert "Standing still besides disputes: 25." in page and "The latest 20 are shown; 5 more wait." in page


def test_a_paused_source_is_readmitted_after_a_question(deal: Deal, market: Market, visitor: Visitor) -> None:
    path = pause_source(deal)
    assert path in [link.replace("%5F", "_") for link in visitor.read("/operator/review").xpath("//a/@href")]
    assert deal.publisher.post("/leads", market.lead())["status"] == "rejected"
    page = words_of(visitor.open(path))
    assert "Readmit this source?" in page and "cannot be taken back" in page and "a bot farm" in page
    answer = visitor.send(path, standing="active", note="cleaned up")
    assert (answer.status_code, answer.location) == (302, "/operator/review")
    assert deal.publisher.post("/leads", market.lead())["status"] == "sold"
    assert "active already" in words_of(visitor.open(path))


def test_a_warned_source_is_paused(deal: Deal, market: Market, visitor: Visitor) -> None:
    path = pause_source(deal, standing="warned")
    assert visitor.send(path, standing="paused", note="enough").status_code == 302
    assert deal.publisher.post("/leads", market.lead())["status"] == "rejected"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"note": ""}, "Say why"),
        ({"note": ODD * 12}, "at most 1000"),
        ({"standing": "gone"}, "Choose active or paused"),
    ],
)
def test_a_source_that_cannot_be_changed_keeps_what_was_typed(
    deal: Deal, visitor: Visitor, said: dict[str, str], fault: str
) -> None:
    path, form = pause_source(deal), {"standing": "active", "note": "typed <here>"} | said
    answer = visitor.send(path, **form)
    assert answer.status_code == 200 and fault in words_of(answer)
    assert visitor.read(path).xpath("//input[@name='note']")
    if form["note"] == "typed <here>":
        assert "typed &lt;here&gt;" in answer.text


def test_a_source_that_never_stood_still_is_not_found(deal: Deal, visitor: Visitor) -> None:
    for query in ("", f"publisher={deal.publisher.id}&source=other", f"publisher={show_id('acc', new_id())}&source=x",
                  f"publisher={deal.publisher.id}&source=%00"):  # fmt: skip
        assert visitor.open(f"/operator/review/source?{query}").status_code == 404


def test_a_publisher_is_readmitted_and_the_log_says_by_whom(deal: Deal, market: Market, visitor: Visitor) -> None:
    deal.operator.request("PATCH", f"/publishers/{deal.publisher.id}", {"standing": "paused"})
    path = f"/operator/review/publishers/{deal.publisher.id}"
    for _ in range(2):
        assert visitor.send(path, "/operator/review", standing="whatever").location == "/operator/review"
    assert deal.publisher.post("/leads", market.lead())["status"] == "sold"
    events = deal.operator.get(f"/audit-log?object={deal.publisher.id}")["items"]
    assert [(one["move"], one["actor"].partition("_")[0]) for one in events] == [
        ("paused>active", "user"), ("active>paused", "key"),
    ]  # fmt: skip
    assert visitor.send("/operator/review/publishers/acc_x", "/operator/review").status_code == 404


def test_the_review_is_for_operators(deal: Deal, market: Market) -> None:
    path = pause_source(deal)
    for member in (deal.publisher, deal.buyer):
        other = visitor_of(market, member)
        for place in ("/operator/review", path, "/operator/log"):
            assert other.open(place).status_code == 403
        assert other.send(path, "/account", standing="active", note="x").status_code == 403
