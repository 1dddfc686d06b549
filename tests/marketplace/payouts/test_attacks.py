"""Publishers and operators who cheat payouts of a market, and what keeps them from it."""

import pytest
from sqlalchemy import event

from billing import RailWish, compensate, say_rail, take_payout_results
from core.db import db, transaction
from core.errors import NotAllowed
from core.identity import add_member
from core.ids import new_id
from core.money import Money
from marketplace.jobs import settle_due
from marketplace.payout_acts import agree, make_file
from tests.billing.payouts.conftest import ANNA, House, account_of, sql
from tests.core.test_sign_in import email_of
from tests.factories import Market
from tests.marketplace.payouts.test_payouts import items, pay_by_sepa, publisher, tier
from tests.visitor import Visitor

__all__ = ["publisher"]
ELSEWHERE = "FR7630006000011234567890189"


def test_two_publishers_of_one_account_at_a_bank_are_looked_at(house: House, publisher) -> None:
    other = house.earner(20_000)
    tier(other, "trusted")
    house.sepa(other)

    settle_due(house.now)

    for each in (publisher, other):
        assert (items(each)[0]["state"], items(each)[0]["reason"]) == ("drafted", "shared_place")


def test_the_same_address_at_another_payer_is_a_new_place(house: House) -> None:
    made = house.earner(20_000)
    tier(made, "trusted")
    with transaction():
        say_rail(account_of(made), RailWish("wise", "Ada", "VN", "ada@example.com"), ANNA, house.now)
    settle_due(house.now)
    with transaction():
        file = make_file("wise", "EUR", ANNA, house.now)
        assert file is not None
    (row,) = sql("SELECT id FROM billing.payouts WHERE state = 'ordered'")
    with transaction():
        take_payout_results(f"reference,status\n{row[0].hex},paid\n".encode(), "wise", "r", ANNA, house.now)
    house.earn(made, 20_000)
    with transaction():
        say_rail(account_of(made), RailWish("paypal", "Ada", "VN", "ada@example.com"), ANNA, house.now)

    settle_due(house.till.clock.advance(days=7))

    assert items(made)[0]["reason"] == "new_place"


def test_what_is_earned_in_another_currency_is_not_approved_for_a_transfer_in_euros(house: House, publisher) -> None:
    with transaction():
        compensate(account_of(publisher), Money(20_000, "USD"), str(new_id()), "for a test", "tester", house.now)

    settle_due(house.now)

    shown = {one["amount"]["currency"]: (one["state"], one["reason"]) for one in items(publisher)}
    assert shown["USD"] == ("skipped", "rail_other_currency") and shown["EUR"][0] == "approved"


def test_who_asks_before_what_he_owes_is_netted_gets_what_is_left(house: House, publisher) -> None:
    tier(publisher, "top")
    sql("UPDATE billing.earners SET owed = 5_000")

    made = publisher.post("/payouts", {})

    assert (made["amount"]["amount"], made["reason"]) == ("150.00", "owed_netted")
    sql("UPDATE billing.earners SET owed = 0")


def test_a_payout_by_file_that_somebody_says_failed_is_looked_at_when_it_is_paid_again(house: House, publisher) -> None:
    pay_by_sepa(house)
    house.earn(publisher, 20_000)
    settle_due(house.till.clock.advance(days=7))
    with transaction():
        assert make_file("sepa", "EUR", ANNA, house.now)
    (row,) = sql("SELECT id FROM billing.payouts WHERE state = 'ordered'")
    with transaction():
        take_payout_results(f"reference,status\n{row[0].hex},failed\n".encode(), "sepa", "r", ANNA, house.now)
    house.sepa(publisher)  # the same place, said again

    settle_due(house.till.clock.advance(days=7))

    assert (items(publisher)[0]["state"], items(publisher)[0]["reason"]) == ("drafted", "came_back")


def test_who_is_paused_after_his_draft_was_approved_is_not_paid_by_it(house: House, publisher) -> None:
    settle_due(house.now)
    assert items(publisher)[0]["state"] == "approved"
    boss = house.till.market.make_operator()

    assert boss.request("PATCH", f"/publishers/{publisher.id}", {"standing": "paused"}).status_code == 200

    assert (items(publisher)[0]["state"], items(publisher)[0]["reason"]) == ("withdrawn", "standing_paused")


def test_nobody_agrees_to_a_payout_of_his_own(house: House, market: Market) -> None:
    email, operator = email_of(market, "operator"), Visitor(market.app)
    operator.sign_in(email)
    newcomer = house.earner(150_000)
    house.sepa(newcomer)
    settle_due(house.now)
    [one] = items(newcomer)
    with transaction():
        add_member(account_of(newcomer), email)
    page = f"/operator/payouts/{one['id']}"

    operator.send(f"{page}/agree", page)

    assert items(newcomer)[0]["state"] == "drafted"
    (row,) = sql("SELECT id FROM core.users WHERE email = :email", email=email)
    (payout,) = sql("SELECT id FROM billing.payouts")
    with pytest.raises(NotAllowed, match="you belong to the account"), transaction():
        agree(payout[0], f"user:{row[0]}", house.now)


def test_a_run_asks_as_much_of_the_database_for_ten_publishers_as_for_one(house: House) -> None:
    def run(count: int) -> list[str]:
        for _ in range(count):
            made = house.earner(3_000)
            tier(made, "trusted")
            house.sepa(made, ELSEWHERE)
        seen: list[str] = []

        def note(_c, _k, statement, *_) -> None:
            if statement.startswith("SELECT") and ("billing.entries" in statement or "payout_rails" in statement):
                seen.append(statement)

        engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            settle_due(house.till.clock.advance(days=7))
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return seen

    assert len(run(1)) == len(run(9))
