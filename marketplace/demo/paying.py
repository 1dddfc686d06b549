"""How publishers of the sample market are paid while its days are filled in: at which places, and by whose hands.

Some are paid by Stripe's stand-in, where one runs beside, some by the bank's file; a few have said nothing yet.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from affiliates import Wish, change_terms, present_terms
from billing import (
    Payer,
    RailWish,
    ShownPayout,
    Ways,
    counted_payouts,
    look_at_rail,
    onboarding_address,
    payouts_in,
    run_due_cards,
    start_top_up,
)
from core.db import transaction
from core.http import settings
from core.ids import parse_id
from core.money import Money
from core.overrides import overrides
from marketplace.demo.calls import fill_in_form
from marketplace.demo.state import Member
from marketplace.payout_acts import agree, choose_rail, hand_on, make_file, take_results

ACTOR = "system:demo"
CARD = "4242424242424242"  # the processor's own for tests
BY_CARD = "Mutuelle Senior"  # whose money the stand-in has
BACK = "http://127.0.0.1/"  # where its pages would send a browser, which nobody follows here


class Place(NamedTuple):
    """Where a publisher is paid, and the tier that he has from the beginning, so that his first month shows payouts."""

    tier: str
    rail: RailWish


# The IBANs are examples of the standard's, which no bank has given to anybody.
PLACES = {
    "Comparo": Place("trusted", RailWish("sepa", "Comparo SAS", "FR", "FR1420041010050500013M02606")),
    "CallBridge": Place("standard", RailWish("sepa", "CallBridge", "BE", "BE68539007547034")),
    "Studiekiezer": Place("trusted", RailWish("sepa", "Studiekiezer BV", "NL", "NL91ABNA0417164300")),
    "MailPost": Place("trusted", RailWish("connect", "MailPost", "FR")),
    "FairStand": Place("trusted", RailWish("connect", "FairStand", "FR")),
    "SearchLab": Place("new", RailWish("sepa", "SearchLab SL", "ES", "ES9121000418450200051332")),
    "Hoc247": Place("new", RailWish("wise", "Hoc247", "VN", "pay@hoc247.example.com")),
    "ZubTurizam": Place("new", RailWish("paypal", "ZubTurizam", "BA", "pay@zubturizam.example.com")),
}


def open_places(members: Mapping[str, Member], at: datetime) -> None:
    """Have publishers say where they are paid; who is paid by the processor says there who he is."""
    at_processor = []
    with transaction():
        for name, place in PLACES.items():
            account_id = parse_id("acc", members[name].account_id)
            if place.tier != "new":
                wish = Wish(place.tier, True, {}, "was with the exchange before", present_terms(account_id).version)
                change_terms(account_id, wish, overrides().exchange, ACTOR, at)
            if place.rail.kind != "connect" or settings().takes_cards:
                choose_rail(account_id, place.rail, ACTOR, at)
            if place.rail.kind == "connect" and settings().takes_cards:
                at_processor.append(account_id)
    for account_id in at_processor:
        fill_in_form(onboarding_address(account_id, BACK, BACK), {"onboarding": "complete"})
        look_at_rail(account_id, at)


def pay_by_card(account_id: UUID, money: Money, at: datetime) -> None:
    """Top a wallet up on the stand-in's page, as a buyer does with a card."""
    top_up = start_top_up(Payer(account_id, None, ACTOR), money, Ways(BACK, BACK), at)
    fill_in_form(top_up.checkout_url or "", {"card_number": CARD})
    run_due_cards(at)


def pay_publishers(person: str, at: datetime) -> None:
    """Do what an operator does about payouts: agree, send files, take in what the bank says of those before."""
    with transaction():
        waiting = {(one.state, one.kind) for one in counted_payouts()}
    if not waiting:
        return
    with transaction():
        _take_results(payouts_in(("sent",), 1000), person, at)
        for row in payouts_in(("drafted",), 1000):
            if row.payout.approved_by != person:
                agree(row.payout.id, person, at)
    with transaction():
        for kind in sorted({one.kind for one in counted_payouts() if one.state == "approved"} - {"connect"}):
            file = make_file(kind, "EUR", person, at)
            if file is not None:
                hand_on(file.id, person, at)
    if any(kind == "connect" for _, kind in waiting):
        run_due_cards(at)


def _take_results(rows: Iterable[ShownPayout], person: str, at: datetime) -> None:
    """Say that what went by file arrived."""
    lines: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.rail is not None and row.payout.file_id is not None:
            lines[row.rail.kind].append(f"{row.payout.id.hex},paid\n")
    for kind, paid in lines.items():
        take_results(("reference,status\n" + "".join(paid)).encode(), kind, f"{at:%Y-%m-%d}.csv", person, at)
