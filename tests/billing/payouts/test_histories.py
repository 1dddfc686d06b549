"""Random histories of payouts: whatever is ordered, refused, failed, taken back and tried again, in whatever order.

After every step the books are audited; at the end all that waits is done, and each payout has one transfer at most,
each cent is payable, on its way or paid, and the books say what Stripe says. `LEADBOURSE_HISTORIES=300` runs that many.
"""

import os
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from billing import (
    PayoutDebtor,
    approve_payout,
    hand_on_payout_file,
    make_payout_file,
    take_payout_back,
    take_payout_results,
    try_payout_again,
    withdraw_payout,
)
from billing.payouts.stages import MOVES
from billing.stripe_gateway import Refused, Undecided, _ask, gateway
from core.db import db, transaction
from core.errors import Conflict, NotAllowed
from core.failpoints import Failed
from marketplace.audit import audit_all
from tests.billing.funding.conftest import at_once
from tests.billing.payouts.conftest import ANNA, BORIS, House, sql
from tests.factories import Member

HISTORIES = int(os.environ.get("LEADBOURSE_HISTORIES", "12"))
STEPS = 14
WHICH = st.integers(0, 9)
DEBTOR = PayoutDebtor("Exchange", "FR7630006000011234567890189", "AGRIFRPP")
FAULTS = st.sampled_from([
    ("drop", "/v1/transfers"), ("500", "/v1/transfers"), ("500_after", "/v1/transfers"), ("429", "/v1/*"),
    ("drop", "/v1/transfers/*"), ("500", "/v1/balance*"), ("500", "/v1/accounts/*"), ("payout_fails", ""),
    ("webhook_lost", ""),
])  # fmt: skip
POINTS = st.sampled_from([
    "account.read", "balance.read", "call.answered", "call.recorded", "call.taken", "movement.booked",
    "movement.explained", "payouts.covered", "payouts.ordered", "transfer.read",
])  # fmt: skip


def machine_for(house: House) -> type[RuleBasedStateMachine]:
    class Histories(RuleBasedStateMachine):
        """Two who are paid by Stripe and one by file, and whatever may happen to what they are paid."""

        @initialize()
        def begin(self) -> None:
            sql("UPDATE billing.payout_rails SET ended_at = now() WHERE ended_at IS NULL")
            house.till.stripe.clear_faults()
            self.by_stripe = [house.earner(20_000), house.earner(30_000)]
            self.accounts = [house.onboard(each) for each in self.by_stripe]
            self.by_file = house.earner(20_000)
            house.sepa(self.by_file)
            self.earners: list[Member] = [*self.by_stripe, self.by_file]
            self.earned = {each.id: cents for each, cents in zip(self.earners, (20_000, 30_000, 20_000), strict=True)}

        @rule(which=st.integers(0, 2), cents=st.integers(100, 40_000), review=st.booleans())
        def draft(self, which: int, cents: int, review: bool) -> None:
            house.draft(self.earners[which], cents, review=review)

        @rule(which=st.integers(0, 2), cents=st.integers(1, 30_000))
        def earn(self, which: int, cents: int) -> None:
            house.earn(self.earners[which], cents)
            self.earned[self.earners[which].id] += cents

        @rule(which=WHICH, who=st.sampled_from([ANNA, BORIS]))
        def agree(self, which: int, who: str) -> None:
            self.do(which, ("drafted",), lambda one: approve_payout(one, who, house.now))

        @rule(which=WHICH)
        def withdraw(self, which: int) -> None:
            self.do(which, ("drafted", "approved"), lambda one: withdraw_payout(one, "not now", ANNA, house.now))

        @rule(which=WHICH)
        def again(self, which: int) -> None:
            self.do(which, ("refused",), lambda one: try_payout_again(one, None, ANNA, house.now))

        @rule(which=WHICH)
        def take_back(self, which: int) -> None:
            self.do(which, ("paid", "failed"), lambda one: take_payout_back(one, "a mistake", ANNA, house.now))

        @rule(which=WHICH, part=st.integers(1, 40_000))
        def reversed_there(self, which: int, part: int) -> None:
            with suppress(Refused, Undecided):
                for one in ask(house.transfers)[which : which + 1]:
                    ask(lambda one=one: gateway()._client.transfers.reversals.create(one.id, {"amount": part}))

        @rule(whole=st.integers(1, 300))
        def fund(self, whole: int) -> None:
            with suppress(Undecided, AssertionError, IndexError, Failed):
                house.fund(f"{whole}.00")

        @rule(fault=FAULTS)
        def break_something(self, fault: tuple[str, str]) -> None:
            kind, path = fault
            house.till.stripe.fault(kind, **({"path": path} if path else {}))

        @rule(which=st.integers(0, 1), what=st.sampled_from(["restricted", "rejected", "closed"]))
        def change_account(self, which: int, what: str) -> None:
            with suppress(ValueError):  # closed before
                house.till.stripe.control("POST", f"accounts/{self.accounts[which]}/{what}")

        @rule(which=st.integers(0, 1), cents=st.integers(1, 20_000))
        def to_bank(self, which: int, cents: int) -> None:
            there = {"stripe_account": self.accounts[which]}
            with suppress(Refused, Undecided):
                ask(lambda: gateway()._client.payouts.create({"amount": cents, "currency": "eur"}, there))

        @rule()
        def make_file(self) -> None:
            with suppress(Conflict), transaction():
                make_payout_file("sepa", "EUR", DEBTOR, ANNA, house.now)

        @rule(word=st.sampled_from(["paid", "failed", "returned", "pending"]), hands_on=st.booleans(), which=WHICH)
        def results(self, word: str, hands_on: bool, which: int) -> None:
            rows = sql("SELECT id, file_id FROM billing.payouts WHERE file_id IS NOT NULL ORDER BY id")
            for payout, file in rows[which : which + 1]:
                with transaction():
                    if hands_on:
                        hand_on_payout_file(file, ANNA, house.now)
                    sheet = f"reference,status,reason\n{payout.hex},{word},{house.now.isoformat()}\n".encode()
                    take_payout_results(sheet, "sepa", "results.csv", ANNA, house.now)

        @rule()
        def look(self) -> None:
            with suppress(Undecided, Refused):
                house.look()

        @rule(point=POINTS)
        def look_and_err(self, point: str) -> None:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("FAILPOINT", f"{point}:error")
                with suppress(Undecided, Failed, Refused):
                    house.look(again=True)

        @rule()
        def look_twice_at_once(self) -> None:
            at_once(house.till, house.look, house.look)

        @rule(hours=st.integers(1, 30))
        def wait(self, hours: int) -> None:
            house.till.clock.advance(hours=hours)
            house.till.stripe.advance(hours * 3600)
            sql(
                "UPDATE billing.card_calls SET sent_at = sent_at - make_interval(hours => :hours) WHERE ended_at IS NULL",
                hours=hours,
            )

        @invariant()
        def the_books_are_right(self) -> None:
            db.session.rollback()
            wrong = [check for check in audit_all(db.session).checks if not check.ok]
            db.session.rollback()
            assert wrong == []

        def teardown(self) -> None:
            if not hasattr(self, "earned"):
                return
            house.till.stripe.clear_faults()
            for _ in range(5):
                with suppress(Undecided, Refused):
                    house.look(again=True)
            house.look(again=True)
            for earner in self.earners:
                assert sum(house.cents(earner)) == self.earned[earner.id], "each cent is payable, on its way or paid"
            groups = [one.transfer_group for one in house.transfers()]
            assert len(groups) == len(set(groups)), "one transfer a payout"
            assert house.till.account(1010) == house.till.at_stripe(), "the books say what Stripe says"
            assert house.till.account(2900) == 0, "nothing of ours is unexplained"
            assert self.steps() <= MOVES
            assert sql("SELECT count(*) FROM billing.payouts WHERE state = 'ordered' AND file_id IS NULL")[0][0] == 0

        def steps(self) -> set[tuple[str, str]]:
            rows = sql("SELECT DISTINCT from_state, to_state FROM billing.payout_events WHERE from_state <> to_state")
            return {(row[0], row[1]) for row in rows}

        def do(self, which: int, states: tuple[str, ...], deed) -> None:
            rows = sql("SELECT id FROM billing.payouts WHERE state = ANY(:states) ORDER BY id", states=list(states))
            for row in rows[which : which + 1]:
                payout: UUID = row[0]
                with suppress(Conflict, NotAllowed), transaction():
                    deed(payout)

    return Histories


def ask(call):
    """Ask the fake as the gateway does, told apart by what may have happened."""
    return _ask(call)


@pytest.mark.timeout(900 + 60 * HISTORIES)
def test_whatever_happens_every_cent_is_payable_on_its_way_or_paid_once(house: House) -> None:
    run_state_machine_as_test(
        machine_for(house),
        settings=settings(
            max_examples=HISTORIES, stateful_step_count=STEPS, deadline=None, derandomize=HISTORIES == 12,
            suppress_health_check=list(HealthCheck), phases=(Phase.generate,),
        ),
    )  # fmt: skip
