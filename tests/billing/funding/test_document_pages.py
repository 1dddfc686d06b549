"""The buyer's documents on pages, as files and by API; what operators do to a wallet, and what its buyer reads of it."""

from typing import Any

import pytest
from sqlalchemy import text

from billing import ask_promo, decide_promo, wallet_of
from core.db import transaction
from core.errors import Conflict, NotAllowed
from core.ids import parse_id
from core.money import Money
from marketplace.wallet_standing import set_wallet_standing
from tests.billing.funding.conftest import Till, sql
from tests.factories import Member
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of


@pytest.fixture
def buyer(till: Till) -> Visitor:
    return visitor_of(till.market, till.buyer)


@pytest.fixture
def operator(till: Till) -> Visitor:
    return visitor_of(till.market, till.market.make_operator())


def get(member: Member, path: str, status: int = 200) -> Any:
    answer = member.request("GET", path)
    assert answer.status_code == status, answer.text
    return answer.json


def test_a_buyer_finds_the_receipt_at_the_top_up_in_the_list_as_pdf_and_as_csv(till: Till, buyer: Visitor) -> None:
    paid = till.paid("120.50")
    [shown] = get(till.buyer, "/documents")["items"]

    [link] = buyer.read(f"/buyer/wallet/top-ups/{get(till.buyer, '/wallet/top-ups')['items'][0]['id']}").xpath(
        "//a[contains(@href, '/buyer/documents/')]/@href"
    )
    page = words_of(buyer.open(link))
    assert "120.50" in page and "Visa •• 4242" in page and shown["number"] in page and "test money" in page
    assert shown["number"] in words_of(buyer.open("/buyer/documents"))
    assert "No document" in words_of(buyer.open("/buyer/documents?kind=credit_note"))
    printed = buyer.open(f"{link}/pdf")
    assert printed.mimetype == "application/pdf" and printed.data.startswith(b"%PDF-")
    assert printed.data == buyer.open(f"{link}/pdf").data
    sheet = buyer.open("/buyer/documents.csv").data.decode()
    assert f"{shown['number']},receipt," in sheet and str(paid.payment_id) in sheet


def test_the_api_shows_the_same_and_prints_the_same(till: Till, buyer: Visitor) -> None:
    till.paid("120.50")
    [shown] = get(till.buyer, "/documents")["items"]

    assert get(till.buyer, f"/documents/{shown['id']}") == shown
    assert shown["amount"] == {"amount": "120.50", "currency": "EUR"} and shown["test"] is True
    printed = till.buyer.request("GET", f"/documents/{shown['id']}/pdf", Accept="*/*")
    assert printed.data == buyer.open(f"/buyer/documents/{shown['id']}/pdf").data


def test_nobody_reads_the_document_of_another(till: Till) -> None:
    till.paid()
    [shown] = get(till.buyer, "/documents")["items"]
    other = till.market.make_buyer()
    visitor = visitor_of(till.market, other)

    assert get(other, f"/documents/{shown['id']}", 404) and get(other, f"/documents/{shown['id']}/pdf", 404)
    assert visitor.open(f"/buyer/documents/{shown['id']}").status_code == 404
    assert visitor.open(f"/buyer/documents/{shown['id']}/pdf").status_code == 404
    assert get(other, "/documents")["items"] == []


def test_a_list_goes_on_after_its_cursor(till: Till, buyer: Visitor) -> None:
    till.paid()
    page = get(till.buyer, "/documents")
    assert page["next_cursor"] is None
    assert get(till.buyer, f"/documents?cursor={page['items'][0]['id']}")["items"] == []
    assert get(till.buyer, "/documents?cursor=doc_1", 404)
    assert buyer.open("/buyer/documents?cursor=x").status_code == 404


def test_billing_details_keep_what_was_typed_and_name_the_next_document(till: Till, buyer: Visitor) -> None:
    refused = buyer.send("/buyer/billing-details", name="", address="Rue 1", vat_id="x" * 41)
    assert refused.status_code == 200 and "Rue 1" in refused.text
    assert 'id="name-fault"' in refused.text and 'id="vat_id-fault"' in refused.text

    assert buyer.send("/buyer/billing-details", name="<b>Zoë</b>", address="Rue 1\nParis", vat_id="").status_code == 303
    till.paid()
    [shown] = get(till.buyer, "/documents")["items"]
    assert shown["buyer"] == {"name": "<b>Zoë</b>", "address": ["Rue 1", "Paris"], "vat_id": ""}
    assert "&lt;b&gt;Zoë" in buyer.open(f"/buyer/documents/{shown['id']}").text

    put = till.buyer.request("PUT", "/billing-details", {"name": "Ada", "address": "", "vat_id": ""})
    assert put.json == get(till.buyer, "/billing-details") == {"name": "Ada", "address": "", "vat_id": ""}
    assert till.buyer.request("PUT", "/billing-details", {"name": " "}).json["code"] == "invalid_billing_details"


def test_the_way_back_from_paying_follows_no_forged_host(till: Till) -> None:
    assert till.ask(Host="evil.example")["checkout_url"]
    [(payload,)] = sql("SELECT payload FROM billing.card_calls")
    assert payload["success_url"].startswith("http://127.0.0.1:8000/buyer/wallet/paid")
    assert payload["cancel_url"] == "http://127.0.0.1:8000/buyer/wallet"


def test_credit_by_an_operator_is_in_the_wallet_at_once_with_its_reason(
    till: Till, buyer: Visitor, operator: Visitor
) -> None:
    page = f"/operator/buyers/{till.buyer.id}/wallet"
    [key] = operator.read(page).xpath("//input[@name='key']/@value")
    form = {"form_at": page, "amount": "25,00", "reason": "for the <outage>", "key": key}
    give = f"/operator/buyers/{till.buyer.id}/promo"
    assert operator.send(give, **form).status_code == 303 and operator.send(give, **form).status_code == 303

    assert till.wallet().promo.minor == 2_500
    assert "for the <outage>" in words_of(buyer.open("/buyer/wallet"))
    refused = operator.send(give, form_at=page, amount="0", reason="", key="k")
    assert 'id="amount-fault"' in refused.text and 'id="reason-fault"' in refused.text
    assert 'id="amount-fault"' in operator.send(give, form_at=page, amount="1e9", reason="x", key="k").text


def test_above_the_limit_a_second_operator_agrees_and_whoever_asked_cannot(till: Till, operator: Visitor) -> None:
    page, give = f"/operator/buyers/{till.buyer.id}/wallet", f"/operator/buyers/{till.buyer.id}/promo"
    assert operator.send(give, form_at=page, amount="500.01", reason="big", key="k").status_code == 303
    assert till.wallet().promo.minor == 0
    [(grant,)] = sql("SELECT id FROM billing.promo_grants")
    mine = operator.read("/operator/credits")
    assert not mine.xpath("//button[text()='Agree']") and mine.xpath("//button[text()='Refuse']")

    second = visitor_of(till.market, till.market.make_operator())
    [act] = second.read("/operator/credits").xpath("//form[contains(@action, '/agree')]/@action")
    assert operator.send(act, form_at="/operator/credits").status_code == 403
    assert second.send(act, form_at=page).status_code == 303 and second.send(act, form_at=page).status_code == 303
    assert second.send(act.replace("agree", "refuse"), form_at=page).status_code == 409
    assert second.send(act.replace("agree", "steal"), form_at=page).status_code == 404
    assert till.wallet().promo.minor == 50_001 and grant


def test_a_limit_is_not_passed_by_several_small_credits(till: Till) -> None:
    owner, at = parse_id("acc", till.buyer.id), till.clock.now()

    def ask(minor: int, key: str, actor: str = "user:a") -> str:
        with transaction():
            return ask_promo(owner, Money(minor, "EUR"), key, "why", actor, at).state

    assert ask(30_000, "1") == "granted" and ask(30_000, "1") == "granted"
    assert ask(20_000, "2") == "granted" and ask(1, "3") == "waiting" and ask(1, "4", "user:b") == "waiting"
    assert ask(20_000, "2", "key:a") == "granted", "what was given is given, whoever asks again"
    for nobody in ("key:a", "key:b", "operator:command-line"):
        with pytest.raises(NotAllowed) as refused:
            ask(1, f"of {nobody}", nobody)
        assert refused.value.code == "person_needed"
    with pytest.raises(Conflict, match="another grant"):
        ask(1, "1")
    assert till.wallet().promo.minor == 50_000
    till.clock.advance(days=1)
    at = till.clock.now()
    assert ask(50_000, "5", "key:a") == "granted"


def test_several_keys_of_an_operator_together_give_no_more_than_one(till: Till) -> None:
    asked = {"amount": {"amount": "300.00", "currency": "EUR"}, "reason": "sorry"}
    first, second = till.market.make_operator(), till.market.make_operator()

    assert first.request("POST", f"/buyers/{till.buyer.id}/promotional-credits", asked).status_code == 201
    refused = second.request("POST", f"/buyers/{till.buyer.id}/promotional-credits", asked)
    assert (refused.status_code, refused.json["code"]) == (403, "person_needed")
    assert till.wallet().promo.minor == 30_000 and sql("SELECT count(*) FROM billing.promo_grants") == [(1,)]


def test_a_key_neither_asks_above_the_limit_nor_agrees(till: Till) -> None:
    owner, at = parse_id("acc", till.buyer.id), till.clock.now()
    with transaction():
        grant = ask_promo(owner, Money(60_000, "EUR"), "k", "why", "user:a", at).id
    with pytest.raises(NotAllowed) as refused, transaction():
        decide_promo(grant, agrees=True, actor="key:a", at=at)
    assert refused.value.code == "person_needed"

    give = "UPDATE billing.promo_grants SET state = 'granted', decided_by = 'key:a', decided_at = now()"
    with pytest.raises(Exception, match="promo_grants_check"):
        sql(give)
    ask = """INSERT INTO billing.promo_grants (id, key, account_id, currency, amount_minor, reason, needs_second, asked_by,
        asked_at) VALUES (gen_random_uuid(), 'other', :owner, 'EUR', 60000, 'why', true, :by, now())"""
    with pytest.raises(Exception, match="promo_grants_check"):
        sql(ask, owner=owner, by="key:a")
    sql(ask, owner=owner, by="user:b")
    with transaction():
        assert decide_promo(grant, agrees=True, actor="user:b", at=at).state == "granted"


def test_the_database_refuses_a_grant_without_its_second_and_a_second_verdict(till: Till) -> None:
    owner, at = parse_id("acc", till.buyer.id), till.clock.now()
    with transaction():
        grant = ask_promo(owner, Money(60_000, "EUR"), "k", "why", "user:a", at).id
    with pytest.raises(NotAllowed), transaction():
        decide_promo(grant, agrees=True, actor="user:a", at=at)
    give = "UPDATE billing.promo_grants SET state = 'granted', decided_by = :by, decided_at = now()"
    with pytest.raises(Exception, match="promo_grants_check"):
        sql(give, by="user:a")
    with transaction():
        decide_promo(grant, agrees=False, actor="user:a", at=at)
    with pytest.raises(Exception, match="is refused"):
        sql(give, by="user:b")
    with pytest.raises(Conflict, match="refused already"), transaction():
        decide_promo(grant, agrees=True, actor="user:b", at=at)


def test_a_wallet_is_suspended_and_readmitted_with_a_reason_that_its_buyer_is_told(
    till: Till,
    buyer: Visitor,
    operator: Visitor,
) -> None:
    page = f"/operator/buyers/{till.buyer.id}/wallet"
    assert 'id="note-fault"' in operator.send(page, standing="suspended", note="").text
    assert operator.send(page, standing="suspended", note="chargeback lost").status_code == 303
    with transaction():
        assert wallet_of(parse_id("acc", till.buyer.id), "EUR").suspended_at is not None
    assert "suspended" in words_of(buyer.open("/buyer/wallet"))
    assert operator.send(page, standing="active", note="paid what was owed").status_code == 303
    with transaction():
        assert wallet_of(parse_id("acc", till.buyer.id), "EUR").suspended_at is None

    moves = sql(
        "SELECT move, why FROM marketplace.events WHERE subject_id = :id ORDER BY id", id=parse_id("acc", till.buyer.id)
    )
    assert moves == [
        ("wallet_active>wallet_suspended", "chargeback lost"), ("wallet_suspended>wallet_active", "paid what was owed"),
    ]  # fmt: skip
    told = sql("SELECT payload ->> 'event' FROM core.outbox WHERE topic = 'notice' ORDER BY id")
    assert told[-2:] == [("wallet.suspended",), ("wallet.readmitted",)]


def test_the_api_gives_credit_and_suspends_for_operators_alone(till: Till) -> None:
    operator = till.market.make_operator()
    at = f"/buyers/{till.buyer.id}"
    asked = {"amount": {"amount": "10.00", "currency": "EUR"}, "reason": "sorry", "key": "one"}

    first, again = (operator.request("POST", f"{at}/promotional-credits", asked) for _ in range(2))
    assert first.status_code == again.status_code == 201 and first.json == again.json
    assert get(operator, f"{at}/promotional-credits")["items"] == [first.json]
    standing = operator.request("POST", f"{at}/wallet-standing", {"standing": "suspended", "note": "look"})
    assert standing.status_code == 200 and standing.json["standing"] == "suspended"
    bad = operator.request("POST", f"{at}/wallet-standing", {"standing": "suspended", "note": "", "currency": "XXX"})
    assert {one["field"] for one in bad.json["errors"]} == {"note", "currency"}
    assert (
        operator.request("POST", "/buyers/acc_1/wallet-standing", {"standing": "active", "note": "x"}).status_code
        == 404
    )
    for path in ("promotional-credits", "wallet-standing"):
        assert till.buyer.request("POST", f"{at}/{path}", asked).status_code == 403


def test_the_same_standing_again_tells_nobody(till: Till) -> None:
    owner = parse_id("acc", till.buyer.id)
    for standing, changed in (("active", False), ("suspended", True), ("suspended", False), ("active", True)):
        with transaction():
            assert set_wallet_standing(owner, "EUR", standing, "why", "test", till.clock.now()) is changed
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM marketplace.events WHERE move LIKE 'wallet%'")) == 2
