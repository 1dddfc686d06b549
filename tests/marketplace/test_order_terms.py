"""What an order may say, what is refused at once, and how terms are kept, shown and changed."""

from typing import Any

import msgspec
import pytest

from core.errors import Invalid
from marketplace.orders.checks import accept_terms, check_terms
from marketplace.orders.filters import paths_of
from marketplace.orders.periods import Schedule, Window
from marketplace.orders.terms import (
    OrderBody,
    OrderPatch,
    OrderTerms,
    body_of,
    decode_terms,
    encode_terms,
    patched,
    show_terms,
)

CONTRACT: dict[str, Any] = {
    "name": "Paris students",
    "vertical": "education",
    "regions": ["FR-IDF"],
    "model": "cpl",
    "price": {"amount": "20.00", "currency": "EUR"},
    "exclusivity": "shared",
    "max_share": 3,
    "filters": [{"field": "attributes.occupation", "op": "in", "value": ["student", "unemployed"]}],
    "min_score": 0,
    "temperatures": ["warm", "hot"],
    "contact_classes": None,
    "verified_only": False,
    "caps": {"day": 50},
    "budget": {"day": {"amount": "500.00", "currency": "EUR"}},
    "schedule": {
        "timezone": "Europe/Paris",
        "windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00"}],
    },
    "delivery": {"kind": "none"},
    "status": "active",
}
NOTHING_MORE: dict[str, Any] = {"postal_prefixes": None, "radius": None, "modifiers": None, "price_floor": None,
                                "price_ceiling": None, "returns": True, "contact_hours": False, "pacing": False, "ladder": None,
                                "age": None, "at_cap": "next", "wait_hours": None}  # fmt: skip
MINIMAL = {"name": "All", "vertical": "education", "price": {"amount": "5", "currency": "EUR"}}
RULES: dict[str, Any] = {
    "currency": "EUR",
    "min_price_minor": 420,
    "paths": paths_of(["occupation", "age"]),
    "is_region": {"FR", "FR-IDF", "ES"}.__contains__,
}


def read(**changes: Any) -> OrderBody:
    return msgspec.convert({**CONTRACT, **changes}, OrderBody)


def faults(**changes: Any) -> list[tuple[str, str]]:
    return [(each.field, each.code) for each in check_terms(read(**changes), **RULES)]


def accepted(**changes: Any) -> OrderTerms:
    return accept_terms(read(**changes), **RULES)


def test_the_order_of_the_contract_is_accepted_and_shown_as_it_came() -> None:
    assert show_terms(accepted()) == CONTRACT | {"contact_sla": False, "settings": {}, **NOTHING_MORE}


def test_what_is_left_out_is_unlimited() -> None:
    terms = accept_terms(msgspec.convert(MINIMAL, OrderBody), **RULES)
    assert terms == OrderTerms(name="All", vertical="education", currency="EUR", price_minor=500)
    assert terms.exclusive and terms.timezone == "UTC"


def test_terms_are_normalised() -> None:
    terms = accepted(name=" Night ", regions=["FR", "FR"], exclusivity="exclusive", caps={"day": None, "total": 9},
                     schedule={"timezone": "UTC", "windows": [{"days": ["sun", "mon", "sun"], "from": "22:00", "to": "02:00"}]})  # fmt: skip
    assert (terms.name, terms.regions, terms.max_share, terms.caps) == ("Night", ("FR",), 1, {"total": 9})
    assert terms.schedule == Schedule("UTC", (Window((0, 6), 1320, 120),))


def test_terms_survive_being_kept() -> None:
    terms = accepted()
    assert decode_terms(encode_terms(terms)) == terms
    assert decode_terms(msgspec.json.decode(encode_terms(terms))) == terms
    assert accept_terms(body_of(terms), **RULES) == terms


def test_a_shared_order_shares_with_three_unless_it_says_otherwise() -> None:
    assert accepted(max_share=None).max_share == 3
    assert faults(max_share=1) == [("max_share", "out_of_range")]
    assert faults(max_share=6) == [("max_share", "out_of_range")]
    assert faults(max_share=3, exclusivity="exclusive") == []


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ({"amount": "4.19", "currency": "EUR"}, ("price.amount", "below_minimum_price")),
        ({"amount": "20.001", "currency": "EUR"}, ("price.amount", "invalid_amount")),
        ({"amount": "-5", "currency": "EUR"}, ("price.amount", "not_positive")),
        ({"amount": "0.00", "currency": "EUR"}, ("price.amount", "not_positive")),
        ({"amount": "1e3", "currency": "EUR"}, ("price.amount", "invalid_amount")),
        ({"amount": "20.00", "currency": "USD"}, ("price.currency", "wrong_currency")),
        ({"amount": "20.00", "currency": "XXX"}, ("price.currency", "unknown_currency")),
        (None, ("price", "required")),
    ],
)
def test_prices_that_are_refused(price: Any, expected: tuple[str, str]) -> None:
    assert faults(price=price) == [expected]


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        ({"field": "attributes.shoe", "op": "eq", "value": 1}, ("filters.0.field", "unknown_field")),
        ({"field": "channel", "op": "like", "value": "x"}, ("filters.0.op", "unknown_value")),
        ({"field": "contact.email", "op": "eq", "value": "x"}, ("filters.0.op", "op_not_allowed")),
        ({"field": "channel", "op": "eq", "value": ["x"]}, ("filters.0.value", "invalid_value")),
        ({"field": "channel", "op": "eq"}, ("filters.0.value", "invalid_value")),
        ({"field": "channel", "op": "in", "value": "x"}, ("filters.0.value", "invalid_value")),
        ({"field": "channel", "op": "in", "value": []}, ("filters.0.value", "invalid_value")),
        ({"field": "score", "op": "gt", "value": True}, ("filters.0.value", "invalid_value")),
        ({"field": "score", "op": "between", "value": [1]}, ("filters.0.value", "one_bound")),
        ({"field": "score", "op": "between", "value": [1, "2"]}, ("filters.0.value", "invalid_value")),
        ({"field": "score", "op": "between", "value": [2, 1]}, ("filters.0.value", "invalid_value")),
        ({"field": "channel", "op": "exists", "value": 1}, ("filters.0.value", "invalid_value")),
        ({"field": "channel", "op": "matches", "value": "(a"}, ("filters.0.value", "invalid_pattern")),
        ({"field": "channel", "op": "matches", "value": 5}, ("filters.0.value", "invalid_value")),
    ],
)
def test_filters_that_are_refused(each: dict[str, Any], expected: tuple[str, str]) -> None:
    assert faults(filters=[each]) == [expected]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"from": "09:00", "to": "09:00"}, [("to", "empty_window")]),
        ({"from": "24:00", "to": "09:00"}, [("from", "invalid_time")]),
        ({"from": "9", "to": "25:00"}, [("from", "invalid_time"), ("to", "invalid_time")]),
        ({"days": [], "from": "09:00", "to": "24:00"}, [("days", "required")]),
        ({"days": ["mon", "day"], "from": "22:00", "to": "02:00"}, [("days.1", "unknown_value")]),
    ],
)
def test_windows_that_are_refused(window: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    schedule = {"timezone": "Europe/Paris", "windows": [{"days": ["mon"], **window}]}
    assert faults(schedule=schedule) == [(f"schedule.windows.0.{field}", code) for field, code in expected]


def test_every_fault_is_named_at_once() -> None:
    found = faults(name=" ", price={"amount": "x", "currency": "EUR"}, regions=["FR", "XX"], min_score=101,
                   temperatures=["tepid"], caps={"day": 0, "week": -1},
                   budget={"day": {"amount": "0", "currency": "EUR"}}, schedule={"timezone": "Mars/Base"},
                   status="sleeping", exclusivity="both")  # fmt: skip
    assert {field for field, _ in found} == {
        "name", "price.amount", "regions.1", "min_score", "temperatures.0", "caps.day", "caps.week",
        "budget.day.amount", "schedule.timezone", "status", "exclusivity",
    }  # fmt: skip


def test_models_that_do_not_exist_yet_are_refused_by_name() -> None:
    with pytest.raises(Invalid) as caught:
        accepted(model="cps", price=None, rate_bp=800)
    assert caught.value.code == "model_not_offered"
    assert [fault.field for fault in caught.value.faults] == ["model"]


def test_a_misspelt_limit_is_not_ignored() -> None:
    with pytest.raises(msgspec.ValidationError):
        read(cap={"day": 5})


def change(**changes: Any) -> OrderTerms:
    return accept_terms(patched(body_of(accepted()), msgspec.convert(changes, OrderPatch)), **RULES)


def test_a_patch_changes_what_it_names_and_nothing_else() -> None:
    assert change() == accepted()
    assert change(status="paused") == accepted(status="paused")
    assert change(regions=None).regions == ()
    assert change(schedule=None).schedule is None


def test_a_patched_cap_leaves_the_other_caps() -> None:
    assert change(caps={"total": 500}).caps == {"day": 50, "total": 500}
    assert change(caps={"day": None}).caps == {}
    assert change(caps=None).caps == {}
    assert change(budget={"week": {"amount": "9", "currency": "EUR"}}).budget_minor == {"day": 50_000, "week": 900}


def test_a_patch_turns_a_shared_order_exclusive_and_back() -> None:
    assert change(exclusivity="exclusive").max_share == 1
    exclusive = body_of(change(exclusivity="exclusive"))
    assert accept_terms(patched(exclusive, OrderPatch(exclusivity="shared")), **RULES).max_share == 3


def test_an_order_stays_in_its_vertical() -> None:
    assert change(vertical="education") == accepted()
    with pytest.raises(Invalid):
        change(vertical="travel")
