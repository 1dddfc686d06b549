"""How a market's publishers are paid: where each said, by file or transfer, and what befalls what was sent."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from affiliates import draft_due_payouts
from billing import (
    Payee,
    RailWish,
    find_rail,
    payouts_in,
    say_bank_account,
    say_rail,
    take_payout_back,
)
from billing.fake_stripe import FakeStripe
from billing.payouts.ordering import order_covered
from core.db import transaction
from core.errors import Conflict
from core.ids import parse_id
from marketplace.jobs import run_due, settle_due
from marketplace.payout_acts import agree, give_up, hand_on, make_file, take_results
from tests.billing.funding.conftest import Till
from tests.billing.payouts.conftest import House
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.payouts import IBAN, OTHER_IBAN, results

ANNA, BORIS, CARLA = "user:anna", "user:boris", "user:carla"
OURS = Payee("EUR", "Leadbourse GmbH", OTHER_IBAN, "AGRIFRPP")
CLOSES = datetime(2027, 1, 20, tzinfo=UTC)  # when the processor refuses its publisher
FILES = (("sepa", "EUR"), ("wise", "EUR"), ("wise", "USD"))


# What befalls one file after the other; what was said to be paid comes back with `came_back`.
BEFALLS = ("paid", "given_up", "paid", "came_back", "failed", "later", "paid")


@dataclass
class Paying:
    """The side of a market that pays; the second publisher is paid by transfer, the last two abroad, the rest by bank."""

    market: Market
    clock: SetClock
    stripe: FakeStripe | None
    publishers: list[Member]
    befalls: Sequence[str] = BEFALLS
    files: int = 0
    open_files: list[tuple[UUID, str]] = field(default_factory=list)
    paid_files: list[tuple[UUID, str]] = field(default_factory=list)
    befell: set[str] = field(default_factory=set)

    def open(self) -> None:
        """Have each say where he is paid."""
        with transaction():
            say_bank_account(OURS, ANNA, self.clock.now())
        for number in range(len(self.publishers)):
            if number == 1 and self.stripe is not None:
                till = Till(self.market.app, self.market, self.stripe, self.clock, self.publishers[1])
                self.account = House(till).onboard(self.publishers[1])
            else:
                self.move(number, IBAN)

    def move(self, which: int, iban: str) -> None:
        """Have a publisher be paid at another place."""
        wish = RailWish("sepa", "Ada Martin", "DE", iban)
        if which >= 3:
            wish = RailWish("wise", "Ada Martin", "VN", f"ada{which}.{iban[:2].lower()}@example.com")
        with transaction():
            say_rail(parse_id("acc", self.publishers[which].id), wish, ANNA, self.clock.now())

    def bank_day(self) -> None:
        """Finish the files of the time before, agree to what waits, write new files, and let befall them what is next."""
        at = self.clock.now()
        for file, kind in self.open_files:
            self._deliver(file, kind, "paid", at)
        self.open_files = []
        self._agree(at)
        for kind, currency in FILES:
            with suppress(Conflict):
                with transaction():
                    file = make_file(kind, currency, ANNA, at).id
                self._befall(self.befalls[self.files % len(self.befalls)], file, kind, at)
                self.files += 1

    def _befall(self, what: str, file: UUID, kind: str, at: datetime) -> None:
        self.befell.add(what)
        if what == "given_up":
            with transaction():
                give_up(file, ANNA, at)
        elif what == "later":
            self.open_files.append((file, kind))
        else:
            self._deliver(file, kind, "failed" if what == "failed" else "paid", at)
        if what == "came_back":
            self._deliver(file, kind, "failed", at)

    def _deliver(self, file: UUID, kind: str, status: str, at: datetime) -> None:
        """Have the bank say what became of a file; whoever it blocked says another place."""
        with transaction():
            hand_on(file, ANNA, at)
            take_results(results(file, status, f"told on {at:%d %b}"), kind, "results.csv", ANNA, at)
        for number, member in enumerate(self.publishers):
            with transaction():
                rail = find_rail(parse_id("acc", member.id))
                was = rail.destination or "" if rail is not None and rail.state == "blocked" else None
            if was is not None:
                self.move(number, OTHER_IBAN if was == IBAN or ".de@" in was else IBAN)

    def _agree(self, at: datetime) -> None:
        with transaction():
            for payout in [one.payout.id for one in payouts_in(("drafted",))]:
                for person in (BORIS, CARLA):  # ANNA hands files on and reads what became of them
                    agree(payout, person, at)

    def transfer_day(self) -> None:
        """Take the first transfer back that arrived, and have a later one be refused."""
        at = self.clock.now()
        if self.stripe is not None and "taken_back" not in self.befell:
            self._take_back(at)
        elif self.stripe is not None and "refused" not in self.befell and at > CLOSES:
            self._refuse(at)

    def _take_back(self, at: datetime) -> None:
        with transaction():
            arrived = [one for one in payouts_in(("paid",)) if one.rail is not None and one.rail.kind == "connect"]
            if arrived:
                take_payout_back(arrived[-1].payout.id, "a mistake", ANNA, at)
                self.befell.add("taken_back")

    def _refuse(self, at: datetime) -> None:
        """Order a transfer to an account that is closed to transfers before it arrives; its owner goes to a bank then."""
        settle_due(at, {"payouts_drafted": draft_due_payouts})
        with transaction():
            ordered, _ = order_covered({"EUR": 10**9}, at)
        if ordered and self.stripe is not None:
            self.stripe.control("POST", f"accounts/{self.account}/rejected")
            run_due(at)
            self.befell.add("refused")
            self.move(1, IBAN)
