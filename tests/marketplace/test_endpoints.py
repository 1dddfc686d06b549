"""An endpoint that fails is paused: its leads go to others, one lead probes it, its buyer is told, all workers agree."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.db import db, transaction
from core.ids import parse_id
from core.outbound import Outbound
from marketplace.leads.delivery import endpoints, outcomes
from marketplace.leads.delivery.breaker import LIMITS
from marketplace.leads.delivery.courier import deliver_due
from marketplace.leads.delivery.endpoint_news import MAIL_JOB, tell_by_mail
from marketplace.leads.delivery.models import DeliveryRow
from marketplace.leads.models import Sale
from tests.at_once import at_once
from tests.conftest import START
from tests.factories import Market, Member
from tests.marketplace.endpoint import Endpoint, open_endpoint

PAUSE = timedelta(minutes=LIMITS.pauses_minutes[0])
SOON = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def private_targets(app: Flask) -> None:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.fixture
def broken() -> Iterator[Endpoint]:
    with open_endpoint(status=500) as endpoint:
        yield endpoint


def webhook(endpoint: Endpoint, more: str = "") -> dict[str, Any]:
    return {"kind": "webhook", "url": endpoint.url + more}


def states(buyer: Member) -> list[str]:
    return sorted(sale["state"] for sale in buyer.get("/sales?limit=200")["items"])


def pause(market: Market, publisher: Member, endpoint: Endpoint) -> tuple[Member, Any]:
    """Have an endpoint paused by failing, and return its buyer and order."""
    buyer = market.make_buyer()
    order = market.make_order(buyer, "30.00", delivery=webhook(endpoint))
    for _ in range(20):
        publisher.post("/leads", market.lead())
    deliver_due(START)
    return buyer, order


def state_of(buyer: Member, order: Any) -> str:
    state: str = buyer.get(f"/orders/{order['id']}")["endpoint"]["state"]
    return state


def test_leads_that_wait_for_a_paused_endpoint_go_to_the_next_buyer_at_once(
    market: Market, publisher: Member, broken: Endpoint
) -> None:
    second = market.make_buyer()
    market.make_order(second, "20.00")
    buyer, order = pause(market, publisher, broken)
    assert len(broken.received) == 20
    shown = buyer.get(f"/orders/{order['id']}")["endpoint"]
    assert (shown["state"], datetime.fromisoformat(shown["paused_until"])) == ("paused", START + PAUSE)
    assert states(buyer) == ["failed"] * 20
    assert states(second) == ["delivered"] * 20
    assert buyer.get("/wallet")["available"]["amount"] == "1000.00"
    sale = buyer.get("/sales")["items"][0]
    last = buyer.get(f"/sales/{sale['id']}/deliveries")["items"][-1]
    assert (last["outcome"], last["status"]) == ("not_sent", None)
    assert last["reason"].startswith("endpoint_paused")
    (why,) = [one for one in buyer.get(f"/leads/{sale['lead']['id']}/why")["items"] if one["order"] == order["id"]]
    assert why["outcome"] == "undeliverable"
    assert why["detail"].startswith("endpoint_paused")
    assert publisher.post("/leads", market.lead())["sales"][0]["price"]["amount"] == "20.00"  # the books know


def test_new_leads_pass_over_the_orders_of_a_paused_endpoint_and_an_operator_reads_why(
    market: Market, publisher: Member, broken: Endpoint
) -> None:
    buyer, order = pause(market, publisher, broken)
    market.make_order(buyer, "40.00", delivery=webhook(broken, "?campaign=2"))  # the same endpoint
    elsewhere = market.make_order(buyer, "10.00", delivery=webhook(broken, "/other"))
    lead = publisher.post("/leads", market.lead())
    assert [sale["price"]["amount"] for sale in lead["sales"]] == ["10.00"]
    told = {one["order"]: one for one in market.make_operator().get(f"/leads/{lead['id']}/why")["items"]}
    assert told[order["id"]]["outcome"] == "paused"
    assert f"endpoint paused until {START + PAUSE:%Y-%m-%dT%H:%M}" in told[order["id"]]["detail"]
    assert told[elsewhere["id"]]["outcome"] == "sold"
    assert "endpoint" not in json.dumps(publisher.get(f"/leads/{lead['id']}/why"))


def test_a_lead_sold_just_before_the_pause_ends_like_those_that_waited(
    market: Market, publisher: Member, broken: Endpoint
) -> None:
    buyer, _ = pause(market, publisher, broken)
    with transaction():  # as if the sale had been committed a moment before the pause
        db.session.execute(db.text("UPDATE marketplace.endpoints SET state = 'closed', probe_at = NULL"))
        db.session.execute(db.text("UPDATE marketplace.verticals SET book_version = book_version + 1"))
    lead = publisher.post("/leads", market.lead())
    assert lead["sales"][0]["state"] == "held"
    with transaction():
        db.session.execute(
            db.text("UPDATE marketplace.endpoints SET state = 'open', probe_at = :at"), {"at": START + PAUSE}
        )
    deliver_due(START)
    assert len(broken.received) == 20
    assert publisher.get(f"/leads/{lead['id']}")["status"] == "unsold"
    assert states(buyer) == ["failed"] * 21


def test_after_the_pause_one_lead_tries_the_endpoint_and_its_success_ends_it(
    market: Market, publisher: Member, broken: Endpoint, clock: Any
) -> None:
    buyer, order = pause(market, publisher, broken)
    broken.status = 200
    clock.advance(seconds=PAUSE.total_seconds())
    deliver_due(clock.now())  # the courier's round rouses it
    assert state_of(buyer, order) == "trying"
    for _ in range(4):
        publisher.post("/leads", market.lead())
    with transaction():
        assert endpoints.tend(clock.now())  # claims the probe, and the other three must not wait for it
    assert publisher.post("/leads", market.lead())["status"] == "unsold"
    deliver_due(clock.now())
    assert len(broken.received) == 21
    assert states(buyer) == ["delivered"] + ["failed"] * 23
    assert state_of(buyer, order) == "ok"
    publisher.post("/leads", market.lead())
    deliver_due(clock.now())
    assert len(broken.received) == 22


def test_a_probe_that_fails_pauses_for_longer(market: Market, publisher: Member, broken: Endpoint, clock: Any) -> None:
    buyer, order = pause(market, publisher, broken)
    for minutes in (15, 60, 60):
        clock.advance(seconds=60 * 60)
        deliver_due(clock.now())
        heard = len(broken.received)
        publisher.post("/leads", market.lead())
        deliver_due(clock.now())
        shown = buyer.get(f"/orders/{order['id']}")["endpoint"]
        assert datetime.fromisoformat(shown["paused_until"]) == clock.now() + timedelta(minutes=minutes)
        assert len(broken.received) == heard + 1
    assert set(states(buyer)) == {"failed"}


def test_of_many_that_ask_for_the_probe_one_gets_it(
    market: Market, publisher: Member, broken: Endpoint, app: Flask, clock: Any
) -> None:
    buyer, _ = pause(market, publisher, broken)
    clock.advance(seconds=PAUSE.total_seconds())
    deliver_due(clock.now())
    for _ in range(6):
        publisher.post("/leads", market.lead())
    waiting = db.session.scalars(db.select(DeliveryRow.sale_id).where(DeliveryRow.state == "waiting")).all()
    db.session.rollback()
    assert len(waiting) == 6

    def ask(sale_id: Any) -> bool:
        with app.app_context(), transaction():
            return endpoints.admits(db.session.get_one(DeliveryRow, sale_id), clock.now())

    admitted = at_once([lambda sale_id=sale_id: ask(sale_id) for sale_id in waiting])  # type: ignore[misc]
    assert sorted(admitted) == [False] * 5 + [True]
    deliver_due(clock.now())
    assert len(broken.received) == 21
    assert states(buyer) == ["failed"] * 26


def test_a_probe_is_chosen_by_one_process_while_another_looks(
    market: Market, publisher: Member, broken: Endpoint, app: Flask, clock: Any
) -> None:
    pause(market, publisher, broken)
    clock.advance(seconds=PAUSE.total_seconds())
    deliver_due(clock.now())
    for _ in range(2):
        publisher.post("/leads", market.lead())

    def look() -> None:
        with app.app_context(), transaction():
            endpoints.tend(clock.now())

    other = threading.Thread(target=look)
    with transaction():
        endpoints.tend(clock.now())
        other.start()
        other.join(0.5)  # without the lock it would choose one too, and wait for us to write it down
    other.join()
    moves = db.session.scalars(db.text("SELECT move FROM marketplace.events WHERE actor = 'system:breaker'")).all()
    assert moves.count("half_open>probing") == 1


def test_many_couriers_at_once_send_one_probe(
    market: Market, publisher: Member, broken: Endpoint, app: Flask, clock: Any
) -> None:
    buyer, _ = pause(market, publisher, broken)
    clock.advance(seconds=PAUSE.total_seconds())
    deliver_due(clock.now())
    for _ in range(9):
        publisher.post("/leads", market.lead())

    def work() -> int:
        with app.app_context():
            return deliver_due(clock.now())

    at_once([work] * 3)
    deliver_due(clock.now())
    assert len(broken.received) == 21
    assert states(buyer) == ["failed"] * 29


def test_many_couriers_open_it_once(market: Market, publisher: Member, broken: Endpoint, app: Flask) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, "30.00", delivery=webhook(broken))
    for _ in range(30):
        publisher.post("/leads", market.lead())

    def work() -> int:
        with app.app_context():
            return deliver_due(START)

    at_once([work] * 3)
    deliver_due(START)
    moves = db.session.scalars(db.text("SELECT move FROM marketplace.events WHERE actor = 'system:breaker'")).all()
    assert moves == ["closed>open"]
    assert 20 <= len(broken.received) <= 30  # what was under way when it opened arrived
    assert states(buyer) == ["failed"] * 30


def test_a_probe_whose_process_dies_is_sent_again(
    market: Market, publisher: Member, broken: Endpoint, clock: Any
) -> None:
    buyer, order = pause(market, publisher, broken)
    clock.advance(seconds=PAUSE.total_seconds())
    deliver_due(clock.now())
    publisher.post("/leads", market.lead())
    with transaction():
        endpoints.tend(clock.now())
    lost = "UPDATE marketplace.deliveries SET state = 'in_hand', attempts = 1, lease_until = now() - interval '1 s'"
    with transaction():
        db.session.execute(db.text(f"{lost} WHERE state = 'waiting'"))
    broken.status = 200
    with transaction():
        db.session.execute(
            db.text("INSERT INTO marketplace.delivery_attempts SELECT sale_id, 1, now()"
                    " FROM marketplace.deliveries WHERE state = 'in_hand'")
        )  # fmt: skip
    deliver_due(clock.now())
    assert state_of(buyer, order) == "ok"
    assert states(buyer) == ["delivered"] + ["failed"] * 20


@pytest.mark.parametrize(("minutes", "ends"), [(5, "delivered"), (16, "failed")])
def test_a_lead_whose_attempt_died_may_be_its_buyers_and_waits_for_the_endpoint_in_its_grace(
    market: Market, publisher: Member, broken: Endpoint, clock: Any, minutes: int, ends: str
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, "30.00", delivery=webhook(broken))
    sold = [publisher.post("/leads", market.lead())["sales"][0]["id"] for _ in range(21)]
    with transaction():
        db.session.execute(
            db.text("INSERT INTO marketplace.delivery_attempts (sale_id, number, started_at) VALUES (:sale, 1, :at)"),
            {"sale": parse_id("sale", sold[-1]), "at": START},
        )
        db.session.execute(
            db.text("UPDATE marketplace.deliveries SET attempts = 1, next_attempt_at = :at WHERE sale_id = :sale"),
            {"sale": parse_id("sale", sold[-1]), "at": START + SOON},
        )
    deliver_due(START)
    assert states(buyer) == ["failed"] * 20 + ["held"]
    broken.status = 200
    clock.advance(seconds=60 * minutes)
    if ends == "failed":
        with transaction():  # the pause is longer than the lead's grace
            db.session.execute(db.text("UPDATE marketplace.endpoints SET probe_at = :at"), {"at": clock.now() + PAUSE})
    deliver_due(clock.now())
    assert buyer.get(f"/sales/{sold[-1]}")["state"] == ends


def test_when_the_probe_is_ended_by_another_hand_the_next_lead_probes(
    market: Market, publisher: Member, broken: Endpoint, clock: Any
) -> None:
    buyer, order = pause(market, publisher, broken)
    clock.advance(seconds=PAUSE.total_seconds())
    deliver_due(clock.now())
    publisher.post("/leads", market.lead())
    with transaction():
        endpoints.tend(clock.now())
    with transaction():
        waiting = DeliveryRow.state == "waiting"
        sale_id = db.session.scalars(db.select(DeliveryRow.sale_id).where(waiting)).one()
        row = db.session.get_one(DeliveryRow, sale_id)
        outcomes._end(row, db.session.get_one(Sale, sale_id), "failed", "ended by hand", clock.now())
    deliver_due(clock.now())
    assert state_of(buyer, order) == "trying"
    broken.status = 200
    publisher.post("/leads", market.lead())
    deliver_due(clock.now())
    assert state_of(buyer, order) == "ok"


def test_refusals_are_no_failures(market: Market, publisher: Member) -> None:
    with open_endpoint(answer=b'{"accepted": false}') as picky:
        buyer = market.make_buyer()
        order = market.make_order(buyer, delivery=webhook(picky))
        for _ in range(21):
            publisher.post("/leads", market.lead())
        deliver_due(START)
        assert state_of(buyer, order) == "ok"
        assert states(buyer) == ["refused"] * 21


def test_the_breaker_of_one_buyer_does_not_pause_another_at_the_same_address(
    market: Market, publisher: Member, broken: Endpoint
) -> None:
    other = market.make_buyer()
    order = market.make_order(other, "20.00", delivery=webhook(broken), status="paused")
    pause(market, publisher, broken)
    assert state_of(other, order) == "ok"


def test_a_new_address_is_a_new_endpoint(market: Market, publisher: Member, broken: Endpoint) -> None:
    buyer, order = pause(market, publisher, broken)
    with open_endpoint() as mended:
        buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": webhook(mended)})
        assert state_of(buyer, order) == "ok"
        publisher.post("/leads", market.lead())
        deliver_due(START)
    assert len(mended.received) == 1


def test_the_buyer_is_told_when_it_is_paused_and_when_it_works_again(
    market: Market, publisher: Member, broken: Endpoint, clock: Any, app: Flask
) -> None:
    _, order = pause(market, publisher, broken)
    broken.status = 200
    clock.advance(seconds=PAUSE.total_seconds())
    deliver_due(clock.now())
    publisher.post("/leads", market.lead())
    deliver_due(clock.now())
    told = db.session.execute(
        db.text("SELECT payload FROM core.outbox WHERE payload ->> 'event' LIKE 'endpoint.%' ORDER BY id")
    ).scalars().all()  # fmt: skip
    assert [(one["event"], one["accounts"]) for one in told] == [
        ("endpoint.paused", told[0]["accounts"]), ("endpoint.resumed", told[0]["accounts"]),
    ]  # fmt: skip
    assert told[0]["data"]["orders"] == [order["id"]]
    assert datetime.fromisoformat(told[0]["data"]["until"]) == START + PAUSE
    jobs = db.session.execute(
        db.text("SELECT args FROM procrastinate_jobs WHERE task_name = :job ORDER BY id"), {"job": MAIL_JOB}
    ).scalars().all()  # fmt: skip
    db.session.rollback()
    for arguments in jobs:
        tell_by_mail(**arguments)
    folder: Path = app.extensions["leadbourse_settings"].data_folder / "mail"
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in folder.glob("*.eml")]
    ours = [mail for mail in mails if order["id"] in mail.get_content()]
    assert sorted(mail["Subject"] for mail in ours) == [
        "We send leads to your address again", "We stopped sending leads to one of your addresses",
    ]  # fmt: skip
    assert all(broken.url.removesuffix("/hook") in mail.get_content() for mail in ours)
