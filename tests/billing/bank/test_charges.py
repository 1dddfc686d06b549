"""Money that the bank took back: charged to the wallet that had it, with a credit note, and owed where it is spent."""

import threading
from uuid import UUID

import pytest
from sqlalchemy import select

from billing import Document, content_of, history_of, open_debts_of, sheet_of
from core.db import transaction
from core.errors import Conflict, Invalid
from core.ids import parse_id
from marketplace.bank_moves import confirm, do_with_suspense, wish_of
from tests.billing.bank.conftest import Counter
from tests.billing.bank.statements import Told, camt, statement
from tests.billing.bank.test_suspense import ANN, BEN, left, move, state


def charge(counter: Counter, item: UUID, amount: str = "", actor: str = ANN, account: str = "") -> UUID:
    with transaction():
        wish = wish_of(item, "charge", amount, account or counter.buyer.id, "the payer's bank asked for it")
        return do_with_suspense(wish, actor, counter.clock.now()).id


def taken_back(counter: Counter, minor: int = 30_000) -> UUID:
    """Have a transfer come and be taken back by the bank, and return what then stands in suspense."""
    asked = counter.ask(minor)
    counter.bring(camt(statement(Told(minor, asked.reference, bank="C1"))))
    back = Told(-minor, asked.reference, bank="C1", day="2026-11-23", reversal=True)
    counter.bring(camt(statement(back, opening=minor)))
    [item] = counter.in_suspense()
    assert (item.amount_minor, item.reason) == (-minor, "reversal")
    return UUID(str(item.id))


def debts(counter: Counter) -> list[int]:
    with transaction():
        return [one.amount_minor - one.paid_minor for one in open_debts_of(parse_id("acc", counter.buyer.id), "EUR")]


def test_what_the_bank_took_back_leaves_the_wallet_with_a_credit_note(counter: Counter) -> None:
    item = taken_back(counter)
    charge(counter, item)

    assert counter.available() == 0 and debts(counter) == [] and left(item) == 0
    assert counter.account(1030) == 0 == counter.account(2900)
    with transaction() as session:
        receipt, note = session.scalars(select(Document).order_by(Document.id))
        assert (note.kind, note.amount_minor) == ("credit_note", 30_000)
        assert content_of(note).refers_to[0].number == receipt.shown_number
        assert "transfer taken back by the bank" in sheet_of(note).lines[0].what
        assert "suspense_charge" in {one.kind for one in history_of(parse_id("acc", counter.buyer.id), "EUR")}


def test_what_the_wallet_has_spent_is_owed_at_once_and_paid_by_what_comes_next(counter: Counter) -> None:
    item = taken_back(counter)
    counter.sql(
        "SELECT billing.charge_fee(:a, 'EUR', 25000, 'f', 'x', 'op', now())", a=parse_id("acc", counter.buyer.id)
    )
    charge(counter, item)
    assert counter.available() == 0 and debts(counter) == [25_000]
    with transaction() as session:
        assert session.scalars(select(Document.amount_minor).where(Document.kind == "credit_note")).all() == [30_000]

    counter.bring(camt(statement(Told(26_000, counter.ask().reference, bank="C9"))))
    assert debts(counter) == [] and counter.available() == 1_000


def test_only_the_wallet_that_had_it_is_charged_and_once(counter: Counter) -> None:
    item = taken_back(counter)
    with pytest.raises(Invalid) as stranger:
        charge(counter, item, account=counter.market.make_buyer("500.00").id)
    assert [one.code for one in stranger.value.faults] == ["never_had_it"]
    charge(counter, item, "200.00")
    counter.bring(camt(statement(Told(-20_000, "rent", bank="D9"), opening=20_000)))
    rent = next(one.id for one in counter.in_suspense() if one.reason == "money_out")

    with pytest.raises(Invalid, match="Nothing was moved"):
        charge(counter, rent, actor=BEN)
    assert counter.available() == 10_000 and left(item) == -10_000


def test_what_came_in_is_charged_to_nobody(counter: Counter) -> None:
    counter.bring(camt(statement(Told(100, "whose?"))))
    [item] = counter.in_suspense()
    with pytest.raises(Invalid) as caught:
        charge(counter, item.id)
    assert "came_in" in {one.code for one in caught.value.faults}


def test_above_the_limit_a_second_person_confirms_a_charge(counter: Counter) -> None:
    item = taken_back(counter, 80_000)
    proposed = charge(counter, item)
    assert state(counter, proposed) == "proposed" and counter.available() == 80_000
    with transaction():
        confirm(proposed, BEN, counter.clock.now())

    assert counter.available() == 0 and state(counter, proposed) == "done"


def test_a_charge_and_a_move_at_once_move_no_more_than_there_is(counter: Counter) -> None:
    item, ready, done = taken_back(counter, 1_000), threading.Barrier(6), []

    def work(number: int) -> None:
        with counter.app.app_context():
            ready.wait(30)
            try:
                done.append(
                    charge(counter, item, "6.00", f"user:{number}")
                    if number % 2
                    else move(counter, item, "fees", "6.00")
                )
            except (Conflict, Invalid) as refused:
                assert refused.code in ("suspense_used", "invalid_suspense_move")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(done) == 1 and left(item) == -400
