"""A claim on a settled sale takes the money back where it lies: own reserve, payable, debt; the sale is then returned."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from core.clock import as_rfc3339
from core.db import db, transaction
from core.ids import parse_id
from marketplace.audit import audit_all
from marketplace.catalog.shelf import apply_vertical
from marketplace.catalog.verticals import Vertical, read_shipped
from marketplace.jobs import run_due
from tests.at_once import ask, at_once, no_deadlocks, wait_until
from tests.conftest import START, SetClock
from tests.deals import RETURNED, SETTLED, Deal, make_deal
from tests.factories import Market
from tests.payouts import pay_out

SETTLING = timedelta(days=2 + 5 + 15)  # of a short window, for a newcomer
MATURING = timedelta(days=45)


@pytest.fixture
def settled(market: Market, clock: SetClock) -> Deal:
    """Sell one lead for 20.00 in a vertical with a short window, and settle it."""
    short_window()
    deal = make_deal(market)
    run_due(clock.advance(days=SETTLING.days))
    assert deal.money() == SETTLED
    return deal


def short_window() -> None:
    with transaction():
        apply_vertical(
            Vertical.load(read_shipped("education").as_mapping() | {"window_hours": 48, "version": 2}), START
        )


def claim(deal: Deal, reason: str = "no_consent", **said: Any) -> Any:
    return deal.operator.post("/disputes/claims", {"sale": deal.sale, "reason": reason, **said})


def owed(url: str) -> int:
    return int(ask(url, "SELECT coalesce(sum(owed), 0) FROM billing.earners")[0][0])


def test_an_upheld_late_claim_gives_the_price_back_and_ends_the_right_to_the_contact(
    settled: Deal, database_url: str
) -> None:
    opened = settled.dispute("no_consent", note="a regulator wrote")
    assert (settled.state(), settled.money()) == ("settled", SETTLED)
    settled.decide(opened, "uphold")
    assert (settled.state(), settled.money()) == ("returned", RETURNED)
    sale = settled.buyer.get(f"/sales/{settled.sale}")
    assert sale["lead"]["contact"] is None and sale["contact_ended_at"] is not None
    assert ask(database_url, "SELECT key FROM billing.transactions WHERE kind = 'refund'") == [
        (f"dsp:{parse_id('dsp', opened['id'])}",)
    ]
    moves = "SELECT move FROM marketplace.events WHERE subject_id = %s ORDER BY id DESC LIMIT 1"
    assert ask(database_url, moves, parse_id("sale", settled.sale)) == [("settled>returned",)]


def test_a_rejected_late_claim_leaves_everything_where_it_was(settled: Deal) -> None:
    settled.decide(settled.dispute("no_consent"), "reject")
    assert (settled.state(), settled.money()) == ("settled", SETTLED)


def test_a_part_is_taken_back_to_the_cent_and_an_appeal_may_take_the_rest(settled: Deal) -> None:
    opened = settled.dispute("no_consent")
    settled.decide(opened, "partial", share_bp=3333)
    assert (settled.state(), settled.money()) == ("settled", ("86.66", "0.00", "0.00", "9.34", "0.00"))
    assert settled.buyer.get(f"/sales/{settled.sale}")["credited"]["amount"] == "6.66"
    settled.buyer.post(f"/disputes/{opened['id']}/appeal", {"note": "all of it"})
    assert settled.decide(opened, "partial", share_bp=3000).json["code"] == "not_now"
    settled.decide(opened, "uphold")
    assert (settled.state(), settled.money()) == ("returned", RETURNED)


def test_a_publisher_who_wins_his_appeal_is_paid_by_the_platform_what_was_taken(settled: Deal) -> None:
    opened = settled.dispute("no_consent")
    settled.decide(opened, "partial", share_bp=5000)
    settled.publisher.post(f"/disputes/{opened['id']}/appeal", {"note": "there is a recording"})
    settled.decide(opened, "reject")
    assert (settled.state(), settled.money()) == ("settled", ("90.00", "0.00", "0.00", "14.00", "0.00"))
    assert settled.now()["paid_by"] == "platform"


def test_a_whole_return_that_was_wrong_is_paid_by_the_platform_and_the_buyer_keeps_it(settled: Deal) -> None:
    opened = settled.dispute("no_consent")
    settled.decide(opened, "uphold")
    settled.publisher.post(f"/disputes/{opened['id']}/appeal", {"note": "there is a recording"})
    settled.decide(opened, "reject")
    assert (settled.state(), settled.money()) == ("returned", ("100.00", "0.00", "0.00", "14.00", "0.00"))


def test_silence_decides_late_claims_as_all_others(settled: Deal, clock: SetClock) -> None:
    settled.dispute("no_consent")  # without evidence: the platform pays in the end
    run_due(clock.advance(days=12))
    assert (settled.state(), settled.now()["paid_by"]) == ("returned", "platform")
    assert settled.money() == ("100.00", "0.00", "0.00", "14.00", "0.00")


def test_a_matured_reserve_is_taken_from_payable(settled: Deal, clock: SetClock) -> None:
    run_due(clock.advance(days=MATURING.days))
    settled.decide(claim(settled), "uphold")
    assert settled.money() == RETURNED


def test_what_is_missing_is_owed_and_netted_from_the_next_settlement(
    settled: Deal, clock: SetClock, database_url: str
) -> None:
    with transaction():
        pay_out(parse_id("acc", settled.publisher.id), clock.now())
    settled.decide(claim(settled), "uphold")
    assert owed(database_url) == 1120
    [sale] = settled.publisher.post("/leads", settled.market.lead())["sales"]
    run_due(clock.advance(days=SETTLING.days))
    assert settled.buyer.get(f"/sales/{sale['id']}")["state"] == "settled"
    assert owed(database_url) == 0
    balance = settled.publisher.get("/balance")
    assert (balance["payable"]["amount"], balance["reserve"]["amount"]) == ("0.00", "2.80")
    assert ask(database_url, "SELECT count(*) FROM billing.transactions WHERE key LIKE 'clawback:%%'") == [(1,)]


def test_an_operator_claims_a_missing_consent_for_a_year_and_a_buyer_for_30_days(
    settled: Deal, clock: SetClock
) -> None:
    clock.instant = START + timedelta(days=30)
    refused = settled.buyer.request("POST", f"/sales/{settled.sale}/disputes", {"reason": "no_consent"})
    assert (refused.status_code, refused.json["code"]) == (409, "window_closed")
    clock.instant = START + timedelta(days=365)
    body = {"sale": settled.sale, "reason": "no_consent"}
    late = settled.operator.request("POST", "/disputes/claims", body)
    assert (late.status_code, late.json["code"]) == (409, "window_closed")
    clock.advance(microseconds=-1)
    assert claim(settled)["opened_by"] == "operator"
    assert settled.operator.request("POST", "/disputes/claims", body).json["code"] == "already_disputed"


@pytest.mark.parametrize(("reason", "code"), [("mistyped", "reason_off"), ("dear", "invalid_dispute")])
def test_an_operator_claims_only_by_reasons_that_show_late(settled: Deal, reason: str, code: str) -> None:
    refused = settled.operator.request("POST", "/disputes/claims", {"sale": settled.sale, "reason": reason})
    assert refused.json["code"] == code
    assert (settled.state(), settled.money()) == ("settled", SETTLED)


@pytest.mark.parametrize("who", ["buyer", "publisher"])
def test_only_operators_open_claims_for_others(settled: Deal, who: str) -> None:
    body = {"sale": settled.sale, "reason": "no_consent"}
    assert getattr(settled, who).request("POST", "/disputes/claims", body).status_code == 403


def test_an_operators_claim_on_money_that_is_held_holds_it(deal: Deal) -> None:
    opened = claim(deal)
    assert (deal.state(), opened["after_settlement"]) == ("disputed", False)
    deal.decide(opened, "uphold")
    assert (deal.state(), deal.money()) == ("returned", RETURNED)


def test_of_contrary_decisions_on_a_late_claim_at_once_one_holds(settled: Deal) -> None:
    opened = settled.dispute("no_consent")
    decisions = ["uphold", "reject"] * 4
    answers = at_once([lambda d=d: settled.decide(opened, d).status_code for d in decisions])
    assert Counter(answers) == {200: 4, 409: 4}
    assert settled.money() in (RETURNED, SETTLED)


def test_a_cluster_of_robots_is_taken_back_for_30_days_also_when_it_is_settled(market: Market, clock: SetClock) -> None:
    short_window()
    deal = make_deal(market)
    [second] = deal.publisher.post("/leads", market.lead())["sales"]
    run_due(clock.advance(days=SETTLING.days))
    body = {"by": "source", "publisher": deal.publisher.id, "value": "default", "decision": "uphold", "reason": "bot",
            "from": as_rfc3339(START), "to": as_rfc3339(START + timedelta(days=1))}  # fmt: skip
    clock.instant = START + timedelta(days=30)
    assert deal.operator.post("/disputes/groups", body)["skipped"] == {"too_late": 2}
    clock.advance(microseconds=-1)
    again = deal.operator.post("/disputes/groups", body | {"reason": "hired"})
    assert (again["decided"], again["returned"]) == (2, [{"amount": "40.00", "currency": "EUR"}])
    assert (deal.state(), deal.money()) == ("returned", RETURNED)
    assert deal.buyer.get(f"/sales/{second['id']}")["state"] == "returned"
    assert {one["opened_by"] for one in deal.buyer.get("/disputes")["items"]} == {"operator"}


def test_late_clusters_settlements_and_reserves_at_once_wait_for_nobody_forever(
    app: Flask, market: Market, clock: SetClock, database_url: str
) -> None:
    short_window()
    publisher, operator = market.make_publisher(), market.make_operator()
    for _ in range(3):
        market.make_order(market.make_buyer("1000.00"), exclusivity="shared", max_share=3)
    for name in ("old", "new"):
        for _ in range(5):
            publisher.post("/leads", market.lead(source={"name": name}))
        clock.advance(days=4)
    run_due(START + SETTLING)
    body = {"by": "source", "publisher": publisher.id, "decision": "uphold", "reason": "bot",
            "from": as_rfc3339(START), "to": as_rfc3339(START + timedelta(days=9))}  # fmt: skip

    def do(work: Callable[[], Any]) -> Callable[[], Any]:
        def call() -> Any:
            with app.app_context():
                return work()

        return call

    groups = [lambda name=name: operator.post("/disputes/groups", body | {"value": name})["decided"]
              for name in ("old", "new")]  # fmt: skip
    due = [do(lambda: run_due(START + SETTLING + MATURING))] * 3
    with no_deadlocks(database_url, app):
        at_once([*groups, *due])
    assert dict(ask(database_url, "SELECT state, count(*) FROM marketplace.sales GROUP BY 1")) == {"returned": 30}
    assert publisher.get("/balance")["payable"]["amount"] == "0.00"


def test_a_cluster_takes_all_lots_before_the_earner_as_whoever_matures_them_does(
    app: Flask, market: Market, clock: SetClock, database_url: str
) -> None:
    short_window()
    deal = make_deal(market)
    deal.publisher.post("/leads", market.lead())
    run_due(clock.advance(days=SETTLING.days))
    body = {"by": "source", "publisher": deal.publisher.id, "value": "default", "decision": "uphold", "reason": "bot",
            "from": as_rfc3339(START), "to": as_rfc3339(START + timedelta(days=1))}  # fmt: skip
    blocked = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool, psycopg.connect(database_url) as maturing:
        maturing.execute("SELECT FROM billing.reserve_lots ORDER BY id DESC LIMIT 1 FOR NO KEY UPDATE")
        group = pool.submit(lambda: deal.operator.post("/disputes/groups", body)["decided"])
        wait_until(lambda: ask(database_url, blocked))
        maturing.execute("SELECT FROM billing.earners FOR NO KEY UPDATE NOWAIT")
        maturing.commit()
        assert group.result(60) == 2
    assert deal.money() == RETURNED


def test_the_market_audit_finds_a_late_return_that_was_not_booked(settled: Deal) -> None:
    settled.decide(settled.dispute("no_consent"), "uphold")
    assert audit_all(db.session).ok
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text("DELETE FROM billing.refunds"))
    wrong = {check.name for check in audit_all(db.session).checks if not check.ok}
    db.session.rollback()
    assert "each sale is its hold: same buyer, price, share and end" in wrong
