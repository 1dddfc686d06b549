"""Orders and countries are stricter than the exchange where somebody goes by it, and never looser."""

from datetime import timedelta
from typing import Any

import pytest

from core.db import transaction
from core.overrides import Word, overrides, say
from marketplace.jobs import run_due
from marketplace.resolved import REACHES
from tests.conftest import START, SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market
from tests.marketplace.test_portal_pages import visitor_of
from tests.marketplace.test_settings_page import minutes_due
from tests.visitor import words_of

ORDER = {"name": "an order", "vertical": "education", "price": {"amount": "20.00", "currency": "EUR"}}
MISTYPED, REQUEST = "dispute.mistyped.window_hours", "contact.request_minutes"


def said(key: str, value: Any, clock: SetClock, country: str = "", seen: int = 0) -> None:
    """Say otherwise as an operator, committed, by the clock of the test."""
    with transaction():
        say(Word(key, country, value, seen, "a test"), REACHES, "cli", clock.instant)


def claim(deal: Deal, clock: SetClock, hours: int) -> int:
    """Claim a dead number so many hours after the sale; return the answer's status."""
    clock.instant = START + timedelta(hours=hours)
    return deal.buyer.request("POST", f"/sales/{deal.sale}/disputes", {"reason": "mistyped"}).status_code


def test_an_order_that_gives_itself_less_time_is_held_to_it(market: Market, clock: SetClock) -> None:
    deal = make_deal(market, settings={MISTYPED: 50})
    assert (claim(deal, clock, 50), claim(deal, clock, 49)) == (409, 201)


def test_a_country_gives_less_time_to_its_own_leads_alone(market: Market, clock: SetClock) -> None:
    said(MISTYPED, 48, clock, "FR")
    deal = make_deal(market)
    assert claim(deal, clock, 48) == 409
    clock.instant = START + timedelta(hours=1)
    said(MISTYPED, None, clock, "FR", 1)
    said(MISTYPED, 48, clock, "BE", 2)
    assert claim(deal, clock, 71) == 409  # taken back after the sale
    clock.instant = START + timedelta(days=4)
    [sale] = deal.publisher.post("/leads", market.lead())["sales"]
    later = Deal(market, deal.publisher, deal.buyer, deal.operator, sale["id"])
    assert claim(later, clock, 96 + 71) == 201


def test_what_an_operator_says_after_a_sale_takes_no_claim_away(deal: Deal, clock: SetClock) -> None:
    clock.advance(hours=1)
    said(MISTYPED, 48, clock)
    assert claim(deal, clock, 71) == 201
    assert overrides(START).exchange == {}


def test_the_cap_on_returns_is_what_the_operator_says_now(deal: Deal, market: Market, clock: SetClock) -> None:
    assert deal.buyer.get("/disputes/standing")["return_cap_percent"] == 15
    said("return.cap_bp", 1000, clock)
    assert deal.buyer.get("/disputes/standing")["return_cap_percent"] == 10
    said("dispute.silence_business_days", 1, clock)
    opened = deal.dispute()
    due = START + timedelta(hours=48)
    while due.weekday() >= 5:
        due += timedelta(days=1)
    assert opened["decide_by"] > due.isoformat()
    assert opened["decide_by"] < (due + timedelta(days=4)).isoformat()


def test_an_orders_own_time_to_the_first_contact_starts_its_clocks(market: Market, clock: SetClock) -> None:
    deal = make_deal(market, market.lead(interest="request"), settings={REQUEST: 2})
    run_due(clock.now())
    assert minutes_due(market) == [2]
    order = deal.buyer.get("/orders")["items"][0]
    assert order["settings"] == {REQUEST: 2}
    clock.advance(minutes=1)
    deal.buyer.request("PATCH", f"/orders/{order['id']}", {"settings": None})
    assert deal.buyer.get("/orders")["items"][0]["settings"] == {}


@pytest.mark.parametrize(
    ("settings", "code"),
    [({MISTYPED: 73}, "setting_loosened"), ({MISTYPED: 47}, "out_of_range"), ({MISTYPED: True}, "wrong_type"),
     ({"margin.least_minor": 1}, "not_settable_here"), ({"dedupe.buyer_days": 100}, "not_settable_here"),
     ({"no.such": 1}, "unknown_setting")],
)  # fmt: skip
def test_what_an_order_may_not_say_is_refused_at_its_setting(
    market: Market, settings: dict[str, Any], code: str
) -> None:
    buyer = market.make_buyer()
    answer = buyer.request("POST", "/orders", {**ORDER, "settings": settings})
    assert answer.status_code == 422
    [fault] = answer.json["errors"]
    assert (fault["field"], fault["code"]) == (f"settings.{next(iter(settings))}", code)


def test_an_order_is_judged_by_what_the_operator_says_now(market: Market, clock: SetClock) -> None:
    buyer = market.make_buyer()
    said(MISTYPED, 60, clock)
    answer = buyer.request("POST", "/orders", {**ORDER, "settings": {MISTYPED: 61}})
    assert answer.json["errors"][0]["message"].startswith("Send at most 60")


def test_a_buyer_writes_own_times_in_the_form_and_reads_what_is_wrong_beside_them(deal: Deal, market: Market) -> None:
    visitor = visitor_of(market, deal.buyer)
    path = f"/buyer/orders/{deal.buyer.get('/orders')['items'][0]['id']}"
    refused = words_of(visitor.send(path, **{"settings-0-key": REQUEST, "settings-0-value": "9"}))
    assert "Send at most 5" in refused
    twice = {"settings-1-key": REQUEST, "settings-1-value": "2", "settings-0-key": REQUEST, "settings-0-value": "3"}
    assert "Say each setting once" in words_of(visitor.send(path, **twice))
    switch = {"settings-0-key": "dispute.unreachable.enabled", "settings-0-value": "off"}
    assert visitor.send(path, **switch).status_code == 302
    page = visitor.read(path)
    assert page.xpath("//input[@name='settings-0-value']/@value") == ["off"]


def test_a_setting_says_who_may_say_it_and_why_nobody_else(deal: Deal, market: Market) -> None:
    visitor = visitor_of(market, deal.operator)
    page = words_of(visitor.open("/operator/settings/return.cap_bp"))
    assert "Exchange" in page and "counts all that a buyer bought" in page
    page = words_of(visitor.open("/operator/settings/dedupe.vertical_days"))
    assert "Every vertical states this number itself" in page and "Look at the verticals" in page
