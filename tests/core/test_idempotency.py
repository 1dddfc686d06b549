"""An Idempotency-Key: the same answer again, kept with its effect, and never for what may go better next time."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from core.db import db, pool_of, transaction
from core.errors import Malformed
from core.idempotency import answered_at, claim, fingerprint_of, forget, key_of, revise
from tests.factories import Market, Member

ORDER = {"name": "o", "vertical": "education", "price": {"amount": "20.00", "currency": "EUR"}}


@pytest.mark.parametrize(
    ("header", "key"), [(None, None), ("abc", "abc"), ('"abc"', "abc"), (' "a b" ', "a b"), ('"', '"')]
)
def test_a_key_is_a_quoted_string_or_bare_text(header: str | None, key: str | None) -> None:
    assert key_of(header) == key


@pytest.mark.parametrize("header", ["", '""', "ü", "a\nb", "x" * 256])
def test_an_unusable_key_is_malformed(header: str) -> None:
    with pytest.raises(Malformed):
        key_of(header)


def was_replayed(response: TestResponse) -> bool:
    return response.headers.get("Idempotency-Replayed") == "true"


def test_the_same_key_and_body_give_the_same_answer_on_every_route(market: Market) -> None:
    publisher, buyer, operator = market.make_publisher(), market.make_buyer(), market.make_operator()
    market.make_order(buyer)
    sale = publisher.post("/leads", market.lead())["sales"][0]
    dispute = buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "bot"})
    second = publisher.post("/leads", market.lead())["sales"][0]
    for member, path, body in [
        (publisher, "/leads", market.lead()), (buyer, "/orders", ORDER), (buyer, "/keys", {"name": "k"}),
        (publisher, "/leads/batch", market.lead()), (buyer, f"/sales/{second['id']}/disputes", {"reason": "prank"}),
        (operator, f"/disputes/{dispute['id']}/resolve", {"decision": "reject"}),
    ]:  # fmt: skip
        first = member.request("POST", path, body, Idempotency_Key="one")
        again = member.request("POST", path, body, Idempotency_Key="one")
        other = member.request("POST", path, {**body, "x": 1}, Idempotency_Key="one")
        assert first.status_code in (200, 201) and not was_replayed(first), first.text
        assert (again.status_code, again.data, again.mimetype) == (first.status_code, first.data, "application/json")
        assert was_replayed(again), path
        assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused"), path
    assert len(publisher.get("/leads")["items"]) == 4
    assert len(buyer.get("/orders")["items"]) == 2 and len(buyer.get("/keys")["items"]) == 2


def test_a_refusal_by_the_rules_is_kept_and_one_that_was_unreadable_is_not(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    sale_gone = market.lead(region="nowhere")
    for member, path, body, status in [
        (buyer, "/orders", {**ORDER, "name": ""}, 422), (publisher, "/leads", sale_gone, 422),
        (buyer, "/orders", {**ORDER, "name": 5}, 400), (publisher, "/leads", {"vertical": 5}, 400),
        (buyer, f"/sales/sale_{'0' * 26}/disputes", {"reason": "bot"}, 404),
    ]:  # fmt: skip
        key = f"{path}{status}"
        first = member.request("POST", path, body, Idempotency_Key=key)
        again = member.request("POST", path, body, Idempotency_Key=key)
        assert first.status_code == again.status_code == status and first.data == again.data
        assert was_replayed(again) is (status == 422)
        assert again.mimetype == "application/problem+json"
    assert buyer.request("POST", "/orders", ORDER, Idempotency_Key="/orders400").status_code == 201
    assert sum(one["refused"] for one in publisher.get("/refusals")["items"]) == 7  # one, and twice three faults


def test_a_conflict_is_kept(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer)
    sale = publisher.post("/leads", market.lead())["sales"][0]
    buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "bot"})
    first, again = (
        buyer.request("POST", f"/sales/{sale['id']}/disputes", {"reason": "bot"}, Idempotency_Key="k") for _ in range(2)
    )
    assert first.status_code == again.status_code == 409 and first.data == again.data and was_replayed(again)


def test_a_key_counts_for_one_account_and_one_route(market: Market) -> None:
    one, two = market.make_buyer(), market.make_buyer()
    made = [
        member.request("POST", path, body, Idempotency_Key="same")
        for member, path, body in ((one, "/orders", ORDER), (two, "/orders", ORDER), (one, "/keys", {}))
    ]
    assert [response.status_code for response in made] == [201] * 3 and not any(map(was_replayed, made))


def test_a_sent_lead_is_sold_once_however_often_it_is_repeated(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer("100.00")
    market.make_order(buyer)
    lead = market.lead()
    answers = {publisher.request("POST", "/leads", lead, Idempotency_Key="k").data for _ in range(5)}
    assert len(answers) == 1 and json.loads(answers.pop())["status"] == "sold"
    assert buyer.get("/wallet")["available"]["amount"] == "80.00"


@pytest.fixture
def somebody_answering(app: Flask, database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url) as other:
        yield other


def test_a_key_that_is_being_answered_is_in_progress(market: Market, somebody_answering: psycopg.Connection) -> None:
    buyer, publisher = market.make_buyer(), market.make_publisher()
    for member, path, body in ((buyer, "/orders", ORDER), (publisher, "/leads", market.lead())):
        account = db.session.scalar(db.text("SELECT id FROM core.accounts WHERE name = :n"), {"n": name_of(member)})
        claimed = "SELECT core.claim_key(%s, %s, 'k', now())"
        somebody_answering.execute(claimed, (account, f"POST /api/v1{path}"))
        refused = member.request("POST", path, body, Idempotency_Key="k")
        assert (refused.status_code, refused.json["code"]) == (409, "idempotency_in_progress")
        somebody_answering.rollback()
        assert member.request("POST", path, body, Idempotency_Key="k").status_code == 201


def name_of(member: Member) -> str:
    query = "SELECT a.name FROM core.accounts a JOIN core.api_keys k ON k.account_id = a.id WHERE k.hint = :hint"
    return str(db.session.scalar(db.text(query), {"hint": member.key[-4:]}))


def test_an_answer_lives_a_day(market: Market) -> None:
    buyer = market.make_buyer()
    first = buyer.request("POST", "/orders", ORDER, Idempotency_Key="k")
    with transaction():
        db.session.execute(db.text("UPDATE core.idempotency SET answered_at = answered_at - interval '24 hours'"))
    second = buyer.request("POST", "/orders", ORDER, Idempotency_Key="k")
    assert second.status_code == 201 and second.json["id"] != first.json["id"]
    with transaction():
        assert forget(datetime.now(UTC) - timedelta(days=1)) == 0
        assert forget(datetime.now(UTC) + timedelta(seconds=1)) == 1


def test_what_failed_leaves_no_key_behind(market: Market) -> None:
    buyer = market.make_buyer()
    account = db.session.scalar(db.text("SELECT account_id FROM core.api_keys WHERE hint = :h"), {"h": buyer.key[-4:]})
    db.session.rollback()

    def claims_and_fails() -> None:
        with transaction():
            assert claim(account, "POST /x", "k", fingerprint_of(b"1")) is None
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            claims_and_fails()
    assert pool_of(market.app).get_stats().get("requests_errors", 0) == 0


def test_a_first_answer_is_revised_once_and_whoever_comes_second_gets_what_is_kept(app: Flask) -> None:
    account, at = UUID(int=1), datetime.now(UTC)
    first, final, other = {"n": 1}, {"n": 2}, {"n": 3}
    with transaction():
        assert answered_at(account, "POST /x", "k") is None
        assert revise(account, "POST /x", "k", first, final) == final  # nothing is kept any more
        values = {"account": account, "at": at}
        db.session.execute(
            db.text("SELECT core.keep_answer(:account, 'POST /x', 'k', '\\x00', 201::smallint, '{\"n\": 1}', :at)"),
            values,
        )
        assert answered_at(account, "POST /x", "k") == at
        assert revise(account, "POST /x", "k", first, final) == final
        assert revise(account, "POST /x", "k", first, other) == final
