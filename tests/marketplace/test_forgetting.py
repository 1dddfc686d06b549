"""Addresses and endpoints that no active order uses are deleted, those in use say by which; history stays."""

import json
from threading import Event as Signal
from threading import Thread
from typing import Any

from flask import Flask

from core.db import db, transaction
from core.errors import Conflict
from core.ids import parse_id
from marketplace.leads.delivery.forgetting import forget_address
from marketplace.leads.delivery.mail.addresses import ask_new
from tests.conftest import START
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

THERE = "leads@elsewhere.example.com"
WEBHOOK = {"kind": "webhook", "url": "https://example.com/leads"}


def mailing(market: Market, buyer: Member, name: str = "by mail") -> Any:
    """Place an order whose leads go to an address that is not the buyer's own."""
    return market.make_order(buyer, name=name, delivery={"kind": "email", "to": [THERE.upper()]})


def standings(buyer: Member) -> dict[str, str]:
    """Return where each address of the buyer stands."""
    return {one["address"]: one["state"] for one in buyer.get("/addresses")["items"]}


def test_an_address_in_use_names_its_orders_and_goes_once_they_rest(market: Market) -> None:
    buyer = market.make_buyer()
    orders = [mailing(market, buyer, f"order {number}") for number in range(4)]
    refused = buyer.request("DELETE", f"/addresses/{THERE}")
    assert (refused.status_code, refused.json["code"]) == (409, "place_in_use")
    assert "order 0, order 1, order 2 and 1 more" in refused.json["detail"]
    for order in orders:
        buyer.request("PATCH", f"/orders/{order['id']}", {"status": "paused"})
    assert buyer.request("DELETE", f"/addresses/{THERE.upper()}").json == {"address": THERE, "state": "deleted"}
    assert THERE not in standings(buyer)
    assert buyer.request("DELETE", f"/addresses/{THERE}").status_code == 404
    buyer.request("PATCH", f"/orders/{orders[0]['id']}", {"status": "active"})
    assert standings(buyer)[THERE] == "waiting"


def test_an_address_of_the_accounts_own_people_stays(market: Market) -> None:
    buyer = market.make_buyer()
    [own] = [address for address, state in standings(buyer).items() if state == "own"]
    assert buyer.request("DELETE", f"/addresses/{own}").json["code"] == "own_address"
    stranger = market.make_buyer()
    mailing(market, stranger)
    assert buyer.request("DELETE", f"/addresses/{THERE}").status_code == 404


def test_an_order_that_is_being_placed_keeps_its_address(app: Flask, market: Market) -> None:
    buyer = market.make_buyer()
    buyer.post("/addresses", {"address": THERE})
    account, asked, ended = parse_id("acc", buyer.id), Signal(), Signal()
    refused: list[str] = []

    def delete() -> None:
        with app.app_context():
            asked.wait()
            try:
                with transaction():
                    forget_address(account, THERE, "cli", START)
            except Conflict as conflict:
                refused.append(conflict.code)
            ended.set()

    thread = Thread(target=delete)
    thread.start()
    with transaction() as session:
        ask_new(account, [THERE])
        asked.set()
        assert not ended.wait(0.5)  # it waits for the order
        terms = json.dumps({"name": "placed meanwhile", "delivery": {"to": [THERE]}})
        session.execute(
            db.text("INSERT INTO marketplace.orders (id, buyer_id, vertical_id, version, status, terms, created_at,"
                    " changed_at) SELECT gen_random_uuid(), :buyer, min(id), 1, 'active', CAST(:terms AS jsonb), now(),"
                    " now() FROM marketplace.verticals"), {"buyer": account, "terms": terms},
        )  # fmt: skip
    thread.join()
    assert refused == ["place_in_use"]


def make_endpoint(buyer: Member, address: str = "https://example.com:443/leads") -> str:
    """Keep an endpoint as if something had been sent there."""
    with transaction() as session:
        found = session.scalar(
            db.text("INSERT INTO marketplace.endpoints (id, buyer_id, address) VALUES (gen_random_uuid(), :buyer, :address)"
                    " RETURNING id"), {"buyer": parse_id("acc", buyer.id), "address": address},
        )  # fmt: skip
    return str(found)


def test_an_endpoint_goes_once_no_active_order_sends_there(market: Market) -> None:
    buyer, stranger = market.make_buyer(), market.make_buyer()
    order = market.make_order(buyer, name="sends", delivery=WEBHOOK)
    make_endpoint(buyer)
    assert buyer.get("/endpoints")["items"] == []
    buyer.request("PATCH", f"/orders/{order['id']}", {"status": "paused"})
    [idle] = buyer.get("/endpoints")["items"]
    assert (idle["address"], idle["state"]) == ("https://example.com:443/leads", "closed")
    assert stranger.request("DELETE", f"/endpoints/{idle['id']}").status_code == 404
    buyer.request("PATCH", f"/orders/{order['id']}", {"status": "active"})
    refused = buyer.request("DELETE", f"/endpoints/{idle['id']}")
    assert refused.json["code"] == "place_in_use" and "sends" in refused.json["detail"]
    buyer.request("PATCH", f"/orders/{order['id']}", {"status": "paused"})
    assert buyer.request("DELETE", f"/endpoints/{idle['id']}").status_code == 200
    assert buyer.get("/endpoints")["items"] == []
    kept = db.session.scalars(db.text("SELECT move FROM marketplace.events WHERE move LIKE '%deleted'")).all()
    db.session.rollback()
    assert kept == ["closed>deleted"]


def test_places_are_deleted_on_pages_once_more_asked(market: Market) -> None:
    buyer = market.make_buyer()
    order = mailing(market, buyer)
    visitor = visitor_of(market, buyer)
    path = f"/buyer/addresses/delete?address={THERE}"
    assert path in visitor.open("/buyer/lists").text
    assert "Orders send there: by mail" in words_of(visitor.send(path))
    buyer.request("PATCH", f"/orders/{order['id']}", {"status": "paused"})
    assert visitor.send(path).status_code == 302
    page = visitor.open("/buyer/lists")
    assert f"{THERE} is deleted" in words_of(page) and path not in page.text
    make_endpoint(buyer)
    [link] = visitor.read("/buyer/deliveries").xpath("//a[starts-with(@href, '/buyer/endpoints/')]/@href")
    assert visitor.send(link).status_code == 302
    assert "is deleted" in words_of(visitor.open("/buyer/deliveries"))
