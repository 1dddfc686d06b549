"""The SQL ledger does, in whatever order, what a small model of dictionaries does."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from core.ids import new_id

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WALLETS = EARNERS = st.integers(0, 2)
AMOUNTS = st.integers(1, 2_000)


def machine_for(books):
    """Build the machine class around one ledger; every run uses accounts of its own."""

    class Ledger(RuleBasedStateMachine):
        open_holds = Bundle("open_holds")
        ended_holds = Bundle("ended_holds")
        postings = Bundle("postings")

        @initialize()
        def open(self):
            self.accounts = [new_id() for _ in range(3)]
            self.earners = [new_id() for _ in range(3)]
            self.wallet = {account: [0, 0, 0] for account in self.accounts}  # available, held, promo
            self.earned = {earner: [0, 0] for earner in self.earners}  # payable, reserve
            self.lots = []
            self.holds = {}

        @rule(target=postings, wallet=WALLETS, amount=AMOUNTS, kind=st.sampled_from(["credit", "promo"]))
        def fund(self, wallet, amount, kind):
            account, key = self.accounts[wallet], f"{kind}:{new_id()}"
            assert books.credit(account, amount, key, kind) == "committed"
            self.wallet[account][0 if kind == "credit" else 2] += amount
            return key, kind, account, amount

        @rule(target=postings, wallet=WALLETS, amount=st.integers(-5, 0))
        def fund_nothing(self, wallet, amount):
            account, key = self.accounts[wallet], f"credit:{new_id()}"
            assert books.credit(account, amount, key) == "refused:amount"
            return key, "credit", account, amount

        @rule(posting=postings, more=st.integers(0, 1))
        def fund_again(self, posting, more):
            key, kind, account, amount = posting
            same = "repeated" if amount > 0 else "refused:amount"
            assert books.credit(account, amount + more, key, kind) == ("conflict" if more else same)

        @rule(target=open_holds, wallet=WALLETS, amount=AMOUNTS)
        def hold(self, wallet, amount):
            account = self.accounts[wallet]
            state = self.wallet[account]
            hold = books.hold(account, amount)
            assert (hold is not None) == (state[0] + state[2] >= amount)
            if hold is None:
                return multiple()
            promo = min(state[2], amount)
            state[0], state[1], state[2] = state[0] - (amount - promo), state[1] + amount, state[2] - promo
            self.holds[hold] = (account, amount, promo)
            return hold

        @rule(hold=open_holds)
        def hold_again(self, hold):
            account, amount, _ = self.holds[hold]
            assert books.hold(account, amount, hold) == hold

        @rule(
            target=ended_holds, hold=consumes(open_holds), earner=EARNERS, captured=st.integers(0, 4),
            share_bp=st.integers(0, 10_000), reserve_bp=st.integers(0, 10_000), days=st.integers(0, 3),
        )  # fmt: skip
        def resolve(self, hold, earner, captured, share_bp, reserve_bp, days):
            account, amount, promo = self.holds[hold]
            capture = amount * captured // 4
            share = capture * share_bp // 10_000
            reserve = share * reserve_bp // 10_000
            request = (hold, capture, self.earners[earner], share, reserve, "", NOON + timedelta(days=days))
            assert books.resolve(*request) == "resolved"
            back = promo * (amount - capture) // amount
            state = self.wallet[account]
            state[0], state[1], state[2] = state[0] + amount - capture - back, state[1] - amount, state[2] + back
            self.earned[self.earners[earner]][0] += share - reserve
            self.earned[self.earners[earner]][1] += reserve
            if reserve:
                self.lots.append((NOON + timedelta(days=days), self.earners[earner], reserve))
            return request

        @rule(request=ended_holds)
        def resolve_again(self, request):
            assert books.resolve(*request) == "repeated"

        @rule(request=ended_holds)
        def resolve_otherwise(self, request):
            hold, capture, *_ = request
            amount = self.holds[hold][1]
            assert books.resolve(hold, 0 if capture else amount) == "conflict"

        @rule(days=st.integers(0, 3))
        def mature(self, days):
            as_of = NOON + timedelta(days=days)
            books.mature(as_of)  # counts the lots of earlier runs too
            for _, earner, amount in [lot for lot in self.lots if lot[0] <= as_of]:
                self.earned[earner][0] += amount
                self.earned[earner][1] -= amount
            self.lots = [lot for lot in self.lots if lot[0] > as_of]

        def teardown(self):
            if hasattr(self, "wallet"):
                for account, state in self.wallet.items():
                    assert books.wallet(account) == tuple(state)
                for earner, state in self.earned.items():
                    assert books.earner(earner) == tuple(state)
            assert [check for check in books.audit().checks if not check.ok] == []

    return Ledger


@pytest.mark.timeout(300)
def test_the_ledger_agrees_with_its_model(books):
    run_state_machine_as_test(
        machine_for(books),
        settings=settings(
            max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
