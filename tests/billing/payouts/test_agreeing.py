"""Who agrees to payouts and who cannot, one draft a run, and the steps that the database permits."""

import pytest
from sqlalchemy.exc import IntegrityError

from billing import (
    PayoutDebtor,
    PayoutDraft,
    approve_payout,
    draft_payout,
    make_payout_file,
    open_payout_run,
    withdraw_payout,
)
from billing.payouts.models import PayoutStage
from billing.payouts.stages import MOVES
from core.db import db, transaction
from core.errors import Conflict, Invalid, NotAllowed
from core.money import Money
from tests.billing.funding.conftest import at_once
from tests.billing.payouts.conftest import ANNA, BORIS, House, account_of, sql


def test_above_the_limit_two_different_people_agree(house: House) -> None:
    earner = house.earner(500_001)
    house.sepa(earner)
    payout = house.draft(earner, 500_001)
    assert house.state(payout) == "drafted"

    with pytest.raises(NotAllowed, match="Sign in"), transaction():
        approve_payout(payout, "key:robot", house.now)
    with transaction():
        approve_payout(payout, ANNA, house.now)
    assert (house.state(payout), house.payout(payout).reason) == ("drafted", "second_needed")
    with pytest.raises(NotAllowed, match="another"), transaction():
        approve_payout(payout, ANNA, house.now)
    with transaction():
        approve_payout(payout, BORIS, house.now)
    assert house.state(payout) == "approved"


def test_the_limit_is_of_a_day_not_of_each_payout(house: House) -> None:
    earner = house.earner(600_000)
    house.sepa(earner)
    first = house.draft(earner, 300_000)
    sql("UPDATE billing.payouts SET state = 'withdrawn', reason = 'for a test' WHERE id = :id", id=first)
    assert house.state(house.draft(earner, 400_000)) == "approved"
    with transaction():
        order_all(house)
    assert house.state(house.draft(earner, 200_000)) == "drafted"
    house.till.clock.advance(days=2)
    (draft,) = sql("SELECT id FROM billing.payouts WHERE state = 'drafted'")
    with transaction():
        withdraw_payout(draft[0], "not now", ANNA, house.now)
    assert house.state(house.draft(earner, 200_000)) == "approved"


def order_all(house: House) -> None:
    debtor = PayoutDebtor("Exchange", "FR7630006000011234567890189", "AGRIFRPP")
    make_payout_file("sepa", "EUR", debtor, ANNA, house.now)


def test_the_database_refuses_one_person_for_two(house: House) -> None:
    earner = house.earner(500_001)
    house.sepa(earner)
    payout = house.draft(earner, 500_001)

    for second in (ANNA, None, "system:payouts"):
        with pytest.raises(IntegrityError, match="payouts_approved_check"):
            sql(
                "UPDATE billing.payouts SET state = 'approved', approved_by = :a, seconded_by = :b WHERE id = :id",
                a=ANNA,
                b=second,
                id=payout,
            )


def test_a_first_payout_needs_a_persons_eye(house: House) -> None:
    earner = house.earner()
    house.sepa(earner)
    payout = house.draft(earner, 10_000, review=True)

    with pytest.raises(IntegrityError, match="payouts_approved_check"):
        sql("UPDATE billing.payouts SET state = 'approved', approved_by = 'system:payouts' WHERE id = :id", id=payout)
    with transaction():
        approve_payout(payout, ANNA, house.now)
    assert house.state(payout) == "approved"


def test_agreeing_twice_at_once_is_agreeing_once(house: House) -> None:
    earner = house.earner(500_001)
    house.sepa(earner)
    payout = house.draft(earner, 500_001)

    def agree(who: str):
        def work() -> None:
            with transaction():
                approve_payout(payout, who, house.now)

        return work

    at_once(house.till, agree(ANNA), agree(BORIS))

    assert house.state(payout) == "approved"
    assert {house.payout(payout).approved_by, house.payout(payout).seconded_by} == {ANNA, BORIS}


def test_two_runs_at_once_draft_one(house: House, paid) -> None:
    earner, _ = paid

    def run() -> None:
        with transaction():
            found = open_payout_run("EUR:monthly:2026-12-01", "EUR", house.now.date(), "tester", house.now)
            rail = sql_rail(earner)
            draft_payout(found, PayoutDraft(account_of(earner), Money(10_000, "EUR"), rail), "tester", house.now)

    assert at_once(house.till, run, run) == []
    assert (house.till.count("payouts"), house.till.count("payout_runs")) == (1, 1)


def sql_rail(earner):
    query = "SELECT id FROM billing.payout_rails WHERE account_id = :id AND ended_at IS NULL"
    return db.session.execute(db.text(query), {"id": account_of(earner)}).scalar_one()


def test_a_draft_is_withdrawn_only_with_a_reason_and_before_it_is_ordered(house: House, paid) -> None:
    earner, _ = paid
    payout = house.draft(earner, 10_000)
    with pytest.raises(Invalid), transaction():
        withdraw_payout(payout, " ", ANNA, house.now)
    with transaction():
        withdraw_payout(payout, "not this time", ANNA, house.now)
    assert house.payout(payout).says == "not this time"
    other = house.draft(earner, 10_000)
    house.look()
    with pytest.raises(Conflict), transaction():
        withdraw_payout(other, "too late", ANNA, house.now)


def test_the_database_knows_the_same_steps_as_the_program(house: House) -> None:
    with transaction() as session:
        known = {(row.from_state, row.to_state) for row in session.query(PayoutStage)}
    assert known == MOVES


@pytest.mark.parametrize("step", ["paid", "sent", "reversed", "refused"])
def test_no_payout_takes_a_step_that_is_not_listed(house: House, paid, step: str) -> None:
    earner, _ = paid
    payout = house.draft(earner, 10_000)

    with pytest.raises(IntegrityError, match=r"does not go from"):
        sql(
            "UPDATE billing.payouts SET state = :to, ordered_at = now(), reason = 'x', back_minor = CASE WHEN :to IN ('refused', 'reversed') THEN amount_minor ELSE 0 END WHERE id = :id",
            to=step,
            id=payout,
        )


def test_what_a_payout_is_about_does_not_change(house: House, paid) -> None:
    earner, _ = paid
    payout = house.draft(earner, 9_000)
    with pytest.raises(IntegrityError, match="does not change"):
        sql("UPDATE billing.payouts SET amount_minor = 10000 WHERE id = :id", id=payout)
