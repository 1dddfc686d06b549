"""An exchange that pays: earners with something payable, accounts at the fake of Stripe, and the till of card money."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import build_opener
from uuid import UUID

import pytest
from flask import Flask

from billing import (
    EarnerBalance,
    Payout,
    PayoutDraft,
    RailWish,
    compensate,
    draft_payout,
    earnings_of,
    find_rail,
    onboarding_address,
    open_payout_run,
    put_in_funds,
    say_rail,
)
from billing.funding.due import run_cards
from billing.payouts.moving import get_locked
from billing.stripe_gateway import gateway
from core.db import transaction
from core.ids import new_id, parse_id
from core.money import Money
from tests.billing.fake_stripe.conftest import post
from tests.billing.funding.conftest import Till, _Stay, app, make_due, sql, stripe, till
from tests.factories import Member

__all__ = ["app", "make_due", "post", "sql", "stripe", "till"]
ANNA, BORIS = "user:anna", "user:boris"
IBAN = "DE89370400440532013000"


@dataclass
class House:
    """The exchange, its till, and its earners."""

    till: Till

    @property
    def now(self) -> Any:
        return self.till.clock.now()

    def fund(self, amount: str = "1000.00") -> None:
        """Have money at Stripe: somebody tops up."""
        self.till.paid(amount)

    def earner(self, cents: int = 10_000) -> Member:
        """Make an earner to whom something is payable, out of the exchange's own pocket."""
        made = self.till.market.make_publisher()
        self.earn(made, cents)
        return made

    def earn(self, earner: Member, cents: int) -> None:
        with transaction():
            compensate(account_of(earner), Money(cents, "EUR"), str(new_id()), "for a test", "tester", self.now)

    def onboard(self, earner: Member, *, complete: bool = True) -> str:
        """Have an earner be paid by Stripe, and say there who he is; return his account there."""
        with transaction():
            say_rail(account_of(earner), RailWish("connect", "Ada Martin", "FR"), ANNA, self.now)
        address = onboarding_address(account_of(earner), "https://here.example/back", "https://here.example/again")
        if complete:
            self.visit(address, onboarding="complete")
        self.look()
        with transaction():
            rail = find_rail(account_of(earner))
            assert rail is not None and rail.destination is not None
            return rail.destination

    def visit(self, address: str, **fields: str) -> int:
        try:
            return int(build_opener(_Stay).open(address, urlencode(fields).encode(), timeout=30).status)
        except HTTPError as answered:
            return answered.code

    def sepa(self, earner: Member, iban: str = IBAN) -> None:
        with transaction():
            say_rail(account_of(earner), RailWish("sepa", "Ada Martin", "DE", iban), ANNA, self.now)

    def draft(
        self, earner: Member, cents: int, key: str = "", *, review: bool = False, reason: str | None = None
    ) -> UUID:
        """Draft a payout by a run of its own."""
        account_id = account_of(earner)
        with transaction():
            run = open_payout_run(key or f"test:{new_id()}", "EUR", date(2026, 11, 22), "tester", self.now)
            rail = find_rail(account_id)
            why = reason or (None if rail else "no_rail")
            wanted = PayoutDraft(account_id, Money(cents, "EUR"), rail.id if rail else None, why, review)
            return draft_payout(run, wanted, "tester", self.now).id

    def look(self, *, again: bool = False) -> dict[str, int]:
        """Do what the worker does, what was sent and not answered being due again."""
        if again:
            make_due()
        sql("UPDATE billing.payout_rails SET checked_at = NULL")
        return run_cards(self.now, fetches=True)

    def balance(self, earner: Member) -> EarnerBalance:
        with transaction():
            return earnings_of(account_of(earner), "EUR")

    def cents(self, earner: Member) -> tuple[int, int, int]:
        """Return what is payable, on its way, and paid."""
        has = self.balance(earner)
        return has.payable.minor, has.in_flight.minor, has.paid.minor

    def state(self, payout_id: UUID) -> str:
        return self.payout(payout_id).state

    def payout(self, payout_id: UUID) -> Payout:
        with transaction() as session:
            found = get_locked(payout_id)
            session.expunge(found)
            return found

    def steps(self, payout_id: UUID) -> list[tuple[str, str | None]]:
        query = "SELECT to_state, reason FROM billing.payout_events WHERE payout_id = :id ORDER BY number"
        return [tuple(row) for row in sql(query, id=payout_id)]

    def theirs(self, account: str) -> int:
        """Return what an account at Stripe has."""
        return int(self.till.stripe.balances().get(account, {}).get("eur", {"available": 0})["available"])

    def transfers(self) -> list[Any]:
        return list(gateway()._client.transfers.list({"limit": 100}).data)

    def own_funds(self, cents: int) -> None:
        with transaction():
            put_in_funds(Money(cents, "EUR"), "own", "for a test", "tester", self.now)


def account_of(member: Member) -> UUID:
    return parse_id("acc", member.id)


@pytest.fixture
def house(till: Till, app: Flask) -> House:
    del app
    return House(till)


@pytest.fixture
def paid(house: House) -> tuple[Member, str]:
    """An earner of 100.00 with an account at Stripe, where there is enough."""
    house.fund()
    earner = house.earner()
    return earner, house.onboard(earner)


def told(event: str) -> list[dict[str, Any]]:
    """Return the news of an event that wait in the outbox."""
    rows = sql(
        "SELECT payload FROM core.outbox WHERE topic = 'notice' AND payload ->> 'event' = :event ORDER BY id",
        event=event,
    )
    return [row[0]["data"] for row in rows]
