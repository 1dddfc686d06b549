"""A buyer with a credit line: buys on credit, sees what is due when, is stopped when it is overdue, and runs again."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from lxml import html
from sqlalchemy import text

from core.db import db, transaction
from core.errors import Invalid
from core.ids import parse_id
from core.money import Money
from marketplace.cli.accounts import credit_by_hand
from marketplace.credit.granting import Line, grant_line, usual_credit
from marketplace.credit.overdue import mail_overdue
from marketplace.jobs import run_due, settle_due
from tests.at_once import at_once
from tests.command_line import run_program
from tests.conftest import SetClock
from tests.core.test_sign_in import email_of
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of


@pytest.fixture
def buyer(market: Market) -> Member:
    """Make a buyer without money, and with an order at 20.00."""
    buyer = market.make_buyer("0")
    market.make_order(buyer)
    return buyer


def grant(buyer: Member, clock: SetClock, limit: str = "100.00", version: int = 0, days: int = 15) -> None:
    with transaction():
        line = Line(Money.parse(limit, "EUR"), days, "agreed by phone", version, is_above=True)
        grant_line(parse_id("acc", buyer.id), line, "operator:test", clock.now())


def value(query: str) -> object:
    with transaction() as session:
        return session.execute(text(query)).scalar_one()


def test_a_sale_is_paid_from_escrow_from_credit_or_from_both_and_its_publisher_sees_which(
    market: Market, buyer: Member, clock: SetClock
) -> None:
    publisher = market.make_publisher()
    credit_by_hand(buyer.id, "30.00", "EUR", "for a test")
    grant(buyer, clock)
    answers = [publisher.post("/leads", market.lead()) for _ in range(3)]

    assert [answer["status"] for answer in answers] == ["sold"] * 3
    shown = [publisher.get(f"/leads/{answer['id']}")["paid_from"] for answer in answers]
    paid = zip(answers, ("escrow", "both", "credit"), strict=True)
    assert shown == [{answer["sales"][0]["id"]: word} for answer, word in paid]
    assert [one["paid_from"] for one in publisher.get("/leads")["items"]] == shown[::-1]
    visitor = visitor_of(market, publisher)
    pages = [words_of(visitor.open(f"/publisher/leads/{answer['id']}")) for answer in answers]
    assert all(word in page for word, page in zip(("Escrow", "Escrow and credit", "Credit"), pages, strict=True))


def test_the_wallet_tells_of_its_credit(market: Market, buyer: Member, clock: SetClock) -> None:
    assert buyer.get("/wallet")["credit"]["limit"]["amount"] == "0.00"
    grant(buyer, clock)
    market.make_publisher().post("/leads", market.lead())
    credit = buyer.get("/wallet")["credit"]
    assert {name: credit[name]["amount"] for name in ("limit", "drawn", "room", "due")} == {
        "limit": "100.00", "drawn": "20.00", "room": "80.00", "due": "0.00"
    }  # fmt: skip
    assert credit["net_days"] == 15 and credit["next_due_at"] is not None


def test_20_leads_at_once_on_a_line_that_pays_10_are_sold_exactly_10_times(
    market: Market, buyer: Member, clock: SetClock
) -> None:
    grant(buyer, clock, "200.00")
    publisher = market.make_publisher()
    leads = [market.lead() for _ in range(20)]
    answers = at_once([lambda lead=lead: publisher.post("/leads", lead) for lead in leads])
    assert sum(answer["status"] == "sold" for answer in answers) == 10
    assert buyer.get("/wallet")["credit"]["room"]["amount"] == "0.00"
    why = [publisher.get(f"/leads/{one['id']}/why") for one in answers if one["status"] != "sold"]
    assert all("no_funds" in str(one) for one in why)


def overdue(market: Market, buyer: Member, clock: SetClock) -> Member:
    """Let the buyer draw for one lead, and the time go by until its orders stop."""
    grant(buyer, clock, days=7)
    publisher = market.make_publisher()
    assert publisher.post("/leads", market.lead())["status"] == "sold"
    clock.advance(days=13)
    assert settle_due(clock.now())["wallets_stopped"] == 1
    return publisher


def test_what_is_overdue_for_five_days_stops_the_orders_until_it_is_paid(
    market: Market, buyer: Member, clock: SetClock
) -> None:
    grant(buyer, clock, days=7)
    publisher = market.make_publisher()
    publisher.post("/leads", market.lead())
    due = clock.now() + timedelta(days=12)
    assert settle_due(due)["wallets_stopped"] == 0

    clock.advance(days=13)
    assert (settle_due(clock.now())["wallets_stopped"], settle_due(clock.now())["wallets_stopped"]) == (1, 0)
    unsold = publisher.post("/leads", market.lead())
    assert unsold["status"] == "unsold" and "no_funds" in str(publisher.get(f"/leads/{unsold['id']}/why"))
    assert buyer.get("/wallet")["stopped_at"] and buyer.get("/wallet")["credit"]["due"]["amount"] == "20.00"
    visitor = visitor_of(market, buyer)
    for path in ("/buyer/orders", "/buyer/wallet"):
        assert "credit_overdue" in words_of(visitor.open(path)), path

    credit_by_hand(buyer.id, "20.00", "EUR", "paid at last")
    assert buyer.get("/wallet")["stopped_at"] is None
    assert publisher.post("/leads", market.lead())["status"] == "sold"


def test_who_is_stopped_is_told_by_news_and_by_mail_once(
    market: Market, buyer: Member, clock: SetClock, tmp_path: Path
) -> None:
    overdue(market, buyer, clock)
    assert value("SELECT count(*) FROM core.outbox WHERE payload ->> 'event' = 'credit.overdue'") == 1
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'market.credit_overdue'"
    assert value(jobs) == 1
    mail_overdue(parse_id("acc", buyer.id), "EUR", clock.now())
    credit_by_hand(buyer.id, "20.00", "EUR", "paid")
    mail_overdue(parse_id("acc", buyer.id), "EUR", clock.now())
    [mail] = list((tmp_path / "mail").iterdir())
    assert "20.00 EUR is overdue" in mail.read_text()


def test_what_a_wallet_has_on_the_day_is_taken_by_the_round(market: Market, buyer: Member, clock: SetClock) -> None:
    grant(buyer, clock, days=7)
    market.make_publisher().post("/leads", market.lead())
    credit_by_hand(buyer.id, "15.00", "EUR", "too early")
    assert buyer.get("/wallet")["available"]["amount"] == "15.00"
    due = clock.now() + timedelta(days=8)
    assert [run_due(due)["debts_collected"] for _ in range(2)] == [1, 0]
    assert buyer.get("/wallet")["available"]["amount"] == "0.00"
    assert buyer.get("/wallet")["credit"]["drawn"]["amount"] == "5.00"


def test_sales_and_the_stop_at_once_leave_no_sale_after_it(market: Market, buyer: Member, clock: SetClock) -> None:
    grant(buyer, clock, days=7)
    publisher = market.make_publisher()
    publisher.post("/leads", market.lead())
    clock.advance(days=13)
    leads, app = [market.lead() for _ in range(6)], market.app

    def stop() -> dict[str, str]:
        with app.app_context():
            assert settle_due(clock.now())["wallets_stopped"] == 1
        return {"status": "stopped"}

    at_once([*(lambda lead=lead: publisher.post("/leads", lead) for lead in leads), stop])
    assert publisher.post("/leads", market.lead())["status"] == "unsold"


def test_a_line_is_at_most_what_is_usual_unless_more_is_meant(market: Market, clock: SetClock) -> None:
    buyer, publisher = market.make_buyer("1000.00"), market.make_publisher()
    market.make_order(buyer, price="30.00")
    for _ in range(10):
        publisher.post("/leads", market.lead())
    account = parse_id("acc", buyer.id)
    with transaction():
        assert usual_credit(account, "EUR", clock.now()) == Money(14_000, "EUR")  # 300.00 in 30 days, for 14

    with pytest.raises(Invalid) as refused, transaction():
        grant_line(account, Line(Money(14_001, "EUR"), 8, ""), "operator:test", clock.now())
    assert [fault.code for fault in refused.value.faults] == ["above_usual_spend", "not_allowed_value", "reason_needed"]
    with transaction():
        grant_line(account, Line(Money(14_000, "EUR"), 30, "usual"), "operator:test", clock.now())


def test_an_operator_grants_a_line_over_the_api(market: Market, buyer: Member) -> None:
    operator, path = market.make_operator(), f"/buyers/{buyer.id}/credit-line"
    body = {"limit": {"amount": "50.00", "currency": "EUR"}, "days": 30, "reason": "known for years"}
    refused = operator.request("PUT", path, body)
    assert refused.status_code == 422 and refused.json["errors"][0]["code"] == "above_usual_spend"

    kept = operator.request("PUT", path, body | {"above_usual": True})
    assert kept.status_code == 200 and kept.json["version"] == 1 and kept.json["credit"]["room"]["amount"] == "50.00"
    late = operator.request("PUT", path, body | {"above_usual": True})
    assert late.status_code == 409 and late.json["code"] == "version_changed"
    assert operator.get(path)["reason"] == "known for years"
    assert buyer.request("GET", path).status_code == 403
    assert operator.request("GET", f"/buyers/{market.make_publisher().id}/credit-line").status_code == 404
    assert operator.request("PUT", path, body | {"limit": {"amount": "x", "currency": "EUR"}}).status_code == 400


def test_the_command_line_grants_a_line(market: Market, buyer: Member, database_url: str) -> None:
    def run(*more: str) -> subprocess.CompletedProcess[str]:
        surroundings = os.environ | {"DATABASE_URL": database_url}
        return run_program("account", "credit-line", buyer.id, *more, "--reason", "known", environment=surroundings)

    assert "Usual is at most 0.00 EUR" in run("80.00", "EUR").stderr
    assert "may draw 80.00 EUR, net 15 days" in run("80.00", "EUR", "--above-usual").stdout
    assert run("0", "EUR", "--days", "8").returncode != 0
    assert run("0", "EUR", "--days", "7").returncode == 0
    assert buyer.get("/wallet")["credit"]["limit"]["amount"] == "0.00"


def test_an_operator_grants_a_line_on_its_page_and_the_log_keeps_it(market: Market, buyer: Member) -> None:
    visitor, path = Visitor(market.app), f"/operator/credit/{buyer.id}"
    visitor.sign_in(email_of(market, "operator"))
    form = {"limit": "250,50", "days": "30", "reason": "<b>known</b> well", "seen": "0"}
    refused = visitor.send(path, **form)
    assert "Usual is at most 0.00 EUR" in words_of(refused) and "&lt;b&gt;known" in refused.text
    assert "Write an amount" in words_of(visitor.send(path, **form | {"limit": "1e9"}))
    assert "Say why" in words_of(visitor.send(path, **form | {"reason": " "}))
    assert visitor.send(path, **form | {"is_above": "y"}).status_code == 303
    assert "Somebody changed" in words_of(visitor.send(path, **form | {"is_above": "y", "limit": "1"}))

    page = words_of(visitor.open(path))
    assert "€250.50, net 30 days , above what was usual (€0.00)" in page or "above what was usual" in page
    assert "250.50" in words_of(visitor.open("/operator/credit"))
    assert "credit" in words_of(visitor.open(f"/operator/log?object={buyer.id}")).lower()
    assert visitor.open(f"/operator/credit/{market.make_publisher().id}").status_code == 404


def test_a_buyer_sees_the_statement_and_pays_early(market: Market, buyer: Member, clock: SetClock) -> None:
    visitor = visitor_of(market, buyer)
    assert "You have no credit line" in words_of(visitor.open("/buyer/credit"))
    grant(buyer, clock)
    market.make_publisher().post("/leads", market.lead())
    credit_by_hand(buyer.id, "15.00", "EUR", "for a test")
    page = words_of(visitor.open("/buyer/credit"))
    assert "€20.00 is drawn" in page and "Drawn from the credit line" in page and "not due" in page

    assert visitor.send("/buyer/credit/pay", form_at="/buyer/credit").status_code == 303
    page = words_of(visitor.open("/buyer/credit"))
    assert "€15.00 of what you owe is paid." in page and "Debt paid" in page
    token = visitor.token("/buyer/orders")
    assert visitor.open("/buyer/credit/pay", "POST", {"csrf_token": token}).status_code == 303
    assert "Nothing was paid" in words_of(visitor.open("/buyer/credit"))

    lines = visitor.open("/buyer/credit.csv").text.splitlines()
    assert lines[0] == "at,transaction_id,kind,amount,currency,sale_id,due_at"
    assert [line.split(",")[2:4] for line in lines[1:]] == [["debt_paid", "-15.00"], ["draw", "20.00"]]


def test_debts_of_every_age_stand_in_the_operators_list(market: Market, app: Flask, clock: SetClock) -> None:
    publisher, start = market.make_publisher(), clock.now()
    buyer = market.make_buyer("0")
    market.make_order(buyer)
    grant(buyer, clock, days=7)
    for days in (0, 8):
        clock.instant = start + timedelta(days=days)
        assert publisher.post("/leads", market.lead())["status"] == "sold"
    clock.instant = start + timedelta(days=10)
    db.session.rollback()
    visitor = Visitor(app)
    visitor.sign_in(email_of(market, "operator"))
    page = words_of(visitor.open("/operator/credit"))
    assert "€20.00 is due among the buyers shown here." in page and "100.00 7 40.00 60.00 20.00 20.00 0.00 0.00" in page


def test_a_version_that_no_line_can_have_is_a_fault_and_no_error(buyer: Member, market: Market) -> None:
    operator = market.make_operator()
    body = {"limit": {"amount": "10.00", "currency": "EUR"}, "days": 15, "reason": "agreed", "above_usual": True}
    for version in (-1, 2**31, 2**63 - 1):
        refused = operator.request("PUT", f"/buyers/{buyer.id}/credit-line", body | {"version": version})
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "version")


def test_a_form_that_was_refused_keeps_the_version_that_was_looked_at(
    market: Market, buyer: Member, clock: SetClock
) -> None:
    visitor, path = Visitor(market.app), f"/operator/credit/{buyer.id}"
    visitor.sign_in(email_of(market, "operator"))
    form = {"limit": "50.00", "days": "30", "reason": "as agreed", "is_above": "y", "seen": seen_on(visitor.read(path))}
    grant(buyer, clock, "70.00", days=7)  # a colleague, meanwhile
    refused = visitor.send(path, **form | {"reason": " "})
    assert "Say why" in words_of(refused) and seen_on(html.document_fromstring(refused.text)) == "0"

    changed = html.document_fromstring(visitor.send(path, **form).text)
    assert "Somebody changed this credit line meanwhile." in " ".join(changed.text_content().split())
    assert seen_on(changed) == "1" and changed.xpath("//input[@name='limit']/@value") == ["70.00"]
    assert changed.xpath("//select[@name='days']/option[@selected]/@value") == ["7"]
    assert not changed.xpath("//input[@name='is_above']/@checked")
    assert value("SELECT max(version) FROM billing.credit_lines") == 1
    assert visitor.send(path, **form | {"seen": "1"}).status_code == 303


def seen_on(page: Any) -> str:
    [seen] = page.xpath("//input[@name='seen']/@value")
    return str(seen)


@pytest.mark.parametrize("currency", ["JPY", "VND", "PLN"])
def test_no_line_is_granted_in_a_currency_in_which_no_wallet_is_paid_into(
    market: Market, buyer: Member, currency: str
) -> None:
    operator, path = market.make_operator(), f"/buyers/{buyer.id}/credit-line"
    body = {"limit": {"amount": "5000", "currency": currency}, "days": 30, "reason": "a friend", "above_usual": True}
    refused = operator.request("PUT", path, body)
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "currency_not_taken")
    assert "EUR, USD, GBP, CHF" in refused.json["errors"][0]["message"]
    assert value("SELECT count(*) FROM billing.credit_lines") == 0
    for fine in ("USD", "CHF"):
        other = body | {"limit": {"amount": "5000", "currency": fine}}
        assert operator.request("PUT", path, other).status_code == 200
