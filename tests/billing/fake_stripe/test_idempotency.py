"""Idempotency keys: the first answer, byte for byte, whatever happens in between."""

import http.client
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from billing.fake_stripe.engine import Engine
from tests.billing.fake_stripe.conftest import available, paid

DAY = 86_400


def raw(fake, path: str, key: str, **form: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(fake.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        headers = {"Authorization": f"Bearer {fake.keys.secret_key}", "Idempotency-Key": key,
                   "Content-Type": "application/x-www-form-urlencoded"}  # fmt: skip
        connection.request("POST", path, urlencode(form), headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_the_same_key_gets_the_same_bytes_and_one_effect(fake, api) -> None:
    first = raw(fake, "/v1/customers", "k1", name="A")
    second = raw(fake, "/v1/customers", "k1", name="A")

    assert (first[0], second[0], first[2]) == (200, 200, second[2])
    assert "idempotent-replayed" not in first[1]
    assert second[1]["idempotent-replayed"] == "true"
    assert second[1]["original-request"] == first[1]["request-id"] != second[1]["request-id"]
    assert len(api.v1.customers.list().data) == 1


def test_a_key_stands_for_one_request(fake, api) -> None:
    raw(fake, "/v1/customers", "k1", name="A")

    for path, name in (("/v1/customers", "B"), ("/v1/payment_intents", "A")):
        status, _headers, body = raw(fake, path, "k1", name=name)
        assert status == 400 and (b"idempotency_error" in body or b"parameter_unknown" in body)
    assert len(api.v1.customers.list().data) == 1


def test_a_key_is_free_again_after_a_day(fake, api) -> None:
    raw(fake, "/v1/customers", "k1", name="A")
    fake.advance(DAY - 10)
    assert "idempotent-replayed" in raw(fake, "/v1/customers", "k1", name="A")[1]
    fake.advance(20)
    assert raw(fake, "/v1/customers", "k1", name="B")[0] == 200
    assert len(api.v1.customers.list().data) == 2


def test_a_stored_refusal_is_given_again(fake, api) -> None:
    charge = paid(api)
    form = {"charge": charge.id, "amount": "10001"}
    first = raw(fake, "/v1/refunds", "k2", **form)
    second = raw(fake, "/v1/refunds", "k2", **form)

    assert (first[0], first[2]) == (second[0], second[2]) == (400, first[2])
    assert second[1]["idempotent-replayed"] == "true"


def test_a_decline_is_given_again_and_tried_once(fake, api) -> None:
    customer = api.v1.customers.create().id
    params = {"amount": 500, "currency": "eur", "customer": customer, "confirm": True, "off_session": True,
              "payment_method": "pm_card_visa_chargeDeclined"}  # fmt: skip
    for _ in range(3):
        with pytest.raises(stripe.CardError):
            api.v1.payment_intents.create(params, {"idempotency_key": "k3"})
    assert len(api.v1.charges.list().data) == 1


def test_parameters_that_cannot_be_read_leave_the_key_free(fake) -> None:
    assert raw(fake, "/v1/payment_intents", "k4", amount="ten", currency="eur")[0] == 400
    assert raw(fake, "/v1/payment_intents", "k4", amount="100", currency="eur")[0] == 200


def test_an_error_after_the_effect_is_stored_with_it(fake, api) -> None:
    charge = paid(api)
    fake.fault("500_after", path="/v1/refunds")
    answers = [raw(fake, "/v1/refunds", "k5", charge=charge.id, amount="100") for _ in range(3)]

    assert {(status, body) for status, _, body in answers} == {(500, answers[0][2])}
    assert len(api.v1.refunds.list({"charge": charge.id}).data) == 1


def test_64_equal_requests_at_once_have_one_effect(fake, api) -> None:
    charge = paid(api)
    key, ready = uuid.uuid4().hex, threading.Barrier(64)

    def ask(_worker: int) -> tuple[int, bytes]:
        ready.wait()
        status, _, body = raw(fake, "/v1/refunds", key, charge=charge.id, amount="100")
        return status, body

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(ask, range(64)))

    assert {status for status, _ in answers} <= {200, 409}
    assert len({body for status, body in answers if status == 200}) == 1
    assert len(api.v1.refunds.list({"charge": charge.id}).data) == 1
    assert available(api) == 9_725


def test_a_key_in_flight_is_refused_meanwhile(fake, api, monkeypatch) -> None:
    charge = paid(api)
    begun, go_on = threading.Event(), threading.Event()
    run = Engine._run

    def held(self, *args):
        if not begun.is_set():
            begun.set()
            assert go_on.wait(10)
        return run(self, *args)

    monkeypatch.setattr(Engine, "_run", held)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(raw, fake, "/v1/refunds", "k6", charge=charge.id, amount="100")
        assert begun.wait(10)
        status, _, body = raw(fake, "/v1/refunds", "k6", charge=charge.id, amount="100")
        go_on.set()
        assert first.result()[0] == 200
    assert (status, b"idempotency_key_in_use" in body) == (409, True)
