"""The market in the database does, in whatever order, what a small model of dictionaries does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from billing import audit
from core.db import db
from core.ids import parse_id
from core.money import Money
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.cli.accounts import credit_by_hand
from marketplace.jobs import run_due
from marketplace.leads import intake
from marketplace.leads.auction import SOLD, Candidate, choose
from marketplace.leads.disputes.deadlines import decision_due
from marketplace.orders.periods import next_starts, period_starts
from tests.conftest import SetClock
from tests.factories import Market, Member

PERIODS = ("hour", "day", "week", "month", "total")
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Tokyo", "Asia/Kathmandu")
PRICES = (420, 1000, 1001)
STARTS = (
    datetime(2026, 10, 24, 21, 40, tzinfo=UTC),  # summer time ends in Paris after three hours
    datetime(2026, 12, 31, 22, 40, tzinfo=UTC),  # hour, day, month and year end together
    datetime(2027, 3, 28, 0, 20, tzinfo=UTC),  # summer time begins in Paris on a Sunday
)
DEDUPE, WINDOW, RELEASE, RESERVE = timedelta(days=90), timedelta(days=10), timedelta(days=30), timedelta(days=45)
HEARING, APPEAL = timedelta(hours=48), timedelta(days=5)


@dataclass
class Bought:
    """A sale as the model sees it."""

    order: "Standing"
    price: int
    at: datetime
    state: str = "delivered"
    dispute: str | None = None
    decide_by: datetime | None = None
    release: datetime | None = None  # where a decision has moved it

    @property
    def release_at(self) -> datetime:
        """When it is settled: a rejected dispute waits for the appeal."""
        return self.release or self.at + RELEASE

    @property
    def payout(self) -> int:
        """The publisher's 70 %, half a cent up."""
        return (self.price * 7000 + 5000) // 10000


@dataclass
class Standing:
    """An order as the model sees it."""

    id: UUID
    shown: str
    buyer: Member
    terms: dict[str, Any]
    sales: list[Bought] = field(default_factory=list)

    def figures(self, at: datetime) -> dict[str, tuple[int, int]]:
        """Count the leads and the money of each present period, from the sales alone."""
        starts = dict(zip(PERIODS, (*period_starts(self.terms["zone"], at), 0), strict=True))
        since = {period: [s.price for s in self.sales if s.at.timestamp() >= start] for period, start in starts.items()}
        return {period: (len(prices), sum(prices)) for period, prices in since.items()}

    def has_room(self, at: datetime) -> bool:
        """Tell whether every cap and budget leaves room for one more lead at the present price."""
        for period, (leads, spend) in self.figures(at).items():
            if leads >= self.terms["caps"].get(period, leads + 1):
                return False
            if spend + self.terms["price"] > self.terms["budget"].get(period, spend + self.terms["price"]):
                return False
        return True

    def as_candidate(self, least: int, funds: int, at: datetime) -> Candidate:
        """Say what the auction must know of this order now."""
        price = self.terms["price"]
        refusal = (
            "below_min" if Bought(self, price, at).payout < least
            else "capped" if not self.has_room(at)
            else "no_funds" if funds < price else None
        )  # fmt: skip
        last = max((sale.at for sale in self.sales), default=None)
        return Candidate(self.id, parse_id("acc", self.buyer.id), price, self.terms["share"], last, refusal)


def body_of(terms: dict[str, Any]) -> dict[str, Any]:
    """Write the model's terms as the API takes them, every limit named."""
    budget = {period: terms["budget"].get(period) for period in PERIODS}
    return {
        "name": "an order", "vertical": "education", "price": euros(terms["price"]), "status": terms["status"],
        "exclusivity": "shared" if terms["share"] > 1 else "exclusive",
        "max_share": terms["share"] if terms["share"] > 1 else None,
        "caps": {period: terms["caps"].get(period) for period in PERIODS},
        "budget": {period: limit and euros(limit) for period, limit in budget.items()},
        "schedule": {"timezone": terms["zone"]},
    }  # fmt: skip


def euros(minor: int) -> dict[str, str]:
    """Write an amount as the API does."""
    return Money(minor, "EUR").as_json()


def some(values: st.SearchStrategy[int]) -> st.SearchStrategy[dict[str, int]]:
    """Give limits for at most two periods."""
    return st.dictionaries(st.sampled_from(PERIODS), values, max_size=2)


TERMS = st.fixed_dictionaries(
    {
        "price": st.sampled_from(PRICES), "share": st.sampled_from([1, 1, 2, 3, 4]), "zone": st.sampled_from(ZONES),
        "caps": some(st.integers(1, 4)), "budget": some(st.sampled_from([420, 2000, 3003])), "status": st.just("active"),
    }
)  # fmt: skip
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["active", "paused"]), "price": st.sampled_from(PRICES),
        "zone": st.sampled_from(ZONES), "caps": some(st.integers(1, 6)), "share": st.sampled_from([1, 2, 3]),
    },
)  # fmt: skip
BUYERS = st.integers(0, 2)
INDEX = st.integers(0, 10**6)


def machine_for(
    app: Flask, market: Market, clock: SetClock, books: psycopg.Connection[Any]
) -> Callable[[], RuleBasedStateMachine]:
    """Build the machine class around one market; every run has members, orders and persons of its own."""
    operator = market.make_operator()

    class Trade(RuleBasedStateMachine):
        runs = 0

        @initialize(
            start=st.sampled_from(STARTS), funds=st.lists(st.sampled_from([0, 1000, 9000]), min_size=3, max_size=3)
        )
        def open(self, start: datetime, funds: list[int]) -> None:
            Trade.runs += 1
            clock.instant = start
            self.publisher = market.make_publisher()
            self.buyers = [market.make_buyer(str(Money(minor, "EUR")) if minor else "0") for minor in funds]
            self.available = {buyer.id: minor for buyer, minor in zip(self.buyers, funds, strict=True)}
            self.orders: list[Standing] = []
            self.sales: dict[str, Bought] = {}
            self.claimed: dict[str, datetime] = {}
            self.matured: set[str] = set()
            self.compensated = 0
            self.compensated = 0

        @rule(buyer=BUYERS, terms=TERMS)
        def place_an_order(self, buyer: int, terms: dict[str, Any]) -> None:
            made = self.buyers[buyer].post("/orders", body_of(terms))
            self.orders.append(Standing(parse_id("ord", made["id"]), made["id"], self.buyers[buyer], terms))

        @precondition(lambda self: self.orders)
        @rule(which=INDEX, changes=CHANGES)
        def change_an_order(self, which: int, changes: dict[str, Any]) -> None:
            order = self.orders[which % len(self.orders)]
            order.terms = order.terms | changes
            answer = order.buyer.request("PATCH", f"/orders/{order.shown}", body_of(order.terms))
            assert answer.status_code == 200, answer.text

        @rule(buyer=BUYERS, minor=st.sampled_from([420, 1000, 2500]))
        def credit_a_buyer(self, buyer: int, minor: int) -> None:
            credit_by_hand(self.buyers[buyer].id, str(Money(minor, "EUR")), "EUR", "more")
            self.available[self.buyers[buyer].id] += minor

        @rule(by=st.sampled_from([timedelta(minutes=20), timedelta(days=11), timedelta(days=31), timedelta(days=46)]))
        def let_time_pass(self, by: timedelta) -> None:
            clock.instant += by

        @rule(zone=st.sampled_from(ZONES), period=st.integers(0, 3), before=st.booleans())
        def come_to_a_border(self, zone: str, period: int, before: bool) -> None:
            border = datetime.fromtimestamp(next_starts(zone, clock.instant)[period], UTC)
            clock.instant = max(clock.instant, border - timedelta(microseconds=1)) if before else border

        @rule(
            email=st.integers(0, 5), phone=st.integers(0, 5) | st.none(), least=st.sampled_from([0, 0, 294, 700, 701, 1001]),
            exclusive=st.sampled_from([False, False, True]), test=st.sampled_from([False, False, False, True]),
        )  # fmt: skip
        def post_a_lead(self, email: int, phone: int | None, least: int, exclusive: bool, test: bool) -> None:
            self.post({"email": f"m{Trade.runs}.{email}@example.com"} | (
                {} if phone is None else {"phone": f"+3319900{Trade.runs % 100:02}{phone:02}"}
            ), least, exclusive, test)  # fmt: skip

        @rule(number=INDEX)
        def post_a_lead_of_somebody_new(self, number: int) -> None:
            self.post({"email": f"new{Trade.runs}.{number}@example.com"}, 0, False, False)

        def post(self, contact: dict[str, str], least: int, exclusive: bool, test: bool) -> None:
            lead = market.lead(contact=contact, min_price=euros(least), exclusive_only=exclusive, test=test)
            answer = self.publisher.post("/leads", lead)
            status, reasons, tried, buys = self.expect(set(contact.values()), least, exclusive, test)
            assert (answer["status"], answer["reasons"]) == (status, reasons)
            [[told]] = books.execute(
                "SELECT decision -> 'tried' FROM marketplace.leads WHERE id = %s", [parse_id("lead", answer["id"])]
            )
            seen = [(UUID(each[0]), each[2]) for each in told]
            # The database looks no further than to where nobody can change what is chosen.
            assert seen == tried[: len(seen)]
            assert {each for each in tried if each[1] == SOLD} <= set(seen) and (buys or len(seen) == len(tried))
            assert [sale["price"] for sale in answer["sales"]] == [euros(bought.price) for bought in buys]
            for sale, bought in zip(answer["sales"], buys, strict=True):
                self.sales[sale["id"]] = bought
                bought.order.sales.append(bought)
                self.available[bought.order.buyer.id] -= bought.price
            if buys:
                self.claimed |= dict.fromkeys(contact.values(), clock.instant)

        def expect(
            self, identities: set[str], least: int, exclusive: bool, test: bool
        ) -> tuple[str, list[str], list[tuple[UUID, str]], list[Bought]]:
            at = clock.instant
            if any(at < self.claimed[each] + DEDUPE for each in identities & set(self.claimed)):
                return "rejected", ["duplicate"], [], []
            wanting = [
                order.as_candidate(least, self.available[order.buyer.id], at) for order in self.orders
                if order.terms["status"] == "active" and order.terms["price"] >= least
                and (order.terms["share"] == 1 or not exclusive)
            ]  # fmt: skip
            chosen = choose(wanting, exclusive_only=exclusive)
            by_id = {order.id: order for order in self.orders}
            buys = [Bought(by_id[one], by_id[one].terms["price"], at) for one in chosen.orders]
            tried = list(chosen.outcomes)
            if test:
                return "unsold", ["test"], tried, []
            return "sold" if buys else "unsold", [], tried, buys

        @precondition(lambda self: self.sales)
        @rule(which=INDEX)
        def open_a_dispute(self, which: int) -> None:
            sale, bought = self.pick(which)
            may = bought.state == "delivered" and bought.dispute is None and clock.instant < bought.at + WINDOW
            answer = bought.order.buyer.request("POST", f"/sales/{sale}/disputes", {"reason": "bot"})
            assert answer.status_code == (201 if may else 409), answer.text
            if may:
                bought.state, bought.dispute = "disputed", answer.json["id"]
                bought.decide_by = decision_due(dispute_rules(), clock.instant + HEARING)

        @precondition(lambda self: self.sales)
        @rule(which=INDEX, uphold=st.booleans())
        def decide_a_dispute(self, which: int, uphold: bool) -> None:
            disputed = [bought for bought in self.sales.values() if bought.state == "disputed"]
            if disputed:
                bought = disputed[which % len(disputed)]
                operator.post(f"/disputes/{bought.dispute}/resolve", {"decision": "uphold" if uphold else "reject"})
                bought.state = "returned" if uphold else "delivered"
                bought.release = max(bought.at + RELEASE, clock.instant + APPEAL)
                self.available[bought.order.buyer.id] += bought.price if uphold else 0

        def pick(self, which: int) -> tuple[str, Bought]:
            return list(self.sales.items())[which % len(self.sales)]

        @rule()
        def do_what_is_due(self) -> None:
            run_due(clock.instant)
            for sale, bought in self.sales.items():
                if bought.state == "disputed" and bought.decide_by and clock.instant >= bought.decide_by:
                    bought.state = "returned"  # nobody decided: the buyer is credited and the platform pays
                    self.available[bought.order.buyer.id] += bought.price
                    self.compensated += bought.payout
                if bought.state == "delivered" and clock.instant >= bought.release_at:
                    bought.state = "settled"
                if bought.state == "settled" and clock.instant >= bought.release_at + RESERVE:
                    self.matured.add(sale)

        def teardown(self) -> None:
            if hasattr(self, "orders"):
                self.compare_everything()
            with db.engine.begin() as connection:
                connection.execute(db.text("UPDATE marketplace.orders SET status = 'paused'"))
                connection.execute(db.text("UPDATE marketplace.verticals SET book_version = book_version + 1"))

        def compare_everything(self) -> None:
            for buyer in self.buyers:
                held = [
                    s.price
                    for s in self.sales.values()
                    if s.order.buyer is buyer and s.state in ("delivered", "disputed")
                ]
                wallet = buyer.get("/wallet")
                assert (wallet["available"], wallet["held"]) == (euros(self.available[buyer.id]), euros(sum(held)))
            self.compare_the_publisher()
            for order in self.orders:
                self.compare_counters(order)
            db.session.rollback()
            assert [check for check in audit(db.session).checks if not check.ok] == []
            db.session.rollback()

        def compare_the_publisher(self) -> None:
            open_payouts = [s.payout for s in self.sales.values() if s.state in ("delivered", "disputed")]
            settled = {sale: bought for sale, bought in self.sales.items() if bought.state == "settled"}
            waiting = sum(bought.payout * 2000 // 10000 for sale, bought in settled.items() if sale not in self.matured)
            balance = self.publisher.get("/balance")
            assert balance["pending"] == euros(sum(open_payouts))
            assert balance["reserve"] == euros(waiting)
            assert balance["payable"] == euros(
                sum(bought.payout for bought in settled.values()) - waiting + self.compensated
            )

        def compare_counters(self, order: Standing) -> None:
            [[row]] = books.execute(
                "SELECT to_jsonb(c) FROM marketplace.order_counters c WHERE order_id = %s", [order.id]
            )
            *periods, (_, in_all) = order.figures(clock.instant).items()
            assert (row["total_leads"], row["total_spend"]) == in_all
            starts = period_starts(order.terms["zone"], clock.instant)
            for n, (period, expected) in enumerate(periods if row["limited"] else []):
                counted = (row["total_leads"] - row["leads_before"][n], row["total_spend"] - row["spend_before"][n])
                assert (counted if row["starts"][n] == starts[n] else (0, 0)) == expected, period

    return Trade


def test_the_market_trades_as_its_model(
    app: Flask, market: Market, clock: SetClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "FIRST_BATCH", 2)  # so that many leads are offered a second time, with more candidates
    with psycopg.connect(database_url, autocommit=True) as books:
        run_state_machine_as_test(
            machine_for(app, market, clock, books),
            settings=settings(
                max_examples=10, stateful_step_count=32, deadline=None, derandomize=True, database=None, print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
