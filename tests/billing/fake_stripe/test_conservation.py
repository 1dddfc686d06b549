"""Nothing is lost: after any history the balance is the sum of the balance transactions, and what it should be."""

import tempfile
from pathlib import Path
from typing import Any

import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.fake_stripe import FakeStripe, running_fake
from billing.fake_stripe.balance import charge_fee
from billing.fake_stripe.disputes import FEE
from tests.billing.fake_stripe.conftest import post

ACTS = ("pay", "pay", "decline", "pend", "refund", "refund_fails", "dispute", "win", "lose", "send", "reverse", "payout",
        "payout_fails", "wait", "repeat")  # fmt: skip


class History:
    """Acts on a fake, and keeps by itself what the platform and the connected account should have."""

    def __init__(self, fake: FakeStripe) -> None:
        self.fake = fake
        self.v1: Any = stripe.StripeClient(
            fake.keys.secret_key, base_addresses={"api": fake.url}, max_network_retries=0
        ).v1
        self.customer = self.v1.customers.create().id
        self.account = self.v1.accounts.create(
            {"type": "express", "capabilities": {"transfers": {"requested": True}}}
        ).id
        link = self.v1.account_links.create({"account": self.account, "type": "account_onboarding", "return_url": "https://x.example", "refresh_url": "https://x.example"})  # fmt: skip
        post(link.url, onboarding="complete")
        self.ours = self.theirs = 0
        self.returning = 0  # what comes back by itself once enough time has passed
        self.charges: list[str] = []
        self.disputes: list[tuple[str, int]] = []
        self.transfers: list[str] = []
        self.repeated: set[tuple[int, str]] = set()

    def act(self, kind: str, amount: int) -> None:
        try:
            getattr(self, kind)(amount)
        except (stripe.InvalidRequestError, stripe.CardError, ValueError):
            self.fake.clear_faults()  # refused: nothing may have changed

    def pay(self, amount: int, method: str = "pm_card_visa") -> None:
        intent = self.v1.payment_intents.create({
            "amount": amount, "currency": "eur", "customer": self.customer, "payment_method": method, "confirm": True,
            "off_session": True,
        })  # fmt: skip
        self.ours += amount - charge_fee(amount)
        self.charges.append(intent.latest_charge)

    def decline(self, amount: int) -> None:
        self.pay(amount, "pm_card_visa_chargeDeclined")

    def pend(self, amount: int) -> None:
        self.fake.fault("funds_pending", seconds=50)
        self.pay(amount)

    def refund(self, amount: int) -> None:
        charge = self.charges[amount % len(self.charges)] if self.charges else "ch_none"
        self.v1.refunds.create({"charge": charge, "amount": amount})
        self.ours -= amount

    def refund_fails(self, amount: int) -> None:
        self.fake.fault("refund_fails", seconds=100)
        self.refund(amount)
        self.returning += amount

    def dispute(self, amount: int) -> None:
        charge = self.charges[amount % len(self.charges)] if self.charges else "ch_none"
        self.disputes.append((self.fake.open_dispute(charge, amount=amount)["id"], amount))
        self.ours -= amount + FEE

    def win(self, _: int) -> None:
        if self.disputes:
            dispute, amount = self.disputes.pop()
            self.fake.win_dispute(dispute)
            self.ours += amount

    def lose(self, _: int) -> None:
        if self.disputes:
            self.fake.lose_dispute(self.disputes.pop()[0])

    def send(self, amount: int) -> None:
        params = {"amount": amount, "currency": "eur", "destination": self.account}
        self.transfers.append(self.v1.transfers.create(params).id)
        self.ours -= amount
        self.theirs += amount

    def reverse(self, amount: int) -> None:
        transfer = self.transfers[amount % len(self.transfers)] if self.transfers else "tr_none"
        self.v1.transfers.reversals.create(transfer, {"amount": amount})
        self.ours += amount
        self.theirs -= amount

    def payout(self, amount: int) -> None:
        self.v1.payouts.create({"amount": amount, "currency": "eur"})
        self.ours -= amount

    def payout_fails(self, amount: int) -> None:
        self.fake.fault("payout_fails", seconds=100)
        self.payout(amount)
        self.returning += amount

    def wait(self, _: int) -> None:
        self.fake.advance(200)
        self.ours += self.returning
        self.returning = 0

    def repeat(self, amount: int) -> None:
        if self.charges:
            params = {"charge": self.charges[0], "amount": amount}
            for _ in range(3):
                self.v1.refunds.create(params, {"idempotency_key": f"repeat-{amount}-{self.charges[0]}"})
            if (amount, self.charges[0]) not in self.repeated:
                self.ours -= amount
                self.repeated.add((amount, self.charges[0]))

    def check(self) -> None:
        for account, should in ((None, self.ours), (self.account, self.theirs)):
            options: Any = {"stripe_account": account} if account else {}
            balance = self.v1.balance.retrieve(None, options)
            held = sum(one.amount for one in [*balance.available, *balance.pending])
            entries = self.v1.balance_transactions.list({"limit": 7}, options).auto_paging_iter()
            assert sum(one.net for one in entries) == held == should
        assert all(one.net == one.amount - one.fee for one in self.v1.balance_transactions.list({"limit": 100}).data)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(50, 3_000)), min_size=1, max_size=25))
def test_after_any_history_the_balance_is_the_sum_of_its_transactions(acts) -> None:
    with tempfile.TemporaryDirectory() as folder, running_fake(Path(folder)) as fake:
        history = History(fake)
        for kind, amount in [("pay", 3_000), *acts]:
            history.act(kind, amount)
            if kind in ("wait", "repeat"):
                history.check()
        history.check()
