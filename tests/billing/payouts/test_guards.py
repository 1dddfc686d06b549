"""What guards payouts against losing or doubling money: each guard by itself, by what happens where it holds."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from billing import RailWish, open_payout_run, say_rail
from billing.payouts.ordering import order_covered
from billing.payouts.outcomes import record_transfer
from billing.stripe_connect import Transfer
from core.db import db, transaction
from core.failpoints import Failed
from core.money import Money
from marketplace.audit import audit_all
from marketplace.jobs import settle_due
from tests.billing.payouts.conftest import ANNA, House, account_of, sql


def test_what_is_ordered_and_not_sent_covers_nothing_else(house: House) -> None:
    first, second = house.earner(60_000), house.earner(60_000)
    house.onboard(first)
    house.onboard(second)
    one, other = house.draft(first, 60_000), house.draft(second, 60_000)

    with transaction():
        assert order_covered({"EUR": 100_000}, house.now) == (1, True)
    with transaction():
        assert order_covered({"EUR": 100_000}, house.now) == (0, False)

    assert (house.state(one), house.state(other)) == ("ordered", "approved")
    house.fund("1500.00")
    house.look()


def test_an_answer_that_comes_twice_changes_nothing(house: House) -> None:
    earner = house.earner()
    account = house.onboard(earner)
    payout = house.draft(earner, 10_000)
    house.fund()
    house.look()
    transfer = house.payout(payout).object_id
    assert transfer is not None
    again = Transfer(transfer, Money(10_000, "EUR"), account, str(payout))

    for given, why in ((again, None), (None, "http_400: no")):
        with transaction():
            record_transfer(payout, given, why, house.now)

    assert house.state(payout) == "paid" and house.cents(earner) == (0, 0, 10_000)


def test_no_two_rails_of_one_earner_count_at_once(house: House) -> None:
    earner = house.earner()
    house.sepa(earner)
    with pytest.raises(IntegrityError, match="payout_rails_present"):
        sql("INSERT INTO billing.payout_rails (id, account_id, kind, state, destination, holder, country, said_by, said_at)"
            " SELECT uuidv7(), account_id, kind, state, destination, holder, country, said_by, said_at FROM billing.payout_rails")  # fmt: skip
    with pytest.raises(IntegrityError, match="does not change"):
        sql("UPDATE billing.payout_rails SET destination = 'FR7630006000011234567890189'")


def test_no_two_drafts_of_one_earner_wait_at_once(house: House) -> None:
    earner = house.earner()
    house.sepa(earner)
    house.draft(earner, 6_000)
    with pytest.raises(IntegrityError, match="payouts_waiting"), transaction():
        run = open_payout_run("another", "EUR", house.now.date(), ANNA, house.now)
        db.session.execute(text(
            "INSERT INTO billing.payouts (id, run_id, account_id, attempt, currency, amount_minor, rail_id, state, drafted_at,"
            " moved_by, moved_at) SELECT uuidv7(), :run, account_id, 1, currency, amount_minor, rail_id, 'drafted', now(), 'x',"
            " now() FROM billing.payouts"), {"run": run.id})  # fmt: skip


@pytest.mark.parametrize("table", ["payouts", "payout_events", "payout_rails", "payout_files", "payout_runs", "payout_results", "payout_stages"])  # fmt: skip
def test_nothing_of_payouts_is_deleted(house: House, table: str) -> None:
    with pytest.raises(DBAPIError, match="is refused"):
        sql(f"TRUNCATE billing.{table} CASCADE")


@pytest.mark.parametrize(
    ("tampering", "invariant"),
    [
        ("UPDATE billing.payouts SET state = 'sent' WHERE state = 'paid'", "I6"),
        ("UPDATE billing.payouts SET back_minor = 1 WHERE state = 'paid'", "I6"),
        ("UPDATE billing.payouts SET amount_minor = amount_minor + 1", "I6"),
        ("UPDATE billing.transactions SET key = key || 'x' WHERE kind = 'payout'", "I10"),
        ("UPDATE billing.transactions SET kind = 'compensate' WHERE kind = 'transfer'", "I10"),
    ],
)
def test_the_audit_says_when_a_payout_is_not_what_it_booked(house: House, tampering: str, invariant: str) -> None:
    earner = house.earner()
    house.onboard(earner)
    house.draft(earner, 10_000)
    house.fund()
    house.look()
    with pytest.raises(_Undone), transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(tampering))
        wrong = {check.invariant for check in audit_all(session).checks if not check.ok}
        assert invariant in wrong
        raise _Undone


class _Undone(Exception):
    """Takes the tampering back."""


def test_a_run_that_errs_before_its_end_drafts_each_once_afterwards(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    earner = house.earner()
    with transaction():
        say_rail(account_of(earner), RailWish("sepa", "Ada", "DE", "DE89370400440532013000"), ANNA, house.now)
    house.till.clock.advance(days=9)  # a newcomer's day
    monkeypatch.setenv("FAILPOINT", "payouts.drafted:error")
    with pytest.raises(Failed):
        settle_due(house.now)
    assert house.till.count("payouts") == 0
    monkeypatch.delenv("FAILPOINT")

    settle_due(house.now)
    settle_due(house.now)

    assert house.till.count("payouts") == 1


def test_a_draft_without_a_place_is_a_row_and_no_order(house: House) -> None:
    earner = house.earner()
    payout = house.payout(house.draft(earner, 10_000))
    assert (payout.state, payout.reason, payout.rail_id) == ("skipped", "no_rail", None)
