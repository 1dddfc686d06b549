"""A publisher's terms: versions that sales keep, what operators say, what reviews decide, and what publishers read."""

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select

from affiliates import Figures, Wish, present_terms, review, terms_at
from core.db import db, transaction
from core.errors import Conflict, Invalid
from core.ids import parse_id
from core.overrides import Word, say
from marketplace.audit import audit_all
from marketplace.jobs import run_due
from marketplace.leads.models import Sale
from marketplace.resolved import REACHES
from marketplace.terms.granting import set_terms
from marketplace.terms.telling import mail_terms
from tests.at_once import ask, at_once, no_deadlocks
from tests.conftest import START, SetClock
from tests.deals import Deal
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

OPERATOR = "operator:test"
# Small numbers instead of the shipped ones, so that a handful of sales decides.
SMALL = {"tier.new.until_days": 0, "tier.new.until_sales": 2, "tier.trusted.from_sales": 3, "tier.review.least_judged": 1,
         "tier.top.from_sales": 10}  # fmt: skip


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


def change(publisher: Member, seen: int, tier: str = "new", pinned: bool = False, **own: int) -> Any:
    """Say the terms anew as an operator does, committed; return the new version's number, None when nothing changed."""
    with transaction():
        wish = Wish(tier, pinned, own, "agreed by phone", seen)
        now = set_terms(parse_id("acc", publisher.id), wish, OPERATOR, START)
        return now and now.version


def lay_down(rules: dict[str, int], **more: int) -> None:
    with transaction():
        for key, value in (rules | more).items():
            say(Word(key, "", value, 0, "a test"), REACHES, "cli", START)


def sell(market: Market, publisher: Member, number: int) -> Member:
    buyer = market.make_buyer("2000.00")
    market.make_order(buyer, "20.00", caps={"total": number})
    for _ in range(number):
        assert publisher.post("/leads", market.lead())["status"] == "sold"
    return buyer


def sales() -> list[tuple[int, int, int, int]]:
    """Return of each sale, the oldest first, version, payout, reserve and days of the reserve."""
    query = select(Sale.terms_version, Sale.payout_minor, Sale.reserve_minor, Sale.reserve_days).order_by(Sale.id)
    found = db.session.execute(query).all()
    db.session.rollback()
    return [(version, payout, reserve, days) for version, payout, reserve, days in found]


def test_a_sale_keeps_the_terms_that_it_was_made_on(market: Market, publisher: Member) -> None:
    sell(market, publisher, 1)
    assert change(publisher, 1, share_bp=9000, reserve_bp=1000, reserve_days=10) == 2
    sell(market, publisher, 1)
    assert sales() == [(1, 1400, 280, 45), (2, 1800, 180, 10)]
    run_due(START + timedelta(days=30))
    assert publisher.get("/balance")["payable"]["amount"] == "27.40"
    row = terms_at(parse_id("acc", publisher.id), 1)
    assert (row.terms.share_bp, row.tier) == (7000, "new")


def test_a_plain_sale_which_goes_the_straight_way_names_its_version_too(market: Market, publisher: Member) -> None:
    market.make_order(market.make_buyer(), "20.00")
    change(publisher, 1, share_bp=8000, reserve_bp=2500)
    for _ in range(3):  # the first of an hour goes the general way
        publisher.post("/leads", market.lead())
    assert sales() == [(2, 1600, 400, 45)] * 3


def test_sales_that_are_not_plain_name_their_version_too(market: Market, publisher: Member) -> None:
    change(publisher, 1, share_bp=8000)
    for _ in range(2):
        market.make_order(market.make_buyer(), "20.00", exclusivity="shared", max_share=2)
    publisher.post("/leads", market.lead())
    publisher.post("/leads", market.lead(), Idempotency_Key="once")
    assert {row[:2] for row in sales()} == {(2, 1600)} and len(sales()) == 4


def test_the_platform_keeps_its_least_margin_whatever_the_share(market: Market, publisher: Member) -> None:
    assert change(publisher, 1, share_bp=10_000) == 2
    sell(market, publisher, 1)
    assert sales()[0][1] == 1950
    with pytest.raises(Invalid) as refused:
        change(publisher, 2, min_margin_minor=0)
    assert [fault.code for fault in refused.value.faults] == ["unknown_field"]


def test_what_an_operator_says_on_a_tier_reaches_its_publishers_but_not_what_is_their_own(
    market: Market, publisher: Member
) -> None:
    other = market.make_publisher()
    change(publisher, 1, share_bp=7800)
    lay_down({"tier.new.share_bp": 7200, "tier.new.reserve_bp": 1500})
    assert run_due(START)["terms_renewed"] == 2
    assert run_due(START)["terms_renewed"] == 0
    assert [each.get("/terms")["present"]["terms"]["share_bp"] for each in (publisher, other)] == [7800, 7200]
    assert [each.get("/terms")["present"]["terms"]["reserve_bp"] for each in (publisher, other)] == [1500, 1500]
    newest = other.get("/terms")["present"]
    assert newest["by"] == "system:terms" and "share_bp 7000 → 7200" in newest["reason"]
    late = market.make_publisher().get("/terms")["present"]
    assert (late["version"], late["terms"]["share_bp"]) == (1, 7200)


def test_who_changes_terms_that_somebody_else_changed_meanwhile_changes_nothing(publisher: Member) -> None:
    assert change(publisher, 1, share_bp=7100) == 2
    with pytest.raises(Conflict) as refused:
        change(publisher, 1, share_bp=7200)
    assert refused.value.code == "version_changed"
    with pytest.raises(Conflict):
        change(publisher, 1, share_bp=7100)
    assert change(publisher, 2, share_bp=7100) is None
    assert present_terms(parse_id("acc", publisher.id)).version == 2


def test_of_many_who_change_at_once_one_wins(app: Flask, publisher: Member, database_url: str) -> None:
    def try_it() -> str:
        with app.app_context():
            try:
                return f"version {change(publisher, 1, share_bp=7100)}"
            except Conflict as refused:
                return refused.code

    answers = at_once([try_it] * 8)
    assert sorted(answers) == ["version 2"] + ["version_changed"] * 7
    assert ask(database_url, "SELECT version FROM affiliates.terms_versions ORDER BY 1") == [(1,), (2,)]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE affiliates.publishers SET share_bp = 9999", "UPDATE affiliates.publishers SET tier = 'top'",
     "UPDATE affiliates.publishers SET extra_hold_days = 1, reserve_bp = 0, reserve_days = 0",
     "UPDATE affiliates.publishers SET min_margin_minor = 0", "UPDATE affiliates.publishers SET terms_version = 2",
     "UPDATE affiliates.terms_versions SET own = '{}'", "DELETE FROM affiliates.terms_versions",
     "TRUNCATE affiliates.tier_reviews",
     """INSERT INTO affiliates.terms_versions SELECT account_id, 2, tier, false, tier_terms, '{"min_margin_minor": 0}',
        changed_at, 'x', 'x' FROM affiliates.terms_versions"""],
)  # fmt: skip
def test_the_database_refuses_terms_that_no_version_says(publisher: Member, database_url: str, statement: str) -> None:
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.Error):
        connection.execute(statement)
        connection.commit()
    assert publisher.get("/terms")["present"]["terms"]["share_bp"] == 7000


def test_settled_sales_raise_a_publisher_once_a_week_for_what_is_sold_afterwards(
    market: Market, publisher: Member, clock: SetClock, database_url: str
) -> None:
    lay_down(SMALL)
    sell(market, publisher, 4)
    run_due(START)
    clock.instant = released = START + timedelta(days=30)  # a Tuesday
    assert run_due(released)["tiers_reviewed"] == 1
    assert run_due(released + timedelta(days=5))["tiers_reviewed"] == 0
    assert publisher.get("/terms")["present"]["tier"] == "standard"
    sell(market, publisher, 1)
    assert [row[:2] for row in sales()] == [(1, 1400)] * 4 + [(2, 1500)]
    assert run_due(released + timedelta(days=6))["tiers_reviewed"] == 1
    shown = publisher.get("/terms")
    assert [(one["version"], one["tier"]) for one in shown["history"]] == [(3, "trusted"), (2, "standard"), (1, "new")]
    assert "4 settled sales" in shown["present"]["reason"] and "0 of 4 judged" in shown["present"]["reason"]
    told = ask(database_url, "SELECT payload FROM core.outbox WHERE payload ->> 'event' = 'terms.changed' ORDER BY id")
    assert [(one["data"]["tier_before"], one["data"]["tier"]) for [one] in told] == [
        ("new", "standard"), ("standard", "trusted")]  # fmt: skip
    assert [one["verdict"] for one in shown["reviews"]] == ["promoted", "promoted", "kept"]


def test_what_goes_back_lowers_a_publisher_who_then_waits(market: Market, deal: Deal, clock: SetClock) -> None:
    lay_down(SMALL, **{"tier.new.share_bp": 7000})
    sell(market, deal.publisher, 3)
    change(deal.publisher, 1, "top")
    deal.decide(deal.dispute(), "uphold")
    clock.instant = at = START + timedelta(days=30)
    run_due(at)
    shown = deal.publisher.get("/terms")
    assert (shown["present"]["tier"], shown["reviews"][0]["verdict"]) == ("standard", "demoted")
    assert [shown["figures"][name] for name in ("settled_sales", "judged_sales", "upheld_sales", "upheld_bp")] == [
        3, 4, 1, 2500]  # fmt: skip
    assert shown["next_tier"]["waits_days"] == 28
    clock.instant = START + timedelta(days=90)
    assert deal.publisher.get("/terms")["figures"]["judged_sales"] == 3  # what went back did so 90 days ago


def test_what_the_platform_paid_for_is_not_held_against_the_publisher(
    market: Market, deal: Deal, clock: SetClock
) -> None:
    lay_down(SMALL)
    opened = deal.dispute()
    deal.publisher.post(f"/disputes/{opened['id']}/answer", {"accept": False, "note": "she asked twice"})
    clock.instant = START + timedelta(days=10)
    run_due(clock.instant)
    figures = deal.publisher.get("/terms")["figures"]
    assert (deal.state(), figures["upheld_sales"]) == ("returned", 0)


def test_a_week_that_was_reviewed_is_not_reviewed_again(publisher: Member) -> None:
    account_id, seen = parse_id("acc", publisher.id), Figures(400, 9000, 900, 0)
    for _ in range(2):
        with transaction():
            review(account_id, seen, {}, START)
    assert (present_terms(account_id).tier, present_terms(account_id).version) == ("standard", 2)


def test_a_sale_that_was_not_made_on_the_terms_it_names_is_found_by_the_audit(
    market: Market, publisher: Member, database_url: str
) -> None:
    sell(market, publisher, 1)
    change(publisher, 1, share_bp=7100)
    before = "UPDATE marketplace.sales SET terms_version = {}"
    for wrong in (2, 3):
        ask(database_url, "SELECT", first=before.format(wrong))
        assert {check.invariant for check in audit_all(db.session).checks if not check.ok} == {"L11"}
        db.session.rollback()
    ask(database_url, "SELECT", first=before.format(1))


def test_a_pinned_tier_is_left_alone(market: Market, publisher: Member, clock: SetClock) -> None:
    lay_down(SMALL)
    change(publisher, 1, "new", pinned=True)
    sell(market, publisher, 3)
    clock.instant = START + timedelta(days=30)
    run_due(clock.instant)
    shown = publisher.get("/terms")
    assert (shown["present"]["tier"], shown["present"]["pinned"], shown["next_tier"]) == ("new", True, None)
    assert shown["reviews"][0]["verdict"] == "pinned"


def test_workers_that_review_at_once_review_each_publisher_once(
    app: Flask, market: Market, publisher: Member, database_url: str, clock: SetClock
) -> None:
    lay_down(SMALL)
    sell(market, publisher, 3)
    for _ in range(5):
        market.make_publisher()
    clock.instant = START + timedelta(days=30)

    def work() -> int:
        with app.app_context():
            return run_due(clock.instant)["tiers_reviewed"]

    with no_deadlocks(database_url, app):
        at_once([work] * 5)
    assert ask(database_url, "SELECT count(*), count(DISTINCT account_id) FROM affiliates.tier_reviews") == [(6, 6)]
    assert ask(database_url, "SELECT count(*) FROM affiliates.terms_versions WHERE tier = 'standard'") == [(1,)]


def test_a_newcomer_reads_what_is_lacking_for_the_next_tier(market: Market, publisher: Member, clock: SetClock) -> None:
    sell(market, publisher, 3)
    clock.instant = START + timedelta(days=30)
    run_due(clock.instant)
    shown = publisher.get("/terms")
    assert shown["next_tier"] == {"tier": "standard", "waits_days": 0, "conditions": [
        {"code": "age_days", "has": 30, "needs": 30, "met": True},
        {"code": "settled_sales", "has": 3, "needs": 200, "met": False}]}  # fmt: skip
    terms = shown["present"]["terms"]
    assert (terms["schedule"], terms["on_request"], terms["threshold"]["amount"]) == ("monthly", False, "50.00")
    assert terms["first_payout"] == {"reviewed": True, "most": {"amount": "1000.00", "currency": "EUR"}}
    assert (terms["min_margin"]["amount"], shown["next_payout_run"]) == ("0.50", "2027-01-01")
    page = words_of(visitor_of(market, publisher).open("/publisher/terms"))
    assert "Settled sales 3 200 not yet" in page and "Days since you were admitted 30 30 yes" in page
    assert "New" in page and "€1,000.00" in page


def test_an_operator_changes_terms_on_the_page_and_the_publisher_and_the_log_tell(
    market: Market, deal: Deal, database_url: str
) -> None:
    visitor, path = visitor_of(market, deal.operator), f"/operator/publishers/{deal.publisher.id}/terms"
    fields = {"tier": "trusted", "is_pinned": "y", "share_bp": "72,5", "reserve_days": "20", "payouts_a_month": "2",
              "on_request": "1", "threshold_minor": "80", "reason": "agreed by phone", "seen": "1"}  # fmt: skip
    assert visitor.send(path, **fields).status_code == 303
    present = deal.publisher.get("/terms")["present"]
    assert (present["tier"], present["pinned"], present["by"], present["reason"]) == (
        "trusted", True, "operator", "agreed by phone")  # fmt: skip
    assert present["own"] == ["on_request", "payouts_a_month", "reserve_days", "share_bp", "threshold_minor"]
    terms = present["terms"]
    assert [terms[name] for name in ("share_bp", "reserve_days", "reserve_bp", "extra_hold_days", "schedule")] == [
        7250, 20, 500, 0, "twice_a_month"]  # fmt: skip
    form = visitor.read(path)
    assert form.xpath("//input[@name='share_bp']/@value") == ["72.5"] and form.xpath(
        "//input[@name='seen']/@value"
    ) == ["2"]
    assert "Nothing changed" in words_of(visitor.open(visitor.send(path, **(fields | {"seen": "2"})).location))
    log = deal.operator.get(f"/audit-log?object={deal.publisher.id}")["items"]
    assert any("version 2: trusted, pinned" in json.dumps(one) and "agreed by phone" in json.dumps(one) for one in log)
    publisher_page = words_of(visitor_of(market, deal.publisher).open("/publisher/terms"))
    assert (
        "72.5%" in publisher_page and "for this account alone" in publisher_page and "agreed by phone" in publisher_page
    )


@pytest.mark.parametrize(
    ("typed", "fault"),
    [({"share_bp": "a lot"}, "Write a percentage"), ({"share_bp": "72.555"}, "Write a percentage"),
     ({"share_bp": "101"}, "Send a number from 0 to 10000"), ({"share_bp": "NaN"}, "Write a percentage"),
     ({"reserve_days": "-1"}, "Write a whole number"), ({"threshold_minor": "1e9"}, "Write an amount"),
     ({"payouts_a_month": "3"}, "Not a valid choice"), ({"tier": "gold"}, "Not a valid choice"),
     ({"reason": ""}, "Say why"), ({"reason": "x" * 401}, "at most 400"), ({"seen": "0"}, "as they were read"),
     ({"seen": "9"}, "Somebody changed these terms")],
)  # fmt: skip
def test_terms_that_cannot_be_are_refused_at_their_field_and_what_was_typed_stays(
    market: Market, deal: Deal, typed: dict[str, str], fault: str
) -> None:
    path = f"/operator/publishers/{deal.publisher.id}/terms"
    fields = {"tier": "standard", "share_bp": "75", "reason": "typed here", "seen": "1"} | typed
    answer = visitor_of(market, deal.operator).send(path, **fields)
    assert answer.status_code == 200 and fault in words_of(answer), words_of(answer)
    assert fields["share_bp"] in answer.text and fields["reason"] in answer.text
    assert len(deal.publisher.get("/terms")["history"]) == 1


def test_operators_say_terms_over_the_api_and_nobody_else_does(market: Market, deal: Deal) -> None:
    path = f"/publishers/{deal.publisher.id}/terms"
    body = {"tier": "standard", "own": {"share_bp": 7600, "on_request": True}, "reason": "agreed", "version": 1}
    shown = deal.operator.request("PUT", path, body)
    assert shown.status_code == 200 and shown.json["present"]["own"] == ["on_request", "share_bp"]
    assert deal.operator.request("PUT", path, body | {"reason": "again"}).json["code"] == "version_changed"
    refused = deal.operator.request("PUT", path, {"tier": "gold", "own": {"colour": 1}, "reason": " ", "version": 0})
    assert [fault["field"] for fault in refused.json["errors"]] == ["tier", "colour", "version", "reason"]
    assert refused.json["code"] == "invalid_terms"
    assert deal.publisher.request("PUT", path, body).status_code == 403
    assert deal.publisher.request("GET", path).status_code == 403
    assert deal.buyer.request("GET", "/terms").status_code == 403
    assert deal.operator.request("GET", f"/publishers/{deal.buyer.id}/terms").status_code == 404
    assert deal.operator.request("PUT", f"/publishers/{deal.buyer.id}/terms", body).status_code == 404


def test_a_mail_says_what_changed_and_why(market: Market, publisher: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr("marketplace.terms.telling.mail_account", lambda _, subject, text: sent.append((subject, text)))
    change(publisher, 1, "standard", share_bp=7700, first_payout_reviewed=False)
    mail_terms(parse_id("acc", publisher.id), 2)
    [(subject, text)] = sent
    assert subject == "You are on the tier standard from now on"
    for line in ("Tier: new → standard", "Your share of the price: 70 % → 77 %", "Payouts: monthly → twice a month",
                 "First payout reviewed: yes → no", "Why: agreed by phone"):  # fmt: skip
        assert line in text, text
    assert "Least payout" not in text
    queued = db.session.scalar(select(func.count()).select_from(db.text("procrastinate_jobs")).where(
        db.text("task_name = 'market.terms_changed'")))  # fmt: skip
    assert queued == 1
    db.session.rollback()
