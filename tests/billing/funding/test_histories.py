"""Random histories of money by card: whatever happens in whatever order, the books hold and say what Stripe says.

Pages, payments, refunds, disputes and sales come in any order, webhooks permuted, doubled and lost, answers lost, steps
that err, two workers at once. After every step the books are audited; at the end of a history all that waits is done,
and then no cent may be anywhere but where the model says. `LEADBOURSE_HISTORIES=300` runs that many.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from billing.funding.due import run_cards
from billing.funding.reading import handle_news, read_balance, send_calls
from billing.stripe_gateway import Gateway, Undecided, gateway
from core.db import db
from core.failpoints import Failed
from core.ids import parse_id
from marketplace.audit import audit_all
from tests.billing.funding.conftest import ASKS, DECLINED, GOOD, Till, at_once, make_due, sql
from tests.billing.funding.saved import LATER, euros
from tests.billing.funding.test_failpoints import IN_THE_WORKER

HISTORIES = int(os.environ.get("LEADBOURSE_HISTORIES", "12"))
STEPS = 12
WHICH = st.integers(0, 9)
PATHS = (
    "/v1/payment_methods/*",
    "/v1/setup_intents/*",
    "/v1/payment_intents",
    "/v1/refunds*",
    "/v1/checkout/*",
    "/v1/payment_intents/*",
    "/v1/charges/*",
    "/v1/disputes/*",
    "/v1/*",
)
FAULTS = st.sampled_from([("drop", path) for path in PATHS] + [("500", path) for path in PATHS] + [
    ("429", "/v1/*"), ("500_after", "/v1/refunds"), ("refund_fails", "")])  # fmt: skip


@dataclass
class Page:
    """A payment page and what became of it at Stripe, which is what the books have to find out."""

    url: str
    cents: int
    paid: bool = False
    dispute: str | None = None
    disputed: int = 0
    said: str = ""  # open, won, lost


def machine_for(till: Till) -> type[RuleBasedStateMachine]:
    class Histories(RuleBasedStateMachine):
        """One buyer, some payments, and whatever may happen to them."""

        @initialize()
        def begin(self) -> None:
            till.buyer, self.pages, self.credit, self.refunded = till.market.make_buyer("0"), list[Page](), 0, 0
            self.most = 0
            self.publisher = till.market.make_publisher()
            self.since = datetime.fromtimestamp(till.stripe.advance(0), UTC) - timedelta(seconds=1)

        @rule(whole=st.integers(1, 300))
        def ask(self, whole: int) -> None:
            body = {"amount": euros(f"{whole}.00"), "save_card": whole % 3 == 0}
            answer = till.buyer.request("POST", "/wallet/top-ups", body)
            assert answer.status_code in (201, 503), answer.text
            if answer.status_code == 201:
                self.pages.append(Page(answer.json["checkout_url"], whole * 100))

        @rule(which=WHICH, card=st.sampled_from([GOOD, GOOD, GOOD, DECLINED]))
        def pay(self, which: int, card: str) -> None:
            for page in self.pages[which : which + 1]:
                page.paid |= till.pay(page.url, card) == 303

        @rule(number=st.sampled_from([GOOD, GOOD, LATER, ASKS]))
        def save_a_card(self, number: str) -> None:
            answer = till.buyer.request("POST", "/wallet/card-pages", {})
            assert answer.status_code in (201, 503), answer.text
            if answer.status_code == 201 and till.pay(answer.json["page_url"], number) == 200:
                till.approve(answer.json["page_url"])

        @rule(below=st.integers(10, 200), above=st.integers(1, 200), daily=st.integers(50, 900))
        def fill_by_itself(self, below: int, above: int, daily: int) -> None:
            wish = {"on": True, "threshold": euros(f"{below}.00"), "target": euros(f"{below + above}.00"),
                    "daily_limit": euros(f"{daily}.00")}  # fmt: skip
            answer = till.buyer.request("PUT", "/wallet/recharges/EUR", wish)
            assert answer.status_code in (200, 422), answer.text
            if answer.status_code == 200:
                self.most = max(self.most, daily * 100)

        @rule()
        def switch_off(self) -> None:
            wish = {"on": False, "daily_limit": euros("50.00")}
            assert till.buyer.request("PUT", "/wallet/recharges/EUR", wish).status_code == 200

        @rule(which=WHICH)
        def remove_a_card(self, which: int) -> None:
            for card in till.buyer.get("/wallet/cards")["items"][which : which + 1]:
                assert till.buyer.request("DELETE", f"/wallet/cards/{card['id']}").status_code in (200, 409)

        @rule()
        def resume(self) -> None:
            assert till.buyer.request("POST", "/wallet/recharges/EUR/resume", {}).status_code in (200, 404)

        @rule(whole=st.integers(1, 200))
        def give_back(self, whole: int) -> None:
            body = {"amount": euros(f"{whole}.00")}
            answer = till.buyer.request("POST", "/refunds", body)
            assert answer.status_code in (201, 409, 422), answer.text

        @rule(cents=st.integers(1, 20_000))
        def credit_by_bank(self, cents: int) -> None:
            till.credit(f"{cents // 100}.{cents % 100:02d}")
            self.credit += cents

        @rule(whole=st.integers(10, 90))
        def sell(self, whole: int) -> None:
            till.market.make_order(till.buyer, f"{whole}.00")
            self.publisher.request("POST", "/leads", till.market.lead())

        @rule(which=WHICH, tenths=st.integers(1, 10))
        def dispute(self, which: int, tenths: int) -> None:
            for page in self.pages[which : which + 1]:
                if page.paid and page.dispute is None:
                    charge = self.charge_of(page)
                    left = charge.amount - charge.amount_refunded
                    page.disputed = left * tenths // 10
                    if page.disputed:
                        told = till.stripe.open_dispute(charge.id, amount=page.disputed)
                        page.dispute, page.said = told["id"], "open"

        @rule(which=WHICH, won=st.booleans())
        def decide(self, which: int, won: bool) -> None:
            for page in self.pages[which : which + 1]:
                if page.dispute and page.said == "open":
                    (till.stripe.win_dispute if won else till.stripe.lose_dispute)(page.dispute)
                    page.said = "won" if won else "lost"

        @rule(seed=st.integers(0, 2**32))
        def bring_webhooks(self, seed: int) -> None:
            luck = Random(
                seed
            )  # drawn here and not from Hypothesis, who counts draws: events are more on a slow machine
            events = [news.raw for news in self.quietly(lambda: list(gateway().news_since(self.since))) or []]
            sent = [raw for raw in events for _ in range(luck.choice((0, 1, 1, 2)))]
            luck.shuffle(sent)
            for raw in sent[:12]:
                assert till.hook(raw) == 200

        @rule(fault=FAULTS)
        def go_wrong(self, fault: tuple[str, str]) -> None:
            till.stripe.fault(fault[0], **({"path": fault[1]} if fault[1] else {}))

        @rule(point=st.sampled_from(["", "", *IN_THE_WORKER]))
        def look(self, point: str) -> None:
            os.environ["FAILPOINT"] = f"{point}:error"
            try:
                self.quietly(lambda: run_cards(till.clock.now(), fetches=True))
            finally:
                del os.environ["FAILPOINT"]

        @rule(step=st.sampled_from([send_calls, lambda door: handle_news(door, till.clock.now()),
                                    lambda door: read_balance(door, till.clock.now())]))  # fmt: skip
        def look_at_one_thing(self, step: Callable[[Gateway], int]) -> None:
            self.quietly(lambda: step(gateway()))

        @rule()
        def look_twice_at_once(self) -> None:
            raised = at_once(till, *[lambda: run_cards(till.clock.now(), fetches=True)] * 2)
            assert all(isinstance(error, Undecided) for error in raised), raised

        @rule()
        def let_time_pass(self) -> None:
            till.clock.advance(minutes=1)
            make_due()

        def quietly(self, do: Callable[[], Any]) -> Any:
            """Do something that may err as it was told to, or while Stripe is away."""
            with suppress(Undecided, Failed):
                return do()

        def charge_of(self, page: Page) -> Any:
            """Ask the fake for the charge that paid a page."""
            till.stripe.clear_faults()
            stripe: Any = gateway()._client
            session = stripe.checkout.sessions.retrieve(page.url.rsplit("/", 1)[1])
            intent = stripe.payment_intents.retrieve(session.payment_intent)
            return stripe.charges.retrieve(intent.latest_charge)

        def charges_by_itself(self) -> list[Any]:
            """Ask the fake for the charges of saved cards that have paid, whatever the books say of them."""
            stripe: Any = gateway()._client
            mine = [str(row.id) for row in sql(MINE, owner=wallet_owner(till))]
            since = {"created": {"gte": int(self.since.timestamp())}, "limit": 100}
            found = stripe.payment_intents.list(since).auto_paging_iter()
            paid = [one for one in found if one.status == "succeeded" and one.metadata["leadbourse"] in mine]
            return [stripe.charges.retrieve(one.latest_charge) for one in paid]

        @invariant()
        def the_books_hold(self) -> None:
            db.session.rollback()
            report = audit_all(db.session)
            db.session.remove()
            assert report.ok, [check for check in report.checks if not check.ok]

        @invariant()
        def a_card_is_charged_once_at_a_time_and_within_the_day(self) -> None:
            [(most, flying)] = sql(CHARGED, owner=wallet_owner(till))
            assert most <= self.most and flying <= 1, (most, self.most, flying)

        def teardown(self) -> None:
            till.stripe.clear_faults()
            rest(till)
            self.the_books_hold()
            self.a_card_is_charged_once_at_a_time_and_within_the_day()
            wallet, [(owed,)] = till.wallet(), sql(OWED, owner=wallet_owner(till))
            charges = [self.charge_of(page) for page in self.pages if page.paid] + self.charges_by_itself()
            came = sum(charge.amount - charge.amount_refunded for charge in charges) + self.credit
            lost = sum(page.disputed for page in self.pages if page.said == "lost")
            parts = wallet.available.minor + wallet.held.minor + wallet.frozen.minor
            assert parts - owed == came - lost, "each cent that came and did not go is in the wallet, or owed"
            assert (wallet.suspended_at is not None) == any(page.said == "lost" for page in self.pages)
            assert till.account(1010) == till.at_stripe(), "the books say what Stripe says"
            assert [till.account(code) for code in (1000, 2200, 2900)] == [0, 0, 0], (
                "nothing is under way or unexplained"
            )
            assert sql(WAITS) == [(0, 0, 0)], "nothing waits"

    return Histories


# What saved cards were charged, or may be, on the day of the test, whose clock stays on it; and how many charges are open.
CHARGED = """SELECT coalesce(sum(amount_minor) FILTER (WHERE state <> 'refused'), 0),
                    count(*) FILTER (WHERE state = 'opening')
             FROM billing.top_ups WHERE card_id IS NOT NULL AND account_id = :owner"""
MINE = "SELECT id FROM billing.top_ups WHERE card_id IS NOT NULL AND account_id = :owner"
OWED = "SELECT coalesce(sum(amount_minor), 0) FROM billing.entries WHERE account = 1110 AND owner_id = :owner"
WAITS = """SELECT (SELECT count(*) FROM billing.card_news WHERE handled_at IS NULL),
                  (SELECT count(*) FROM billing.card_calls WHERE ended_at IS NULL),
                  (SELECT count(*) FROM billing.balance_transactions WHERE booked_as IS NULL)"""


def wallet_owner(till: Till) -> Any:
    return parse_id("acc", till.buyer.id)


def rest(till: Till) -> None:
    """Let everything come to rest; what Stripe answers with a stored error is looked up after two days."""
    for _ in range(3):
        make_due()
        till.look()
    if sql("SELECT FROM billing.card_calls WHERE ended_at IS NULL"):
        sql("UPDATE billing.card_calls SET sent_at = now() - interval '2 d' WHERE ended_at IS NULL AND state = 'sent'")
        make_due()
        till.look()
    make_due()
    till.look()


@pytest.mark.timeout(900 + 60 * HISTORIES)
def test_whatever_happens_the_books_hold_and_say_what_stripe_says(till: Till) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine_for(till),
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
