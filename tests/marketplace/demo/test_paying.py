"""The demonstration's publishers are paid: by the stand-in for Stripe, by the bank's file, by other payers' sheets."""

from billing import find_rail, say_bank_account
from core.db import transaction
from core.money import Money
from marketplace.demo.paying import PLACES, open_places, pay_by_card, pay_publishers
from marketplace.demo.settling import BANK
from marketplace.demo.state import Member as Played
from marketplace.jobs import run_due, settle_due
from tests.billing.payouts.conftest import House, account_of, app, sql, stripe, till
from tests.factories import Member
from tests.marketplace.payouts.conftest import house

__all__ = ["app", "house", "stripe", "till"]
PERSON = "user:00000000-0000-7000-8000-000000000001"


def opened(house: House) -> dict[str, Member]:
    with transaction():
        say_bank_account(BANK, "system:demo", house.now)
    members = {name: house.till.market.make_publisher() for name in PLACES}
    open_places({name: Played("publisher", one.id, "", one.key) for name, one in members.items()}, house.now)
    return members


def test_each_says_a_place_at_which_money_arrives(house: House) -> None:
    members = opened(house)

    with transaction():
        rails = {name: find_rail(account_of(one)) for name, one in members.items()}
        said = {name: (rail.kind, rail.state) for name, rail in rails.items() if rail}
    assert said == {name: (place.rail.kind, "ready") for name, place in PLACES.items()}


def test_a_month_of_theirs_ends_in_payouts_that_arrived(house: House) -> None:
    members = opened(house)
    buyer = house.till.market.make_buyer("0")
    pay_by_card(account_of(buyer), Money(500_000, "EUR"), house.now)
    for one in members.values():
        house.earn(one, 20_000)

    for _ in range(10):
        at = house.till.clock.advance(days=1)
        settle_due(at)
        pay_publishers(PERSON, at)
    run_due(house.now)

    states = sql(
        "SELECT r.kind, p.state, count(*) FROM billing.payouts p JOIN billing.payout_rails r ON r.id = p.rail_id"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert [tuple(row) for row in states] == [
        ("connect", "paid", 2),
        ("paypal", "paid", 1),
        ("sepa", "paid", 4),
        ("wise", "paid", 1),
    ]
    assert house.till.account(2120) == 0 and house.till.account(2900) == 0


def test_without_a_processor_beside_only_files_are_paid(house: House, monkeypatch) -> None:
    class NoCards:
        takes_cards = False

    monkeypatch.setattr("marketplace.demo.paying.settings", NoCards)
    members = opened(house)

    with transaction():
        assert find_rail(account_of(members["MailPost"])) is None
        assert find_rail(account_of(members["Comparo"])) is not None
