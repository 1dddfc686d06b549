"""Debts of earners that are given up: when they are old, by two people, booked once, and what is owed since when."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from billing import WriteOff, ask_write_off, decide_write_off, owed_by, owed_by_earners, write_offs_of
from core.db import transaction
from core.errors import Conflict, Invalid, NotAllowed
from core.ids import new_id
from marketplace.audit import audit_all
from tests.billing.funding.conftest import at_once
from tests.billing.payouts.conftest import ANNA, BORIS, House, account_of, sql
from tests.billing.payouts.test_attacks import make, results
from tests.factories import Member


@pytest.fixture
def debtor(house: House) -> Member:
    """An earner who owes 30.00: what he sold came back, and nothing of it was left."""
    earner = house.till.market.make_publisher()
    owe(house, earner, 3_000)
    return earner


def owe(house: House, earner: Member, cents: int) -> None:
    """Have something that is paid already come back; the payout is taken out of what is payable by its posting alone."""
    buyer = house.till.market.make_buyer("1000.00")
    values = {
        "hold": new_id(),
        "buyer": account_of(buyer),
        "earner": account_of(earner),
        "cents": cents,
        "at": house.now,
    }
    sql("SELECT billing.place_hold(:hold, :buyer, 'EUR', :cents, 'click', 'k' || :hold, 'tester', :at)", **values)
    request = "ARRAY[ROW(:hold, :cents, :earner, :cents, 0, NULL, NULL)::billing.hold_request]"
    sql(f"SELECT state FROM billing.resolve_holds({request}, 'tester', :at)", **values)
    house.sepa(earner)
    payout = house.draft(earner, cents)
    pay_by_file(house)
    assert house.state(payout) == "paid"
    sql("SELECT billing.refund_capture(:hold, :cents, :cents, 'r' || :hold, 'why', 'tester', :at)", **values)


def pay_by_file(house: House) -> None:
    make(house)
    rows = sql("SELECT id FROM billing.payouts WHERE state = 'ordered'")
    results(house, "reference,status\n" + "".join(f"{row[0].hex},paid\n" for row in rows))


def ask(house: House, debtor: Member, who: str = ANNA) -> WriteOff:
    with transaction() as session:
        row = ask_write_off(account_of(debtor), "EUR", "he is gone", who, house.now)
        session.expunge(row)
        return row


def decide(house: House, wish: WriteOff, who: str, *, agrees: bool = True) -> str:
    with transaction():
        return decide_write_off(wish.id, agrees=agrees, actor=who, at=house.now).state


def test_a_debt_is_a_receivable_after_ninety_days_and_not_before(house: House, debtor: Member) -> None:
    house.till.clock.advance(days=89)
    with pytest.raises(Conflict) as refused:
        ask(house, debtor)
    assert refused.value.code == "not_receivable"
    house.till.clock.advance(days=1)

    with transaction():
        [one] = owed_by_earners(house.now)
    assert (one.money.minor, one.is_receivable, house.now - one.since) == (3_000, True, timedelta(days=90))
    assert ask(house, debtor).amount_minor == 3_000


def test_two_people_write_a_debt_off_once(house: House, debtor: Member) -> None:
    house.till.clock.advance(days=90)
    wish = ask(house, debtor)
    assert ask(house, debtor, BORIS).id == wish.id
    with pytest.raises(NotAllowed, match="another"):
        decide(house, wish, ANNA)
    with pytest.raises(NotAllowed, match="Sign in"):
        decide(house, wish, "key:robot")

    assert decide(house, wish, BORIS) == "booked" and decide(house, wish, BORIS) == "booked"

    assert (house.till.account(5200), house.till.account(1100)) == (3_000, 0)
    with transaction():
        assert owed_by(account_of(debtor), "EUR", house.now) is None
        assert [one.state for one in write_offs_of(account_of(debtor), "EUR")] == ["booked"]
    with pytest.raises(Conflict, match="booked already"):
        decide(house, wish, BORIS, agrees=False)


def test_two_who_agree_at_once_book_once(house: House, debtor: Member) -> None:
    house.till.clock.advance(days=90)
    wish = ask(house, debtor)

    assert at_once(house.till, lambda: decide(house, wish, BORIS), lambda: decide(house, wish, "user:clara")) == []

    assert house.till.account(5200) == 3_000


def test_what_was_netted_meanwhile_is_not_written_off(house: House, debtor: Member) -> None:
    house.till.clock.advance(days=90)
    wish = ask(house, debtor)
    house.earn(debtor, 500)
    sql("SELECT billing.net_owed(100, 'tester', :at)", at=house.now)

    with pytest.raises(Conflict) as refused:
        decide(house, wish, BORIS)

    assert refused.value.code == "owes_less" and house.till.account(5200) == 0
    assert decide(house, wish, ANNA, agrees=False) == "refused"
    assert ask(house, debtor).amount_minor == 2_500


def test_a_program_asks_for_nothing_and_nobody_without_a_reason(house: House, debtor: Member) -> None:
    house.till.clock.advance(days=90)
    with pytest.raises(NotAllowed, match="Sign in"):
        ask(house, debtor, "key:robot")
    with pytest.raises(Invalid), transaction():
        ask_write_off(account_of(debtor), "EUR", " ", ANNA, house.now)


def test_a_debt_that_was_netted_and_came_again_is_as_old_as_it_is_now(house: House, debtor: Member) -> None:
    house.till.clock.advance(days=60)
    house.earn(debtor, 3_000)
    sql("SELECT billing.net_owed(100, 'tester', :at)", at=house.now)
    house.till.clock.advance(days=10)
    sql("UPDATE billing.payout_rails SET state = 'ready'")
    owe(house, debtor, 700)
    house.till.clock.advance(days=5)

    with transaction():
        owes = owed_by(account_of(debtor), "EUR", house.now)
    assert owes is not None and (owes.money.minor, house.now - owes.since) == (700, timedelta(days=5))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("state = 'booked', decided_by = asked_by, decided_at = now()", "write_offs_check"),
        ("state = 'booked', decided_by = 'system:x', decided_at = now()", "write_offs_check"),
        ("amount_minor = 1", "decided once"),
    ],
)
def test_the_database_asks_for_two_people_and_keeps_the_wish(
    house: House, debtor: Member, change: str, why: str
) -> None:
    house.till.clock.advance(days=90)
    ask(house, debtor)
    with pytest.raises((IntegrityError, DBAPIError), match=why):
        sql(f"UPDATE billing.write_offs SET {change}")


def test_the_audit_says_when_a_debt_was_written_off_otherwise(house: House, debtor: Member) -> None:
    house.till.clock.advance(days=90)
    decide(house, ask(house, debtor), BORIS)
    with pytest.raises(_Undone), transaction() as session:
        assert audit_all(session).ok
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("UPDATE billing.write_offs SET amount_minor = 2_999"))
        assert "I12" in {check.invariant for check in audit_all(session).checks if not check.ok}
        raise _Undone


class _Undone(Exception):
    """Takes the tampering back."""
