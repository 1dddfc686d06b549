"""Bank transfers over HTTP: buyers' pro-formas, and statements that an operator's program sends, each once."""

import pytest
from werkzeug.test import TestResponse

from billing import jobs as billing_jobs
from core.ids import show_id
from tests.billing.bank.conftest import Counter
from tests.billing.bank.statements import IBAN, Told, camt, sheet, statement
from tests.factories import Member

EURO = {"amount": {"amount": "120.50", "currency": "EUR"}}


def send(operator: Member, data: bytes, key: str = "", kind: str = "application/xml", **said: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {operator.key}"} | ({"Idempotency-Key": key} if key else {})
    client = operator.app.test_client()
    return client.post("/api/v1/bank/statements", data=data, query_string=said, headers=headers, content_type=kind)


def test_a_buyer_asks_lists_and_cancels_pro_formas(counter: Counter) -> None:
    made = counter.buyer.post("/wallet/pro-formas", EURO, Idempotency_Key="once")
    assert counter.buyer.post("/wallet/pro-formas", EURO, Idempotency_Key="once") == made
    assert (made["state"], made["received"]["amount"], made["payee"]["iban"]) == ("open", "0.00", IBAN)
    counter.bring(camt(statement(Told(5_000, made["reference"]))))

    [listed] = counter.buyer.get("/wallet/pro-formas")["items"]
    assert listed == counter.buyer.get(f"/wallet/pro-formas/{made['id']}")
    assert (listed["state"], listed["received"]["amount"]) == ("partly", "50.00")
    path = f"/wallet/pro-formas/{made['id']}/cancel"
    assert counter.buyer.post(path) == counter.buyer.post(path) != made
    assert counter.buyer.post(path)["state"] == "cancelled"


def test_pro_formas_are_their_buyers_and_statements_the_operators(counter: Counter) -> None:
    theirs = f"/wallet/pro-formas/{show_id('pro', counter.ask(buyer=counter.market.make_buyer('0')).id)}"
    assert counter.buyer.request("GET", theirs).status_code == 404
    assert counter.buyer.request("POST", f"{theirs}/cancel", {}).status_code == 404
    assert send(counter.buyer, b"").status_code == 403 == counter.buyer.request("GET", "/bank/statements").status_code
    bad = counter.buyer.request("POST", "/wallet/pro-formas", {"amount": {"amount": "1.001", "currency": "EUR"}})
    assert (bad.status_code, bad.json["code"]) == (422, "invalid_amount")


def test_an_operators_program_imports_a_statement_once_a_key(counter: Counter) -> None:
    operator, asked = counter.market.make_operator(), counter.ask()
    data = camt(statement(Told(90_000, asked.reference), Told(5, "whose?")))
    first, again = send(operator, data, "day-1"), send(operator, data, "day-1")
    assert first.status_code == 201 and again.json == first.json and again.headers["Idempotency-Replayed"] == "true"
    assert (
        send(operator, data + b" ", "day-1").status_code == 422 == send(operator, data, "day-1", name="x").status_code
    )
    assert send(operator, data, kind="application/zip").status_code == 415
    billing_jobs.book_bank()

    told = operator.get(f"/bank/statements/{first.json['id']}")
    assert (told["state"], told["outcomes"]) == ("done", {"credited": 1, "suspense": 1})
    assert [one["id"] for one in operator.get("/bank/statements")["items"]] == [told["id"]]
    assert counter.available() == 90_000


def test_a_sheet_that_a_program_sends_waits_for_people(counter: Counter) -> None:
    operator, asked = counter.market.make_operator(), counter.ask()
    rows = sheet(f"2026-11-20;600,00;{asked.reference}", "soon;1;x", head="Tag;Wert;Zweck")
    said = {"account": f"{IBAN[:4]} {IBAN[4:]}", "columns": "date=Tag; amount=Wert; text=Zweck"}
    made = send(operator, rows, kind="text/csv", **said)
    billing_jobs.book_bank()

    told = operator.get(f"/bank/statements/{made.json['id']}")
    assert (told["state"], told["outcomes"]) == ("asked", {"refused": 1, "waits": 1}) and counter.available() == 0
    assert [(one["line"], one["code"]) for one in told["unread"]] == [(3, "bad_date")]


@pytest.mark.parametrize(
    ("data", "fields", "code"),
    [(b"<html/>", {}, "wrong_namespace"), (b"x", {"account": IBAN, "columns": "when=Tag"}, "not_allowed_value"),
     (b"date;amount\n", {"account": "GB82WEST12345698765432"}, "unknown_bank_account")],
)  # fmt: skip
def test_what_cannot_be_imported_is_a_problem_with_a_code(
    counter: Counter, data: bytes, fields: dict[str, str], code: str
) -> None:
    kind = "text/csv" if fields else "application/xml"
    answer = send(counter.market.make_operator(), data, kind=kind, **fields)

    assert (answer.status_code, answer.json["code"], answer.json["errors"][0]["code"]) == (422, "bad_statement", code)
