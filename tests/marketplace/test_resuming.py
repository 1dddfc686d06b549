"""Operators set going again what the system stopped: an order, an endpoint, a webhook, each with a reason in the log."""

from typing import Any

import pytest

from core.db import db, transaction
from core.ids import new_id, parse_id, show_id
from marketplace.orders.standing import pause_order
from tests.conftest import SetClock
from tests.deals import Deal
from tests.factories import Market
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of

URL = "https://93.184.216.34/hook"
ADDRESS = "https://leads.example/in"


@pytest.fixture(name="visitor")
def _visitor(deal: Deal, market: Market) -> Visitor:
    return visitor_of(market, deal.operator)


def run(statement: str, **values: Any) -> None:
    with transaction() as session:
        session.execute(db.text(statement), values)


def order_of(deal: Deal) -> Any:
    [order] = deal.buyer.get("/orders")["items"]
    return order


def paused_by_system(deal: Deal, clock: SetClock) -> str:
    order = order_of(deal)
    with transaction():
        pause_order(parse_id("ord", order["id"]), "system:bounces", clock.now())
    return f"/operator/review/order/{order['id']}"


def endpoint_in(deal: Deal, clock: SetClock, state: str) -> str:
    run("INSERT INTO marketplace.endpoints (id, buyer_id, address, state, probe_at) VALUES (:id, :buyer, :to, :state,"
        " :at)", id=(row := new_id()), buyer=parse_id("acc", deal.buyer.id), to=ADDRESS, state=state,
        at=clock.now() if state == "open" else None)  # fmt: skip
    return f"/operator/review/endpoint/{show_id('enp', row)}"


def webhook_in(deal: Deal, clock: SetClock, reason: str) -> str:
    hook: str = deal.buyer.post("/webhooks", {"url": URL})["id"]
    run("UPDATE core.webhooks SET disabled_at = :at, disabled_reason = :why, failing_since = :at WHERE id = :id",
        at=clock.now(), why=reason, id=parse_id("whk", hook))  # fmt: skip
    return f"/operator/review/webhook/{hook}"


def log_of(visitor: Visitor) -> str:
    return words_of(visitor.open("/operator/log"))


def test_an_order_that_the_system_paused_buys_again_by_its_own_terms(
    deal: Deal, market: Market, visitor: Visitor, clock: SetClock
) -> None:
    before, path = order_of(deal), paused_by_system(deal, clock)
    other = market.lead(contact={"phone": "+33199001234", "first_name": "Bo", "last_name": "Dupont"})
    assert path in visitor.read("/operator/review").xpath("//a/@href")
    assert "It buys again from now on" in words_of(visitor.open(path))
    assert "Say why" in words_of(visitor.send(path, note="  ")) and order_of(deal)["status"] == "paused"
    assert visitor.send(path, note="their mailbox works again").location == "/operator/review"
    after = order_of(deal)
    assert after["version"] == before["version"] + 2
    assert {**after, "version": 0, "changed_at": 0} == {**before, "version": 0, "changed_at": 0}
    assert deal.publisher.post("/leads", other)["status"] == "sold"
    assert "their mailbox works again" in log_of(visitor)
    again = visitor.open(path)
    assert "somebody was quicker" in words_of(again) and visitor.send(path, note="again").status_code != 302


def test_a_paused_endpoint_is_tried_with_the_next_lead(deal: Deal, visitor: Visitor, clock: SetClock) -> None:
    path = endpoint_in(deal, clock, "open")
    assert path in visitor.read("/operator/review").xpath("//a/@href")
    assert visitor.send(path, note="the buyer says it is up").status_code == 302
    state, probe = db.session.execute(db.text("SELECT state, probe_at FROM marketplace.endpoints")).one()
    assert (state, probe) == ("half_open", clock.now())
    assert "the buyer says it is up" in log_of(visitor)


@pytest.mark.parametrize("reason", ["gone", "failing"])
def test_a_webhook_that_was_given_up_on_is_enabled(deal: Deal, visitor: Visitor, clock: SetClock, reason: str) -> None:
    path = webhook_in(deal, clock, reason)
    assert path in visitor.read("/operator/review").xpath("//a/@href")
    assert visitor.send(path, note="moved back").status_code == 302
    row = db.session.execute(db.text("SELECT disabled_at, disabled_reason, failing_since FROM core.webhooks")).one()
    assert tuple(row) == (None, None, None) and "moved back" in log_of(visitor)


def test_what_its_owner_stopped_is_not_resumed_for_him(deal: Deal, visitor: Visitor, clock: SetClock) -> None:
    order = order_of(deal)["id"]
    deal.buyer.request("PATCH", f"/orders/{order}", {"status": "paused"})
    paths = [f"/operator/review/order/{order}", webhook_in(deal, clock, "by_hand"), endpoint_in(deal, clock, "closed")]
    for path in paths:
        assert "does not hold it up" in words_of(visitor.open(path))
        assert visitor.send(path, note="go on").status_code != 302, path
    assert order_of(deal)["status"] == "paused" and "go on" not in log_of(visitor)


def test_an_order_that_its_owner_paused_after_the_system_is_his_to_resume(
    deal: Deal, visitor: Visitor, clock: SetClock
) -> None:
    path, order = paused_by_system(deal, clock), order_of(deal)
    deal.buyer.request("PATCH", f"/orders/{order['id']}", {"name": order["name"]})
    assert order_of(deal)["version"] == order["version"]
    paused = deal.buyer.request("PATCH", f"/orders/{order['id']}", {"status": "paused"}).json
    assert (paused["version"], paused["status"]) == (order["version"] + 1, "paused")
    assert (
        deal.buyer.request("PATCH", f"/orders/{order['id']}", {"status": "paused"}).json["version"] == paused["version"]
    )

    assert path not in visitor.read("/operator/review").xpath("//a/@href")
    assert "does not hold it up" in words_of(visitor.open(path))
    assert visitor.send(path, note="go on").status_code != 302 and order_of(deal)["status"] == "paused"


def test_what_is_not_there_is_not_found_and_only_operators_may(
    deal: Deal, market: Market, visitor: Visitor, clock: SetClock
) -> None:
    for path in ("order/ord_", "endpoint/enp_", "webhook/whk_"):
        assert visitor.open(f"/operator/review/{path}{show_id('x', new_id())[2:]}").status_code == 404
    path = paused_by_system(deal, clock)
    assert visitor_of(market, deal.buyer).open(path).status_code == 403
