"""A seeded quarter of a small market: sales, claims early and late, credits, fees, a tier change, payouts; twice the same."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from affiliates import Wish, change_terms, present_terms
from billing import Document, VatWish, lines_of_document, say_details, say_vat_terms
from core.db import db, transaction
from core.defaults import NOTHING
from core.ids import parse_id
from marketplace.catalog.shelf import apply_vertical
from marketplace.catalog.verticals import Vertical, read_shipped
from marketplace.jobs import run_due
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.payouts import pay_out

BEGIN = datetime(2026, 12, 1, 9, tzinfo=UTC)
PRICES = ("13.37", "20.00", "7.77", "129.99")
REASONS = ("bot", "mistyped", "prank", "competitor")


@dataclass
class Quarter:
    """The market and who is in it; `run` lets the days go by."""

    market: Market
    clock: SetClock
    seed: int = 7
    publishers: list[Member] = field(default_factory=list)
    buyers: list[Member] = field(default_factory=list)
    sales: list[tuple[int, str]] = field(default_factory=list)  # which buyer, which sale

    def run(self, selling: int = 34, until: int = 112, step: int = 2) -> "Quarter":
        """Open the market, sell for some days, and go on until all of it was released and most of it matured."""
        self.dice = random.Random(self.seed)
        self._open()
        for day in range(0, until, step):
            self.clock.instant = BEGIN + timedelta(days=day)
            if day < selling:
                self._sell()
                self._claim()
            if day == 16:
                self._promote()
            if day == selling + 24:
                self._claim_late()
            run_due(self.clock.now())
            if day % 40 == 38:
                self._pay_out()
        return self

    def _open(self) -> None:
        self.clock.instant = BEGIN
        with transaction():
            short = read_shipped("education").as_mapping() | {"window_hours": 48, "version": 2}
            apply_vertical(Vertical.load(short), BEGIN)
        self.publishers = [self.market.make_publisher() for _ in range(3)]
        self.buyers = [self.market.make_buyer("3000.00") for _ in range(4)]
        self.operator = self.market.make_operator()
        for buyer, price in zip(self.buyers, PRICES, strict=True):
            self.market.make_order(buyer, price, exclusivity="shared", max_share=4, name=f"at {price}")
        promo = {"amount": {"amount": "55.55", "currency": "EUR"}, "reason": "welcome", "key": "k"}
        self.operator.post(f"/buyers/{self.buyers[1].id}/promotional-credits", promo)
        with transaction():
            for number, member in enumerate([*self.publishers, *self.buyers]):
                say_details(id_of(member), f"Party {number}", f"Street {number}\nParis", "", "test", BEGIN)
            taxed = VatWish(treatment="rate", country="FR", reason="established in France")
            reversed_ = VatWish(treatment="reverse_charge", country="NL", vat_number="NL123", reason="checked")
            for member, wish in ((self.buyers[0], taxed), (self.publishers[0], taxed), (self.publishers[1], reversed_)):
                say_vat_terms(id_of(member), wish, 0, "test", BEGIN)

    def _sell(self) -> None:
        for number in range(self.dice.randint(1, 3)):
            publisher = self.dice.choice(self.publishers)
            source = {"name": f"source {number}", "sub": {"1": f"campaign {number}"}}
            told = publisher.post("/leads", self.market.lead(source=source))
            self.sales += [(self._buyer_of(sale), sale["id"]) for sale in told["sales"]]

    def _buyer_of(self, sale: dict[str, Any]) -> int:
        return PRICES.index(sale["price"]["amount"])

    def _claim(self) -> None:
        """Let the buyers claim some of their latest sales, and decide each claim at once."""
        for buyer, sale in self.sales[-6:]:
            if self.dice.random() > 0.35:
                continue
            answer = self.buyers[buyer].request(
                "POST", f"/sales/{sale}/disputes", {"reason": self.dice.choice(REASONS)}
            )
            if answer.status_code == 201 and answer.json["state"] == "open":
                decision = self.dice.choice(("uphold", "uphold", "reject"))
                self.operator.post(f"/disputes/{answer.json['id']}/resolve", {"decision": decision, "note": "seen"})

    def _claim_late(self) -> None:
        """Take back some sales that were settled."""
        for _, sale in self.sales[1:-1:5]:
            answer = self.operator.request("POST", "/disputes/claims", {"sale": sale, "reason": "no_consent"})
            if answer.status_code == 201:
                resolved = f"/disputes/{answer.json['id']}/resolve"
                self.operator.request("POST", resolved, {"decision": "uphold", "note": "a regulator wrote"})

    def _promote(self) -> None:
        """Move the last publisher to another tier, for what is sold from now on."""
        publisher = id_of(self.publishers[2])
        with transaction():
            wish = Wish("trusted", is_pinned=True, own={}, reason="for a test", seen=present_terms(publisher).version)
            change_terms(publisher, wish, NOTHING, "user:x", self.clock.now())

    def _pay_out(self) -> None:
        """Pay out what is payable, as its entries are: ordered and confirmed at once."""
        with transaction():
            for member in self.publishers:
                pay_out(id_of(member), self.clock.now())


def id_of(member: Member) -> UUID:
    """Return an account's id as the database has it."""
    return parse_id("acc", member.id)


def all_documents() -> list[Document]:
    """Read every invoice and statement, in the order of their numbers."""
    query = text("SELECT id FROM billing.documents WHERE period IS NOT NULL ORDER BY kind, number")
    return [db.session.get_one(Document, one) for one in db.session.scalars(query)]


def lines_by_sale(side: str) -> dict[UUID, int]:
    """Sum the amounts of a side's lines by the sale that they are about; compensations and fees are about none."""
    sums: dict[UUID, int] = {}
    for document in all_documents():
        for line in lines_of_document(document.id) if document.kind == side else ():
            if line.hold_id:
                sums[line.hold_id] = sums.get(line.hold_id, 0) + line.amount_minor
    return sums


def tax(member: Member, seen: int = 0, **said: Any) -> None:
    """Have an account's documents taxed from now on."""
    with transaction():
        say_vat_terms(id_of(member), VatWish(reason="said on the phone", **said), seen, "user:x", BEGIN)
