"""A small market that has a quarter: sales, claims, appeals, tiers, tax, money in and out, by the product's own verbs.

Each verb asks as people ask, over HTTP or by what a page calls, and takes a refusal as people do. Whoever lets the days
go by, by dice or by what Hypothesis draws, has the same history again for the same choices.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from affiliates import Wish as TermsWish
from affiliates import present_terms
from billing import VatWish, put_in_funds, say_details, say_vat_terms, vat_terms_of
from billing.fake_stripe import FakeStripe, running_fake
from core.config import Settings
from core.db import db, pool_of, transaction
from core.ids import parse_id
from core.money import Money
from core.overrides import Word, say
from core.postgres import create_database, drop_database
from marketplace.app import create_app
from marketplace.catalog.shelf import apply_vertical
from marketplace.catalog.verticals import Vertical, read_shipped
from marketplace.cli.accounts import credit_by_hand
from marketplace.credit.granting import Line, grant_line
from marketplace.jobs import run_due
from marketplace.resolved import REACHES
from marketplace.terms.granting import set_terms
from tests.billing.funding.conftest import Till
from tests.conftest import SELLER, TEMPLATE, SetClock
from tests.factories import Market, Member
from tests.marketplace.documents.paying import Paying

BEGIN = datetime(2026, 12, 1, 9, tzinfo=UTC)
PRICES = ("13.37", "20.00", "7.77", "29.99", "129.99")  # of the buyers in euros; the last one buys alone
DOLLARS = "41.05"
REASONS = ("bot", "mistyped", "prank", "competitor")
# Small numbers instead of the shipped ones, so that a quarter has promotions and demotions.
TIERS = {
    "tier.new.until_days": 14, "tier.new.until_sales": 4, "tier.trusted.from_sales": 8, "tier.top.from_sales": 14,
    "tier.trusted.upheld_below_bp": 2500, "tier.top.upheld_below_bp": 2000, "tier.review.least_judged": 4,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sold:
    """One sale: who sent the lead, who bought it, and its id."""

    publisher: Member
    buyer: Member
    id: str


@dataclass
class Quarter:
    """The market and who is in it; every verb takes numbers, so that whatever draws numbers can play."""

    market: Market
    clock: SetClock
    stripe: FakeStripe | None = None
    publishers: list[Member] = field(default_factory=list)
    buyers: list[Member] = field(default_factory=list)
    sales: list[Sold] = field(default_factory=list)
    claims: list[tuple[Sold, str]] = field(default_factory=list)

    def run(self, seed: int = 7, selling: int = 36, until: int = 97) -> "Quarter":
        """Open, sell for some days, and go on until the quarter is closed, as dice say."""
        self.open()
        dice = random.Random(seed)
        for day in (*range(0, selling, 3), *range(selling, until, 6)):
            self.clock.instant = BEGIN + timedelta(days=day)
            if day < selling or day in (60, 66):
                self._trade(dice)
            for deed in _DEEDS.get(day, ()):
                deed(self)
            self.let_pass()
        return self

    def open(self) -> None:
        """Have a market open: verticals in two currencies, people, orders, and all the ways in which buyers pay."""
        self.clock.instant = BEGIN
        with transaction():
            short = read_shipped("education").as_mapping() | {"window_hours": 48, "version": 2}
            abroad = {"slug": "courses-us", "currency": "USD", "version": 1}
            abroad |= {"min_price": {"amount": "5.00", "currency": "USD"}}
            for definition in (short, short | abroad):
                apply_vertical(Vertical.load(definition), BEGIN)
            for key, value in TIERS.items():
                say(Word(key, "", value, 0, "a test"), REACHES, "cli", BEGIN)
            for currency in ("EUR", "USD"):
                put_in_funds(Money(500_000, currency), f"own:{currency}", "to begin with", "tester", BEGIN)
        self.operator, self.other_operator = self.market.make_operator(), self.market.make_operator()
        self.publishers = [self.market.make_publisher() for _ in range(5)]
        self.buyers = [self.market.make("buyer") for _ in range(6)]
        self.paying = Paying(self.market, self.clock, self.stripe, self.publishers)
        self.paying.open()
        for number, member in enumerate([*self.publishers, *self.buyers]):
            self.rename(number, f"Party {number}")
            if number in (0, 5, 8):
                tax(member, treatment="rate", country="FR")
        self._place_orders()
        self._bring_money()
        tax(self.publishers[1], treatment="reverse_charge", country="NL", vat_number="NL123")

    def _place_orders(self) -> None:
        for buyer, price in zip(self.buyers, PRICES[:-1], strict=False):
            self.market.make_order(buyer, price, exclusivity="shared", max_share=3, name=f"at {price}")
        self.market.make_order(self.buyers[4], PRICES[4], caps={"day": 1}, name="alone")
        paid = {"amount": DOLLARS, "currency": "USD"}
        self.buyers[5].post("/orders", {"name": "dollars", "vertical": "courses-us", "price": paid})

    def _bring_money(self) -> None:
        """Have the first pay by card where there is a till, the second by promotional credit, the third on credit."""
        self.top_up(0, "900.00")
        promo = {"amount": {"amount": "55.55", "currency": "EUR"}, "reason": "welcome", "key": "k"}
        self.operator.post(f"/buyers/{self.buyers[1].id}/promotional-credits", promo)
        with transaction():
            line = Line(Money.parse("300.00", "EUR"), 30, "agreed by phone", is_above=True)
            grant_line(id_of(self.buyers[2]), line, "operator:test", BEGIN)
        for number, amount, currency in ((1, "300.00", "EUR"), (3, "900.00", "EUR"), (4, "2500.00", "EUR"),
                                         (5, "900.00", "USD")):  # fmt: skip
            self.bring(number, amount, currency)

    def bring(self, which: int, amount: str, currency: str = "EUR") -> None:
        """Have a buyer's money come by bank, as an operator books it."""
        credit_by_hand(self.buyers[which].id, amount, currency, "by bank")

    def top_up(self, which: int, amount: str) -> None:
        """Have a buyer pay by card, or where none is taken by bank."""
        if self.stripe is None:
            self.bring(which, amount)
            return
        Till(self.market.app, self.market, self.stripe, self.clock, self.buyers[which]).paid(amount)

    def give_back(self, which: int, amount: str) -> None:
        """Have a buyer ask for unused money back, onto his card."""
        asked = {"amount": {"amount": amount, "currency": "EUR"}}
        self.buyers[which].request("POST", "/refunds", asked)

    def sell(self, which: int, *, dollars: bool = False) -> None:
        """Have a publisher post a lead."""
        publisher = self.publishers[which % len(self.publishers)]
        source = {"name": f"source {which}", "sub": {"1": f"campaign {which}"}}
        told = publisher.post(
            "/leads", self.market.lead(source=source, vertical="courses-us" if dollars else "education")
        )
        self.sales += [Sold(publisher, self.buyers[_buyer_at(sale["price"])], sale["id"]) for sale in told["sales"]]

    def claim(self, which: int, reason: str) -> None:
        """Have a buyer claim one of the latest sales."""
        if self.sales:
            sold = self.sales[-1 - which % min(len(self.sales), 8)]
            answer = sold.buyer.request("POST", f"/sales/{sold.id}/disputes", {"reason": reason})
            self.claims += [(sold, answer.json["id"])] if answer.status_code == 201 else []

    def claim_late(self, which: int) -> None:
        """Have the operator claim for a missing consent, whatever became of the sale since, and uphold it."""
        if self.sales:
            sold = self.sales[which % len(self.sales)]
            said = {"sale": sold.id, "reason": "no_consent"}
            answer = self.operator.request("POST", "/disputes/claims", said)
            if answer.status_code == 201:
                self.claims.append((sold, answer.json["id"]))
                self.decide(0, "uphold")

    def decide(self, which: int, decision: str) -> None:
        """Have the operator decide one of the latest claims; in part gives a third of the price back."""
        if self.claims:
            _, claim = self.claims[-1 - which % len(self.claims)]
            said: dict[str, Any] = {"decision": decision, "note": "seen"}
            said |= {"share_bp": 3_333} if decision == "partial" else {}
            self.operator.request("POST", f"/disputes/{claim}/resolve", said)

    def appeal(self, which: int, decision: str) -> None:
        """Have whoever lost one of the latest claims appeal, and the operator decide again."""
        if self.claims:
            sold, claim = self.claims[-1 - which % len(self.claims)]
            for loser in (sold.publisher, sold.buyer):
                loser.request("POST", f"/disputes/{claim}/appeal", {"note": "I have a recording"})
            self.decide(which, decision)

    def rename(self, which: int, name: str) -> None:
        """Have a party be named otherwise on documents from now on."""
        member = [*self.publishers, *self.buyers][which % 11]
        with transaction():
            say_details(id_of(member), name, f"Street {which}\nParis", "", "test", self.clock.now())

    def tax(self, which: int, **said: Any) -> None:
        """Have a party be taxed otherwise from today on."""
        tax([*self.publishers, *self.buyers][which % 11], at=self.clock.now(), **said)

    def set_tier(self, which: int, tier: str) -> None:
        """Have an operator move a publisher to a tier, until a review moves him again."""
        publisher = id_of(self.publishers[which % len(self.publishers)])
        with transaction():
            wish = TermsWish(tier, False, {}, "agreed by phone", present_terms(publisher).version)
            set_terms(publisher, wish, "operator:test", self.clock.now())

    def let_pass(self) -> None:
        """Have all be done that is due by now, and the bank do what it does."""
        self.paying.transfer_day()
        run_due(self.clock.now())
        self.paying.bank_day()

    def _trade(self, dice: random.Random) -> None:
        for _ in range(dice.randint(4, 7)):
            self.sell(dice.choice((0, 1, 1, 2, 2, 3, 3, 3, 4)), dollars=dice.random() < 0.2)
        for _ in range(dice.randint(0, 3)):
            self.claim(dice.randrange(8), dice.choice(REASONS))
            self.decide(0, dice.choice(("uphold", "uphold", "reject", "partial")))
            if dice.random() < 0.4:
                self.appeal(0, dice.choice(("uphold", "reject")))
        if dice.random() < 0.3:
            self.claim(dice.randrange(8), "bot")  # which nobody decides


def _buyer_at(price: dict[str, str]) -> int:
    return PRICES.index(price["amount"]) if price["currency"] == "EUR" else 5


def _returns(quarter: Quarter) -> None:
    """Take sales back that were paid for long ago, most of them of the fourth publisher, who falls."""
    for number, sold in enumerate(quarter.sales[:50]):
        if number % 9 == 1 or (sold.publisher is quarter.publishers[3] and number % 2):
            quarter.claim_late(number)


def _returns_again(quarter: Quarter) -> None:
    """Take back nearly all of one who has been paid, so that he owes at the end."""
    for number, sold in enumerate(quarter.sales):
        if sold.publisher is quarter.publishers[2] and number % 3:
            quarter.claim_late(number)


_DEEDS: dict[int, tuple[Callable[[Quarter], None], ...]] = {
    12: (lambda one: one.give_back(0, "25.00"),),
    18: (lambda one: one.rename(0, "Ada Martin SARL"), lambda one: one.tax(9, treatment="rate", country="NL")),
    30: (lambda one: one.top_up(0, "300.00"), lambda one: one.bring(2, "150.00")),
    27: (lambda one: one.tax(8, treatment="rate", country="HU"),),
    48: (lambda one: one.tax(0, treatment="rate", country="DE"),),
    54: (_returns,), 84: (_returns_again,),
}  # fmt: skip


def id_of(member: Member) -> UUID:
    """Return an account's id as the database has it."""
    return parse_id("acc", member.id)


def tax(member: Member, seen: int | None = None, at: datetime = BEGIN, **said: Any) -> None:
    """Have an account be taxed otherwise from a day on, whatever version somebody saw before."""
    with transaction():
        stands = len(vat_terms_of(id_of(member)))
        wish = VatWish(reason="said on the phone", **said)
        say_vat_terms(id_of(member), wish, stands if seen is None else seen, "user:x", at)


@contextmanager
def empty_quarter(postgres: str, name: str, folder: Path, *, with_cards: bool = True) -> Iterator[Quarter]:
    """Have a market on a database of its own, in which nothing has happened yet."""
    url, clock = create_database(postgres, name, TEMPLATE), SetClock()
    with running_fake(folder / "fake-stripe") as stripe:
        paid = {"stripe_secret_key": stripe.keys.secret_key, "stripe_webhook_secret": stripe.keys.webhook_secret,
                "stripe_api_base": stripe.url, "test_money": True}  # fmt: skip
        settings = Settings(
            data_folder=folder, database_url=url, pool_size=20, seller=SELLER, **(paid if with_cards else {})
        )
        app = create_app(settings, url, clock)
        with app.app_context():
            yield Quarter(Market(app, clock), clock, stripe if with_cards else None)
            db.session.rollback()
            db.session.remove()
            db.engine.dispose()
        pool_of(app).close()
    drop_database(postgres, name)
