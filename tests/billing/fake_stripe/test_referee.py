"""The referee itself: it sees what is wrong, and nothing that the fake takes is unknown to Stripe."""

import pytest

from billing.fake_stripe.call import ROUTES
from billing.fake_stripe.params import Needed
from tests.billing.fake_stripe.openapi import (
    faults_in,
    faults_of_answer,
    faults_of_object,
    faults_of_request,
    operation,
)
from tests.billing.fake_stripe.param_types import Typed


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"amount": "100"}, "is no integer"),
        ({"amount": True}, "is no integer"),
        ({"shoe_size": 42}, "unknown"),
        ({"livemode": None}, "is no boolean"),
        ({"currency": "x" * 5001}, None),
        ({"reversals": {"data": [], "has_more": False, "object": "page", "url": "/v1"}}, "is none of"),
        ({"balance_transaction": {"object": "balance_transaction"}}, "missing"),
    ],
)
def test_it_sees_what_is_wrong_with_an_object(change, fault) -> None:
    transfer = {
        "id": "tr_1", "object": "transfer", "amount": 100, "amount_reversed": 0, "created": 1, "currency": "eur",
        "livemode": False, "metadata": {}, "reversed": False,
        "reversals": {"data": [], "has_more": False, "object": "list", "url": "/v1/x"},
    }  # fmt: skip
    found = faults_of_object(transfer | change)

    assert (found == []) if fault is None else any(fault in one for one in found), found


def test_it_sees_what_is_wrong_with_a_request() -> None:
    assert faults_of_request("POST", "/v1/transfers", {"amount": "5", "currency": "eur", "destination": "acct_1"}) == []
    assert len(faults_of_request("POST", "/v1/transfers", {"amount": "x", "currncy": "eur"})) == 4
    assert len(faults_of_request("GET", "/v1/charges", {"limit": "ten", "shoe": "1"})) == 2
    assert faults_of_answer("GET", "/v1/charges", 400, {"error": {"type": "tired"}}) != []
    assert list(faults_in(None, {"type": "string"})) != []
    with pytest.raises(AssertionError):
        operation("GET", "/v1/shoes")


def test_it_holds_parameters_against_the_clients_own_types(api) -> None:
    for wrong in ({"amount": "100", "currency": "eur"}, {"amount": 100}, {"amount": 100, "currency": "eur", "shoe": 1}):
        with pytest.raises(AssertionError):
            api.v1.payment_intents.create(wrong)
    assert isinstance(api, Typed)


def test_every_endpoint_and_parameter_of_the_fake_is_one_of_stripes() -> None:
    unknown = []
    for method, parts, spec, _ in ROUTES:
        path = "/" + "/".join("x" if part == "{}" else part for part in parts)
        unknown += [f"{method} {path}: {name}" for name in _names(spec) - _known(method, path)]

    assert len(ROUTES) > 50
    assert unknown == []


def _names(spec, within: str = "") -> set[str]:
    spec = spec.kind if isinstance(spec, Needed) else spec
    if isinstance(spec, list):
        return _names(spec[0], within)
    if not isinstance(spec, dict):
        return {within}
    return set().union(
        {within} - {""}, *(_names(inner, f"{within}.{name}".lstrip(".")) for name, inner in spec.items())
    )


def _known(method: str, path: str) -> set[str]:
    said = operation(method, path)
    if method == "GET":
        return set().union(*(_named(one["schema"], one["name"]) for one in said["parameters"]))
    return _named(said["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"])


def _named(schema, within: str = "") -> set[str]:
    found = {within}
    for name, inner in schema.get("properties", {}).items():
        found |= _named(inner, f"{within}.{name}".lstrip("."))
    for one in [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]:
        found |= _named(one, within)
    return found
