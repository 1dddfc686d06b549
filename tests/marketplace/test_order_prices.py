"""What an order pays for one lead: modifiers in one order, rounded once, within bounds, and charged as told."""

from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.db import db, transaction
from core.ids import parse_id
from marketplace.leads.source_codes import public_codes
from marketplace.orders.prices import Modifier, highest_price, price_for
from marketplace.orders.terms import OrderTerms, decode_terms
from tests.factories import Market, Member
from tests.marketplace.test_buyer_orders import faults, form_of, only_order, send
from tests.marketplace.test_portal_pages import visitor_of

HOT: dict[str, Any] = {
    "temperature": "hot",
    "region": ("FR-75C", "FR-IDF", "FR"),
    "contact_class": "quick",
    "verified": True,
}


def terms(price: int, *modifiers: Modifier, **more: int) -> OrderTerms:
    return OrderTerms(name="x", vertical="education", currency="EUR", price_minor=price, modifiers=modifiers, **more)


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


def test_percentages_are_of_the_base_price_then_amounts_are_added_and_the_sum_is_rounded_once() -> None:
    order = terms(1001, Modifier("temperature", ("hot",), percent=25), Modifier("verified", (True,), percent=25),
                  Modifier("contact_class", ("quick",), amount_minor=-100))  # fmt: skip
    assert price_for(order, HOT) == 1402  # 1001 + 500.5 - 100 = 1401.5
    assert price_for(order, HOT | {"temperature": "cold"}) == 1151  # 1001 + 250.25 - 100


def test_of_each_field_the_first_modifier_that_fits_counts() -> None:
    order = terms(1000, Modifier("region", ("FR-IDF",), percent=30), Modifier("region", ("FR", "BE"), percent=10))
    assert price_for(order, HOT) == 1300
    assert price_for(order, HOT | {"region": ("FR-ARA", "FR")}) == 1100
    assert price_for(order, HOT | {"region": ("ES",)}) == 1000


def test_bounds_hold_and_the_verticals_minimum_beats_the_ceiling() -> None:
    up, down = Modifier("temperature", ("hot",), percent=900), Modifier("temperature", ("cold",), percent=-90)
    order = terms(1000, up, down, price_floor_minor=300, price_ceiling_minor=2000, least_minor=420)
    assert price_for(order, HOT) == 2000 and price_for(order, HOT | {"temperature": "cold"}) == 420
    assert price_for(terms(10, Modifier("temperature", ("hot",), amount_minor=-500)), HOT) == 1


changes = st.builds(
    lambda field, value, how: Modifier(field, (value,), **how),
    st.sampled_from(["temperature", "region", "contact_class"]), st.sampled_from(["hot", "FR", "quick", "FR-IDF"]),
    st.one_of(st.integers(-90, 900).map(lambda percent: {"percent": percent}),
              st.integers(-3000, 3000).map(lambda minor: {"amount_minor": minor})),
)  # fmt: skip


TINY = [Modifier("temperature", ("hot",), percent=2), Modifier("contact_class", ("quick",), percent=1)]


@example(20, TINY, 0, 0)  # neither rises alone, both together do
@given(st.integers(1, 100_000), st.lists(changes, max_size=6), st.sampled_from([0, 500]), st.sampled_from([0, 90_000]))
def test_no_lead_is_ever_paid_more_than_the_highest_price_nor_by_another_sum(
    price: int, modifiers: list[Modifier], bottom: int, top: int
) -> None:
    order = terms(
        price, *modifiers, price_floor_minor=min(bottom, price), price_ceiling_minor=max(top, price) if top else 0
    )
    meeting = [
        one for one in modifiers if set(one.values) & set(HOT[one.field] if one.field == "region" else [HOT[one.field]])
    ]
    first = {each.field: each for each in reversed(meeting)}
    exact = Fraction(price) + sum(Fraction(price * each.percent, 100) + each.amount_minor for each in first.values())
    rounded = floor(exact + Fraction(1, 2)) if modifiers else price
    wanted = max(min(rounded, order.price_ceiling_minor or rounded), order.price_floor_minor, 1)
    assert price_for(order, HOT) == wanted <= highest_price(order)


def test_a_lead_is_sold_charged_and_told_at_its_own_price(market: Market, buyer: Member, publisher: Member) -> None:
    order = market.make_order(buyer, modifiers=[{"field": "temperature", "values": ["warm"], "percent": 25}])
    answer = publisher.post("/leads", market.lead())
    assert answer["sales"][0]["price"] == euros("25.00")
    [sale] = buyer.get("/sales")["items"]
    assert sale["price"] == euros("25.00") and buyer.get("/wallet")["held"] == euros("25.00")
    [told] = market.make_operator().get(f"/leads/{answer['id']}/why")["items"]
    assert told["bid"] == euros("25.00") and told["order"] == order["id"]


def test_who_pays_more_for_this_lead_gets_it_whatever_the_base_prices_say(
    market: Market, buyer: Member, publisher: Member
) -> None:
    market.make_order(
        market.make_buyer(), "24.00", modifiers=[{"field": "temperature", "values": ["warm"], "percent": -50}]
    )
    market.make_order(buyer, "20.00", modifiers=[{"field": "region", "values": ["FR"], "amount": euros("1.50")}])
    market.make_order(market.make_buyer(), "21.00")
    sold = publisher.post("/leads", market.lead(region="FR-IDF"))
    assert sold["sales"][0]["price"] == euros("21.50") and len(buyer.get("/sales")["items"]) == 1
    told = market.make_operator().get(f"/leads/{sold['id']}/why")["items"]
    assert [each["bid"]["amount"] for each in told] == ["21.50", "21.00", "12.00"]


def test_the_publishers_minimum_is_compared_with_the_price_for_the_lead(
    market: Market, buyer: Member, publisher: Member
) -> None:
    market.make_order(buyer, "20.00", modifiers=[{"field": "temperature", "values": ["warm"], "percent": -50}])
    lead = publisher.post("/leads", market.lead(min_price=euros("15.00")))
    [told] = market.make_operator().get(f"/leads/{lead['id']}/why")["items"]
    assert (lead["status"], told["outcome"]) == ("unsold", "below_min")
    assert "The order bids 10.00 EUR" in told["detail"]


def test_a_publisher_is_chosen_and_priced_by_its_public_code(market: Market, buyer: Member, publisher: Member) -> None:
    first, second = market.make_order(buyer), market.make_publisher()
    publisher.post("/leads", market.lead())
    [sale] = buyer.get("/sales")["items"]
    code = public_codes(parse_id("acc", publisher.id), "default")
    assert (sale["publisher_code"], sale["source_code"]) == code and publisher.id not in str(sale)
    buyer.request("PATCH", f"/orders/{first['id']}", {
        "filters": [{"field": "publisher.code", "op": "in", "value": [code[0]]}],
        "modifiers": [{"field": "source.code", "values": [code[1]], "amount": euros("-1.00")}]})  # fmt: skip
    theirs, others = (one.post("/leads", market.lead(contact={"email": f"{number}@example.com"}))
                      for number, one in enumerate((publisher, second)))  # fmt: skip
    assert theirs["sales"][0]["price"] == euros("19.00") and others["status"] == "unsold"


def test_the_hour_is_that_of_the_clock_where_the_lead_lives(market: Market, buyer: Member, publisher: Member) -> None:
    hour = (market.clock.now().hour + 1) % 24  # type: ignore[attr-defined]
    market.make_order(buyer, filters=[{"field": "hour", "op": "between", "value": [hour, hour]}])
    assert publisher.post("/leads", market.lead(region="FR"))["status"] == "sold"
    elsewhere = publisher.post("/leads", market.lead(region="PT", contact={"email": "b@example.com"}))
    assert elsewhere["status"] == "unsold"


def test_a_sale_at_a_price_that_no_modifier_makes_fails_the_audit(
    market: Market, buyer: Member, publisher: Member
) -> None:
    market.make_order(buyer, modifiers=[{"field": "temperature", "values": ["warm", "hot"], "percent": 25},
                                        {"field": "temperature", "values": ["cold"], "percent": -10}],
                      price_floor=euros("19.00"))  # fmt: skip
    publisher.post("/leads", market.lead())
    with transaction() as session:
        version = session.execute(db.text("SELECT terms FROM marketplace.order_versions")).scalar_one()
        prices = session.execute(db.text("SELECT lowest, highest FROM marketplace.prices_of(CAST(:terms AS jsonb))"),
                                 {"terms": __import__("json").dumps(version)}).one()  # fmt: skip
    assert tuple(prices) == (1900, 2500) and highest_price(decode_terms(version)) >= 2500


@pytest.mark.parametrize(
    ("said", "faults_of_it"),
    [
        ({"modifiers": [{"field": "city", "values": ["x"], "percent": 5}]}, {("modifiers.0.field", "unknown_value")}),
        ({"modifiers": [{"field": "region", "values": ["FR", "XX"], "percent": 5}]}, {("modifiers.0.values.1", "unknown_value")}),
        ({"modifiers": [{"field": "verified", "values": ["yes"], "percent": 5}]}, {("modifiers.0.values.0", "unknown_value")}),
        ({"modifiers": [{"field": "temperature", "values": [], "percent": 5}]}, {("modifiers.0.values", "invalid_value")}),
        ({"modifiers": [{"field": "temperature", "values": ["hot"]}]}, {("modifiers.0.percent", "one_of_two")}),
        ({"modifiers": [{"field": "temperature", "values": ["hot"], "percent": 0}]}, {("modifiers.0.percent", "out_of_range")}),
        ({"modifiers": [{"field": "temperature", "values": ["hot"], "percent": -91}]}, {("modifiers.0.percent", "out_of_range")}),
        ({"modifiers": [{"field": "temperature", "values": ["hot"], "amount": {"amount": "0.00", "currency": "EUR"}}]},
         {("modifiers.0.amount.amount", "not_positive")}),
        ({"price_floor": {"amount": "21.00", "currency": "EUR"}}, {("price_floor.amount", "bounds_reversed")}),
        ({"price_ceiling": {"amount": "19.00", "currency": "EUR"}}, {("price_ceiling.amount", "bounds_reversed")}),
        ({"price_ceiling": {"amount": "1.00", "currency": "USD"}}, {("price_ceiling.currency", "wrong_currency")}),
    ],
)  # fmt: skip
def test_a_modifier_that_cannot_be_is_refused_at_its_place(
    buyer: Member, said: dict[str, Any], faults_of_it: set[tuple[str, str]]
) -> None:
    body = {"name": "x", "vertical": "education", "price": euros("20.00")}
    answer = buyer.request("POST", "/orders", body | said)
    assert answer.status_code == 422
    assert {(each["field"], each["code"]) for each in answer.json["errors"]} == faults_of_it


def test_modifiers_go_through_the_form_as_they_are(market: Market, buyer: Member) -> None:
    visitor = visitor_of(market, buyer)
    rows = {"modifiers__0__field": "temperature", "modifiers__0__values": "hot, warm", "modifiers__0__change": "+25 %",
            "modifiers__1__field": "verified", "modifiers__1__values": "true", "modifiers__1__change": "-2.50"}  # fmt: skip
    answer = send(visitor, "/buyer/orders/new?vertical=education", name="x", price="20", price_floor="10", **rows)
    assert answer.status_code == 302, faults(answer)
    order = only_order(buyer)
    assert order["modifiers"] == [
        {"field": "temperature", "values": ["hot", "warm"], "percent": 25, "amount": None},
        {"field": "verified", "values": [True], "percent": None, "amount": euros("-2.50")},
    ]
    path = f"/buyer/orders/{order['id']}"
    assert send(visitor, path).status_code == 302 and only_order(buyer)["version"] == 1
    assert form_of(visitor.read(path))["modifiers-0-change"] == ["+25 %"]
    answer = send(visitor, path, modifiers__0__change="much", price_floor="30")
    assert {"decimal string" in one or "floor be the price" in one for one in faults(answer)} == {True}
