"""The SQL ledger does, in whatever order, what a small model of dictionaries does."""

from datetime import UTC, datetime, timedelta

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
            self.owed = dict.fromkeys(self.earners, 0)
            self.credit = {account: [0, 0, 0] for account in self.accounts}  # limit, drawn, owed
            self.debts = {account: {} for account in self.accounts}  # what is left of each, by its due day and kind
            self.back = {}  # of an ended hold, what went back of capture and share
            self.lots = []
            self.holds = {}

        @rule(target=postings, wallet=WALLETS, amount=AMOUNTS, kind=st.sampled_from(["credit", "promo"]))
        def fund(self, wallet, amount, kind):
            account, key = self.accounts[wallet], f"{kind}:{new_id()}"
            assert books.credit(account, amount, key, kind) == "committed"
            self.wallet[account][0 if kind == "credit" else 2] += amount
            if kind == "credit":
                self._pay(account, NOON)
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
            credit = self.credit[account]
            hold = books.hold(account, amount)
            assert (hold is not None) == (state[0] + state[2] + max(credit[0] - credit[1] - credit[2], 0) >= amount)
            if hold is None:
                return multiple()
            self._draw(account, max(amount - state[0] - state[2], 0))
            promo = min(state[2], amount)
            state[0], state[1], state[2] = state[0] - (amount - promo), state[1] + amount, state[2] - promo
            self.holds[hold] = (account, amount, promo)
            return hold

        def _draw(self, account, minor):
            if minor:
                due = ((NOON + timedelta(days=31)).replace(hour=0), "draw")
                self.debts[account][due] = self.debts[account].get(due, 0) + minor
                self.credit[account][1] += minor
                self.wallet[account][0] += minor

        def _pay(self, account, until):
            """Pay what is due by then from what is available, the oldest first, and return how much."""
            before = self.wallet[account][0]
            for due in sorted(self.debts[account]):
                if due[0] <= until:
                    paid = min(self.debts[account][due], self.wallet[account][0])
                    self.debts[account][due] -= paid
                    self.wallet[account][0] -= paid
                    self.credit[account][1 if due[1] == "draw" else 2] -= paid
            return before - self.wallet[account][0]

        @rule(wallet=WALLETS, limit=AMOUNTS)
        def grant(self, wallet, limit):
            books.line(self.accounts[wallet], limit)
            self.credit[self.accounts[wallet]][0] = limit

        @rule(wallet=WALLETS, amount=AMOUNTS)
        def charge(self, wallet, amount):
            account, due = self.accounts[wallet], (NOON, "charge")
            assert books.charge(account, amount) == "committed"
            self.debts[account][due] = self.debts[account].get(due, 0) + amount
            self.credit[account][2] += amount
            self._pay(account, NOON)

        @rule(wallet=WALLETS, days=st.integers(0, 40))
        def pay(self, wallet, days):
            account, until = self.accounts[wallet], NOON + timedelta(days=days)
            assert books.pay(account, until) == self._pay(account, until)

        @rule(days=st.integers(0, 40))
        def collect(self, days):
            until = NOON + timedelta(days=days)
            books.collect(until)  # counts the wallets of earlier runs too
            for account in self.accounts:
                self._pay(account, until)

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
                self.lots.append((NOON + timedelta(days=days), self.earners[earner], reserve, hold))
            return request

        @rule(request=ended_holds)
        def resolve_again(self, request):
            assert books.resolve(*request) == "repeated"

        @rule(request=ended_holds)
        def resolve_otherwise(self, request):
            hold, capture, *_ = request
            amount = self.holds[hold][1]
            assert books.resolve(hold, 0 if capture else amount) == "conflict"

        @rule(request=ended_holds, part=st.integers(1, 4), share_bp=st.integers(0, 10_000))
        def refund(self, request, part, share_bp):
            hold, capture, earner, share, *_ = request
            account, amount, promo = self.holds[hold]
            back, taken = self.back.get(hold, (0, 0))
            asked = (capture - back) * part // 4
            bears = (share - taken) * share_bp // 10_000
            may = asked > 0 and capture - back - asked >= share - taken - bears
            assert books.refund(hold, asked, bears) == ("committed" if may else "excess")
            if not may:
                return
            self.back[hold] = (back + asked, taken + bears)
            before, after = (promo * (amount - capture + gone) // amount for gone in (back, back + asked))
            self.wallet[account][0] += asked - (after - before)
            self.wallet[account][2] += after - before
            self._take(earner, hold, bears)

        def _take(self, earner, hold, minor):
            """Take money from an earner: the hold's lot, which ends by it, what is payable, and debt."""
            [lot] = [lot for lot in self.lots if lot[3] == hold] or [None]
            if lot and minor:
                self.lots.remove(lot)
                taken = min(lot[2], minor)
                self.earned[earner][1] -= lot[2]
                self.earned[earner][0] += lot[2] - taken
                minor -= taken
            paid = min(self.earned[earner][0], minor)
            self.earned[earner][0] -= paid
            self.owed[earner] += minor - paid

        @rule()
        def net(self):
            books.net()  # counts the earners of earlier runs too
            for earner, state in self.earned.items():
                netted = min(state[0], self.owed[earner])
                state[0] -= netted
                self.owed[earner] -= netted

        @rule(days=st.integers(0, 3))
        def mature(self, days):
            as_of = NOON + timedelta(days=days)
            books.mature(as_of)  # counts the lots of earlier runs too
            for _, earner, amount, _ in [lot for lot in self.lots if lot[0] <= as_of]:
                self.earned[earner][0] += amount
                self.earned[earner][1] -= amount
            self.lots = [lot for lot in self.lots if lot[0] > as_of]

        def teardown(self):
            if hasattr(self, "wallet"):
                for account, state in self.wallet.items():
                    assert books.wallet(account) == tuple(state)
                    assert books.debts(account) == tuple(self.credit[account][1:])
                for earner, state in self.earned.items():
                    assert books.earner(earner) == tuple(state)
                    assert books.owed(earner) == self.owed[earner]
            assert [check for check in books.audit().checks if not check.ok] == []

    return Ledger


def test_the_ledger_agrees_with_its_model(books):
    run_state_machine_as_test(
        machine_for(books),
        settings=settings(
            max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
