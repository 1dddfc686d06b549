"""Attacks on leads that are offered again: persons sold twice, promises of price and place dodged, workers in the way."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from core.clock import as_rfc3339
from core.db import db, transaction
from core.ids import parse_id
from marketplace.cli.accounts import credit_by_hand
from marketplace.leads.again.due import offer_again
from tests.at_once import ask, at_once, no_deadlocks
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.aged import AT_NOON, WAITING, proved, resalable
from tests.marketplace.test_again import UP_TO_90_DAYS, bought, offer, standing
from tests.marketplace.test_buyer_limits import limit
from tests.marketplace.test_deals import accepted, brief
from tests.marketplace.test_resales import RESOLD
from tests.marketplace.test_settings_page import said


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer("9000.00")


def test_an_order_that_is_placed_while_a_lead_is_too_young_buys_it_when_it_is_of_age(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    publisher.post("/leads", market.lead())
    offer(clock)
    clock.advance(days=1)
    market.make_order(buyer, "7.00", age={"from": 3, "to": 7})
    offer(clock)
    clock.advance(days=2)
    offer(clock)
    assert bought(buyer) == ["7.00"]


def test_whoever_kept_a_place_buys_nothing_that_was_sold_meanwhile(
    app: Flask, market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    market.make_order(buyer, "20.00", caps={"day": 1}, **WAITING)
    publisher.post("/leads", market.lead())
    lead = publisher.post("/leads", market.lead(**resalable(market)))
    offer(clock)
    other = market.make_buyer()
    market.make_order(other, "10.00", age=UP_TO_90_DAYS)
    offer(clock)
    assert bought(other) == ["10.00"]
    claim = other.post(f"/sales/{other.get('/sales')['items'][0]['id']}/disputes", {"reason": "duplicate", "note": "x"})
    decision = {"decision": "uphold", "note": "So it is."}
    market.make_operator().post(f"/disputes/{claim['id']}/resolve", decision)
    clock.advance(hours=14)
    offer(clock)
    assert len(bought(buyer)) == 1
    proved(app, lead)


def test_a_person_who_was_sold_is_not_sold_again_as_another_lead_that_was_kept_beside(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    lead = market.lead(vertical="travel", attributes={"destination": "Lisbon"})
    kept = [publisher.post("/leads", lead) for _ in range(2)]
    assert [one["status"] for one in kept] == ["unsold", "unsold"]
    first, second = market.make_buyer(), market.make_buyer()
    market.make_order(first, "20.00", age=UP_TO_90_DAYS, caps={"total": 1}, vertical="travel")
    offer(clock)
    assert len(bought(first)) == 1
    clock.advance(days=8)  # a person may come anew in travel after seven
    market.make_order(second, "20.00", age=UP_TO_90_DAYS, vertical="travel")
    offer(clock)
    assert bought(second) == []
    assert "duplicate" in [standing(publisher, one)[1] for one in kept]


def test_a_resale_keeps_the_person_from_being_sold_as_new_right_after(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    first, second = market.make_buyer(), market.make_buyer()
    market.make_order(first, "40.00", caps={"total": 1})
    lead = market.lead(**resalable(market))
    assert publisher.post("/leads", lead)["status"] == "sold"
    clock.advance(days=85)
    market.make_order(second, "30.00", age=RESOLD)
    offer(clock)
    assert bought(second) == ["3.20"]
    market.make_order(second, "30.00")
    clock.advance(days=6)
    again = publisher.post("/leads", lead | resalable(market))
    assert (again["status"], again["reasons"], bought(second)) == ("rejected", ["duplicate"], ["3.20"])


@pytest.mark.parametrize("terms", [{"age": UP_TO_90_DAYS}, {"schedule": AT_NOON, **WAITING}])
def test_a_deal_buys_of_its_publisher_alone(
    market: Market, publisher: Member, buyer: Member, clock: SetClock, terms: Any
) -> None:
    made = brief(market, buyer, order=terms)
    assert made.status_code in (200, 201), made.text
    accepted(publisher, made)
    leads = [each.post("/leads", market.lead()) for each in (market.make_publisher(), publisher)]
    offer(clock)
    clock.advance(hours=2)
    offer(clock)
    assert [lead["status"] for lead in leads] == ["unsold", "sold" if "age" in terms else "unsold"]
    assert len(bought(buyer)) == 1 and len(publisher.get("/leads?status=sold")["items"]) == 1


def test_money_that_suffices_for_an_aged_lead_wakes_an_order_that_had_none(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    publisher.post("/leads", market.lead())
    clock.advance(days=31)
    poor = market.make_buyer("0")
    market.make_order(poor, "40.00", age=UP_TO_90_DAYS)
    offer(clock)
    credit_by_hand(poor.id, "5.00", "EUR", "for a test")
    offer(clock)
    assert bought(poor) == ["3.20"]


def test_a_worker_passes_over_a_kept_lead_that_another_has(
    app: Flask, market: Market, publisher: Member, clock: SetClock, database_url: str
) -> None:
    lead = publisher.post("/leads", market.lead())
    clock.advance(minutes=1)
    other = "SELECT FROM marketplace.kept_leads WHERE lead_id = %s FOR UPDATE"
    with app.app_context(), db.engine.connect() as holder:
        holder.exec_driver_sql(other, (parse_id("lead", lead["id"]),))
        with transaction() as session:
            session.connection().exec_driver_sql("SET LOCAL lock_timeout = '2s'")
            offer_again(clock.now())
        holder.rollback()


def test_a_publisher_who_refuses_waiting_ends_what_waits(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    market.make_order(buyer, "20.00", caps={"day": 1}, **WAITING)
    _, lead = (publisher.post("/leads", market.lead()) for _ in range(2))
    offer(clock)
    publisher.request("PUT", "/source-rules", {"source": "default", "vertical": "education", "waits": False})
    assert publisher.get(f"/leads/{lead['id']}/offering")["waiting_until"] is None
    clock.advance(hours=14)
    offer(clock)
    assert bought(buyer) == ["20.00"]


def test_waiting_that_is_over_is_not_told_any_more(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    market.make_order(buyer, "20.00", caps={"total": 1}, at_cap="wait", wait_hours=4)
    _, lead = (publisher.post("/leads", market.lead()) for _ in range(2))
    offer(clock)
    clock.advance(hours=5)
    offer(clock)
    assert publisher.get(f"/leads/{lead['id']}/offering")["waiting_until"] is None


def test_a_percentage_of_nothing_sells_nothing(
    app: Flask, market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    said("aged.week_bp", 0)
    lead = publisher.post("/leads", market.lead())
    clock.advance(days=1)
    market.make_order(buyer, "20.00", age=UP_TO_90_DAYS)
    offer(clock)
    assert bought(buyer) == []
    proved(app, lead)


def test_most_recipients_bounds_a_shared_further_offer(
    app: Flask, market: Market, publisher: Member, clock: SetClock
) -> None:
    lead = publisher.post("/leads", market.lead(**resalable(market, most_recipients=2)))
    for _ in range(4):
        market.make_order(market.make_buyer(), "20.00", age=UP_TO_90_DAYS, exclusivity="shared", max_share=3)
    clock.advance(hours=1)
    offer(clock)
    assert len(publisher.get(f"/leads/{lead['id']}")["sales"]) == 2
    proved(app, lead)


def test_a_limit_of_the_buyer_keeps_a_place_and_counts_further_offers(
    app: Flask, market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    market.make_order(buyer, "20.00", **WAITING)
    limit(buyer, caps={"day": 1})
    leads = [publisher.post("/leads", market.lead()) for _ in range(3)]
    offer(clock)
    said = publisher.get(f"/leads/{leads[1]['id']}/offering")
    assert said["waiting_until"] == "2026-11-23T10:00:00Z"
    clock.advance(hours=14)
    offer(clock)
    assert len(bought(buyer)) == 2
    assert buyer.get("/buyer-limits")["used"]["day"]["leads"] == 1
    proved(app, *leads)


def test_a_limit_of_the_buyer_that_is_raised_or_lifted_wakes_his_orders(
    app: Flask, market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    market.make_order(buyer, "20.00", age=UP_TO_90_DAYS)
    limit(buyer, caps={"day": 1})
    leads = [publisher.post("/leads", market.lead()) for _ in range(4)]
    offer(clock)
    assert len(bought(buyer)) == 1
    limit(buyer, caps={"day": 2})
    offer(clock)
    assert len(bought(buyer)) == 2
    limit(buyer)
    offer(clock)
    assert len(bought(buyer)) == 4
    proved(app, *leads)


def test_sixteen_writers_at_the_instant_a_limit_opens_fill_it_exactly(
    app: Flask, market: Market, publisher: Member, clock: SetClock, database_url: str
) -> None:
    buyers = [market.make_buyer("9000.00") for _ in range(2)]
    for buyer in buyers:
        market.make_order(buyer, "20.00", caps={"day": 4}, **WAITING)
        market.make_order(buyer, "15.00", age=UP_TO_90_DAYS)
        limit(buyer, caps={"day": 5})
    kept = [publisher.post("/leads", market.lead()) for _ in range(20)]
    offer(clock)
    assert [len(bought(buyer)) for buyer in buyers] == [5, 5]
    clock.advance(hours=14)
    leads = [market.lead(consent={"text": "Yes.", "given_at": as_rfc3339(clock.now() - timedelta(minutes=1))})
             for _ in range(8)]  # fmt: skip

    def work(number: int) -> None:
        with app.app_context():
            if number % 2:
                kept.append(publisher.post("/leads", leads[number // 2]))
            else:
                offer(clock)

    with no_deadlocks(database_url, app):
        at_once([lambda number=number: work(number) for number in range(16)])  # type: ignore[misc]
    clock.advance(minutes=2)
    offer(clock)
    assert [len(bought(buyer)) for buyer in buyers] == [10, 10]
    proved(app, *kept)


def test_a_worker_that_dies_in_the_middle_of_a_look_leaves_nothing_behind(
    app: Flask, market: Market, publisher: Member, buyer: Member, clock: SetClock, database_url: str
) -> None:
    lead = publisher.post("/leads", market.lead())
    market.make_order(buyer, "20.00", age=UP_TO_90_DAYS)
    clock.advance(minutes=1)
    with app.app_context(), pytest.raises(RuntimeError), transaction():
        offer_again(clock.now())
        raise RuntimeError
    assert (bought(buyer), ask(database_url, "SELECT count(*) FROM marketplace.further_offers")) == ([], [(0,)])
    offer(clock)
    assert bought(buyer) == ["20.00"]
    proved(app, lead)
