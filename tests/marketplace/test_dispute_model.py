"""Disputes against a model: in any order of steps each hold ends once, the money is where the model says, books hold.

Late claims on settled sales and the fees of rejected claims are part of it; one rejected claim is enough for a fee here.
"""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from core.db import db
from core.money import Money
from marketplace.audit import audit_all
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.jobs import run_due
from marketplace.leads.disputes import guard
from marketplace.leads.disputes.deadlines import after_business_days
from tests.conftest import START, SetClock
from tests.factories import Market, Member

PRICE, PAYOUT, SALES, FEE = 2000, 1400, 3, 500
PROOF = {"name": "proof.txt", "base64": base64.b64encode(b"see for yourself").decode()}
SHARES = {"uphold": 10_000, "reject": 0, "partial": 2_500}
INDEX = st.integers(0, SALES - 1)


@dataclass
class Sold:
    """A sale and its dispute as the model sees them; amounts in cents."""

    sale: str
    state: str = "delivered"  # disputed, returned, settled
    dispute: str | None = None
    said: str = "undisputed"  # open, appealed, or the decision
    opened_at: datetime = START
    complete: bool = False
    answered: bool = False
    appeal_until: datetime | None = None
    appealed: str | None = None  # against what
    appeal_due: datetime | None = None
    credit: int = 0
    platform_paid: int = 0
    platform_pays: bool = False
    accepted: bool = False
    late: bool = False
    by_buyer: bool = False
    decided_at: datetime | None = None
    fee: str | None = None  # due, charged, waived, returned
    release: datetime = START + timedelta(days=30)

    @property
    def payout(self) -> int:
        """The publisher's 70 % of what is left of the price."""
        return (PRICE - self.credit) * 7 // 10

    def decide(self, decision: str, at: datetime, platform: bool = False) -> None:
        """Follow a decision on a dispute that is open or appealed while its money is held."""
        share = SHARES[decision]
        self.said, self.credit = decision, PRICE * share // 10_000 if decision != "uphold" else 0
        self.state = "returned" if decision == "uphold" else "settled" if self.late else "delivered"
        self.decided_at = at
        self.appeal_until = self.appeal_until or at + timedelta(days=5)
        self.release = max(self.release, self.appeal_until) if decision != "uphold" else self.release
        self.platform_pays = platform
        self.platform_paid = PAYOUT if platform else 0


def machine_for(market: Market, clock: SetClock) -> type[RuleBasedStateMachine]:
    class Disputes(RuleBasedStateMachine):
        """Three sales of one buyer, whose disputes take every turn."""

        @initialize()
        def sell(self) -> None:
            clock.instant = START
            self.publisher, self.buyer = market.make_publisher(), market.make_buyer("60.00")
            self.operator = market.make_operator()
            market.make_order(self.buyer, "20.00")
            posted = [self.publisher.post("/leads", market.lead())["sales"] for _ in range(SALES)]
            self.sales = [Sold(sale["id"]) for [sale] in posted]
            [order] = self.buyer.get("/orders")["items"]
            self.buyer.request("PATCH", f"/orders/{order['id']}", {"status": "paused"})

        def available(self) -> int:
            """What the buyer can spend."""
            held = sum(PRICE for sold in self.sales if sold.state in ("delivered", "disputed"))
            spent = sum(PRICE - sold.credit for sold in self.sales if sold.state == "settled")
            return SALES * PRICE - held - spent - FEE * sum(sold.fee == "charged" for sold in self.sales)

        def is_guarded(self) -> bool:
            """Whether the buyer's decided claims of 30 days are rejected too often."""
            since = clock.instant - timedelta(days=30)
            decided = [sold for sold in self.sales if sold.by_buyer and sold.decided_at and sold.decided_at > since]
            return 5 * sum(sold.said == "reject" for sold in decided) > len(decided) > 0

        def settle_fee(self, sold: Sold) -> None:
            """Follow what a decision does to the fee."""
            if sold.said == "reject" and sold.fee == "due":
                sold.fee = "charged" if self.available() >= FEE else "waived"
            elif sold.said != "reject" and sold.fee == "charged":
                sold.fee = "returned"

        def say(self, member: Member, path: str, body: dict[str, Any], may: bool) -> Any:
            """Ask for a step; it is accepted exactly when the model allows it."""
            answer = member.request("POST", path, body)
            assert (answer.status_code in (200, 201)) is may, answer.text
            assert may or answer.status_code in (404, 409), answer.text
            return answer.json

        @rule(which=INDEX, note=st.sampled_from(["", "dead"]))
        def dispute(self, which: int, note: str) -> None:
            sold = self.sales[which]
            may = sold.dispute is None and sold.state == "delivered" and clock.instant < START + timedelta(days=10)
            guarded = self.is_guarded()
            body = {"reason": "bot", "note": note} | ({"file": PROOF} if guarded else {})
            opened = self.say(self.buyer, f"/sales/{sold.sale}/disputes", body, may)
            if may:
                sold.dispute, sold.state, sold.said, sold.by_buyer = opened["id"], "disputed", "open", True
                sold.opened_at, sold.complete = clock.instant, bool(note) or guarded
                sold.fee = "due" if guarded else None

        @rule(which=INDEX, note=st.sampled_from(["", "a regulator wrote"]))
        def claim_for_the_buyer(self, which: int, note: str) -> None:
            sold = self.sales[which]
            in_time = clock.instant < START + timedelta(days=365)
            may = sold.dispute is None and sold.state in ("delivered", "settled") and in_time
            body = {"sale": sold.sale, "reason": "no_consent", "note": note}
            opened = self.say(self.operator, "/disputes/claims", body, may)
            if may:
                sold.late = sold.state == "settled"
                sold.dispute, sold.said = opened["id"], "open"
                sold.state = "settled" if sold.late else "disputed"
                sold.opened_at, sold.complete = clock.instant, bool(note)

        @rule(which=INDEX, accept=st.booleans())
        def answer(self, which: int, accept: bool) -> None:
            sold = self.sales[which]
            if sold.dispute:
                heard = clock.instant < sold.opened_at + timedelta(hours=48)
                may = sold.said == "open" and heard and not sold.answered
                self.say(self.publisher, f"/disputes/{sold.dispute}/answer", {"accept": accept}, may)
                if may:
                    sold.answered = True
                    if accept:
                        sold.accepted = True
                        sold.decide("uphold", clock.instant)

        @rule(which=INDEX, decision=st.sampled_from(sorted(SHARES)))
        def decide(self, which: int, decision: str) -> None:
            sold = self.sales[which]
            if not sold.dispute:
                return
            again = sold.said == decision
            returned = sold.said == "appealed" and sold.state == "returned"
            may = again or sold.said == "open" or (sold.said == "appealed" and not (returned and decision == "partial"))
            body = {"decision": decision} | ({"share_bp": SHARES["partial"]} if decision == "partial" else {})
            self.say(self.operator, f"/disputes/{sold.dispute}/resolve", body, may)
            if not may or again:
                return
            if returned or (sold.late and sold.said == "appealed" and decision == "reject" and sold.credit):
                sold.said = decision
                left = 0 if returned else sold.payout
                sold.platform_paid = PAYOUT - left if decision == "reject" else 0
                sold.platform_pays = decision == "reject"
            else:
                sold.decide(decision, clock.instant)
            self.settle_fee(sold)

        @rule(which=INDEX, by_buyer=st.booleans())
        def appeal(self, which: int, by_buyer: bool) -> None:
            sold = self.sales[which]
            if not sold.dispute:
                return
            losers = {"uphold": {False}, "reject": {True}, "partial": {True, False}}.get(sold.said, set())
            may = by_buyer in losers and not sold.appealed and not sold.platform_pays
            may = may and (sold.late or sold.state != "settled")
            may = may and (by_buyer or not sold.accepted)
            may = may and sold.appeal_until is not None and clock.instant < sold.appeal_until
            member = self.buyer if by_buyer else self.publisher
            self.say(member, f"/disputes/{sold.dispute}/appeal", {"note": "no"}, may)
            if may:
                sold.appealed, sold.said = sold.said, "appealed"
                sold.appeal_due = after_business_days(clock.instant, 3)
                sold.state = "disputed" if sold.state == "delivered" else sold.state

        @rule(hours=st.sampled_from([1, 24, 47, 48, 120, 240, 720]))
        def wait(self, hours: int) -> None:
            clock.advance(hours=hours)
            self.do_what_is_due()

        @rule()
        def do_what_is_due(self) -> None:
            run_due(clock.instant)
            for sold in self.sales:
                heard = clock.instant >= sold.opened_at + timedelta(hours=48)
                decide_by = after_business_days(sold.opened_at + timedelta(hours=48), 5)
                if sold.said == "open" and heard and not sold.answered and sold.complete:
                    sold.decide("uphold", clock.instant)
                elif sold.said == "open" and clock.instant >= decide_by:
                    sold.decide("uphold", clock.instant, platform=True)
                elif sold.said == "appealed" and sold.appeal_due and clock.instant >= sold.appeal_due:
                    sold.said = sold.appealed or ""
                    sold.state = "delivered" if sold.state == "disputed" else sold.state
                if sold.state == "delivered" and clock.instant >= sold.release:
                    sold.state = "settled"

        @invariant()
        def the_money_is_where_the_model_says(self) -> None:
            if not hasattr(self, "sales"):
                return
            held = sum(PRICE for sold in self.sales if sold.state in ("delivered", "disputed"))
            wallet, balance = self.buyer.get("/wallet"), self.publisher.get("/balance")
            assert wallet["held"]["amount"] == str(Money(held, "EUR"))
            assert wallet["available"]["amount"] == str(Money(self.available(), "EUR"))
            pending = sum(sold.payout for sold in self.sales if sold.state in ("delivered", "disputed"))
            earned = sum(sold.payout for sold in self.sales if sold.state == "settled")
            earned += sum(sold.platform_paid for sold in self.sales)
            assert balance["pending"]["amount"] == str(Money(pending, "EUR"))
            booked = (Money.parse(balance[part]["amount"], "EUR").minor for part in ("payable", "reserve"))
            assert sum(booked) == earned
            assert [check for check in audit_all(db.session).checks if not check.ok] == []
            db.session.rollback()

    return Disputes


def test_disputes_take_every_turn_as_their_model(
    app: Flask, market: Market, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = dispute_rules()
    strict = msgspec.structs.replace(rules.false_claims, least_claims=1)
    monkeypatch.setattr(guard, "rules_in_force", lambda: msgspec.structs.replace(rules, false_claims=strict))
    run_state_machine_as_test(
        machine_for(market, clock),
        settings=settings(
            max_examples=12, stateful_step_count=30, deadline=None, derandomize=True, database=None, print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
