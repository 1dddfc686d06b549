"""The buyer's log of deliveries: every attempt of their own, narrowed, continued, saved, and sent again from there."""

import csv
from dataclasses import replace

import pytest
from flask import Flask

from core.db import db
from core.outbound import Outbound
from marketplace.leads.delivery.courier import deliver_due
from marketplace.reports import buyer_deliveries
from tests.conftest import START
from tests.factories import Market, Member
from tests.marketplace.endpoint import Endpoint, open_endpoint
from tests.marketplace.test_portal_pages import queries, visitor_of
from tests.visitor import Visitor, words_of

NAME = "<b>Solar</b> שם " + "x" * 180


@pytest.fixture(autouse=True)
def private_targets(app: Flask) -> None:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


@pytest.fixture
def visitor(market: Market, buyer: Member) -> Visitor:
    return visitor_of(market, buyer)


def sold(market: Market, buyer: Member, endpoint: Endpoint, name: str = "an order", leads: int = 1) -> str:
    """Sell leads to an order that delivers to an endpoint, attempt to deliver them, and return the order."""
    order = market.make_order(buyer, name=name, delivery={"kind": "webhook", "url": endpoint.url})
    publisher = market.make_publisher()
    for _ in range(leads):
        lead = market.lead()
        lead["contact"] = {"first_name": "<b>Zoé</b>", "email": f"zoe.{lead['contact']['email']}"}
        publisher.post("/leads", lead)
    deliver_due(START)
    return str(order["id"])


def links(visitor: Visitor, path: str) -> list[str]:
    return [str(one) for one in visitor.read(path).xpath("//a[@class='opens']/@href")]


def test_an_attempt_stands_in_the_log_with_what_was_sent_and_answered(
    market: Market, buyer: Member, visitor: Visitor
) -> None:
    with open_endpoint(answer=b'{"accepted": true, "note": "<i>thanks</i>"}') as endpoint:
        sold(market, buyer, endpoint, NAME)
    page = visitor.open("/buyer/deliveries")
    assert "&lt;b&gt;Solar&lt;/b&gt;" in page.text and "<b>Solar" not in page.text
    assert "Every endpoint that your orders send to answers" in page.text and "Accepted" in words_of(page)
    [link] = links(visitor, "/buyer/deliveries")
    story = visitor.open(link).text
    assert "POST http" in story and "zoe.person" in story and "&lt;i&gt;thanks" in story
    [secret] = [one["delivery"]["secret"] for one in buyer.get("/orders")["items"]]
    assert secret not in story


def test_what_is_not_the_buyers_any_more_is_hidden_but_the_attempt_stays(
    market: Market, buyer: Member, visitor: Visitor
) -> None:
    with open_endpoint() as endpoint:
        sold(market, buyer, endpoint)
    [link] = links(visitor, "/buyer/deliveries")
    assert "Zoé" in visitor.open("/buyer/deliveries").text and "zoe.person" in visitor.open(link).text
    sale = link.rpartition("/")[2]
    dispute = buyer.post(f"/sales/{sale}/disputes", {"reason": "mistyped", "note": "dead"})
    market.make_operator().post(f"/disputes/{dispute['id']}/resolve", {"decision": "uphold"})
    for path in ("/buyer/deliveries", link):
        page = visitor.open(path).text
        assert "Zoé" not in page and "zoe.person" not in page and "Accepted" in page
    assert "shown while the lead is yours" in visitor.open(link).text


def test_the_log_is_narrowed_by_order_and_outcome(market: Market, buyer: Member, visitor: Visitor) -> None:
    with open_endpoint() as glad:
        first = sold(market, buyer, glad, "glad")
    buyer.request("PATCH", f"/orders/{first}", {"status": "paused"})
    with open_endpoint(answer=b'{"accepted": false}') as picky:
        second = sold(market, buyer, picky, "picky")
    assert len(links(visitor, "/buyer/deliveries")) == 2
    assert len(links(visitor, "/buyer/deliveries?outcome=refused")) == 1
    for order, outcome, count in ((first, "accepted", 1), (first, "refused", 0), (second, "refused", 1)):
        assert len(links(visitor, f"/buyer/deliveries?order={order}&outcome={outcome}")) == count
    assert links(visitor, "/buyer/deliveries?outcome=under_way") == []


def test_the_log_is_continued_without_losing_an_attempt(
    market: Market, buyer: Member, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_endpoint() as endpoint:
        sold(market, buyer, endpoint, leads=3)
        db.session.execute(db.text("INSERT INTO marketplace.delivery_attempts (sale_id, number, started_at, outcome)"
                                   " SELECT sale_id, 2, started_at, 'error' FROM marketplace.delivery_attempts"))  # fmt: skip
        db.session.commit()
    for rows in (1, 4, 50):
        monkeypatch.setattr(buyer_deliveries, "ROWS", rows)
        path, seen = "/buyer/deliveries", []
        while path:
            page = visitor.read(path)
            seen += [
                tuple(row.xpath("td[1]/a/@href | td[5]/text()")) for row in page.xpath("//table")[-1].xpath("tbody/tr")
            ]
            path = next(iter(page.xpath("//nav[@class='pager']/a[@rel='next']/@href")), "")
        assert len(seen) == len(set(seen)) == 6
        assert [number for _, number in seen] == ["2", "1"] * 3


@pytest.mark.parametrize("query", ["cursor=x", "cursor=sale_x-1", "cursor=-1", "outcome=x",
                                   "cursor=sale_01m8d7y93sfa6af80hr6fy0gyb-%C2%B2"])  # fmt: skip
def test_a_log_that_cannot_be_read_is_refused(visitor: Visitor, query: str) -> None:
    assert visitor.open(f"/buyer/deliveries?{query}").status_code == 400


def test_the_sheet_holds_every_attempt_and_runs_no_formula(
    market: Market, buyer: Member, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buyer_deliveries, "_AT_ONCE", 2)
    with open_endpoint() as endpoint:
        sold(market, buyer, endpoint, "=1+1", leads=3)
    answer = visitor.open("/buyer/deliveries.csv")
    assert answer.mimetype == "text/csv" and "attachment" in answer.headers["Content-Disposition"]
    head, *rows = csv.reader(answer.text.splitlines())
    assert len(rows) == len({row[3] for row in rows}) == 3 and {row[2] for row in rows} == {"'=1+1"}
    assert dict(zip(head, rows[0], strict=True))["outcome"] == "accepted"
    assert len(visitor.open("/buyer/deliveries.csv?outcome=error").text.splitlines()) == 1


def test_a_lead_is_sent_again_and_the_page_returned_to(market: Market, buyer: Member, visitor: Visitor) -> None:
    with open_endpoint() as endpoint:
        sold(market, buyer, endpoint)
        [link] = links(visitor, "/buyer/deliveries")
        again = f"/buyer/leads/{link.rpartition('/')[2]}/send"
        assert visitor.send(again, link, back="deliveries").location == link
        assert "The lead is being sent" in words_of(visitor.open(link))
        assert visitor.send(again, link, back="deliveries").location == link
        assert "is being sent already" in words_of(visitor.open(link))
        assert len(links(visitor, "/buyer/deliveries?outcome=under_way")) == 1
        deliver_due(START)
    assert len(endpoint.received) == 2 and "by hand" in visitor.open("/buyer/deliveries").text


def test_an_endpoint_that_does_not_answer_stands_first_with_when_it_is_tried(
    market: Market, buyer: Member, visitor: Visitor
) -> None:
    with open_endpoint() as broken, open_endpoint() as well:
        sold(market, buyer, broken, "broken")
        market.make_order(buyer, name="well", delivery={"kind": "webhook", "url": well.url})
    db.session.execute(db.text("UPDATE marketplace.endpoints SET state = 'open', probe_at = :at"), {"at": START})
    db.session.commit()
    page = visitor.read("/buyer/deliveries")
    rows = [" ".join(row.text_content().split()) for row in page.xpath("(//table)[1]/tbody/tr")]
    assert rows[0].startswith("broken") and "Paused tried again" in rows[0] and "Answers" in rows[1]
    assert "Orders whose endpoint does not answer: 1." in page.text_content()


def test_deliveries_of_somebody_else_are_not_there(market: Market, buyer: Member, visitor: Visitor) -> None:
    with open_endpoint() as endpoint:
        order = sold(market, buyer, endpoint)
    [link] = links(visitor, "/buyer/deliveries")
    stranger = visitor_of(market, market.make_buyer())
    assert (
        links(stranger, "/buyer/deliveries") == []
        and len(stranger.open("/buyer/deliveries.csv").text.splitlines()) == 1
    )
    for path in (link, f"/buyer/deliveries?order={order}", "/buyer/deliveries?order=x", "/buyer/deliveries/%00"):
        assert stranger.open(path).status_code == 404
    assert len(stranger.open(f"/buyer/deliveries.csv?order={order}").text.splitlines()) == 1


def test_the_log_takes_few_queries_however_many_attempts(market: Market, buyer: Member, visitor: Visitor) -> None:
    with open_endpoint() as endpoint:
        sold(market, buyer, endpoint, leads=4)
    [first, *_] = links(visitor, "/buyer/deliveries")
    for path in ("/buyer/deliveries", first, first.replace("deliveries", "leads")):
        with queries(market.app) as said:
            visitor.read(path)
        assert len(said) <= 12, said
