"""What operators do about suspense: a part or all of it, never more than is left, in two when it is much."""

import threading
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from billing import get_suspended, moves_of, open_moves
from core.db import transaction
from core.errors import Conflict, Invalid, NotFound
from core.ids import new_id
from marketplace.bank_moves import confirm, do_with_suspense, settle, wish_of, withdraw
from tests.billing.bank.conftest import Counter
from tests.billing.bank.statements import Told, camt, statement

ANN, BEN = "user:ann", "user:ben"
FOUR_EYES = 50_000


def item_of(counter: Counter, minor: int = 30_000, bank: str = "S1") -> UUID:
    """Have money come that nobody knows, and return its id."""
    counter.bring(camt(statement(Told(minor, "no idea", bank=bank))))
    return UUID(str(next(one.id for one in reversed(counter.in_suspense()) if one.amount_minor == minor)))


def move(counter: Counter, item: UUID, kind: str, amount: str = "", actor: str = ANN, why: str = "because") -> UUID:
    with transaction():
        account = counter.buyer.id if kind == "assign" else ""
        return do_with_suspense(wish_of(item, kind, amount, account, why), actor, counter.clock.now()).id


def state(counter: Counter, move_id: UUID) -> str:
    [[told]] = counter.sql("SELECT state FROM billing.suspense_moves WHERE id = :i", i=move_id)
    return str(told)


def left(item: UUID) -> int:
    with transaction():
        return get_suspended(item).left_minor


def test_a_part_is_assigned_and_the_rest_stays_with_its_age(counter: Counter) -> None:
    item = item_of(counter)
    move(counter, item, "assign", "120.50")

    assert counter.available() == 12_050 and left(item) == 17_950 and counter.account(2900) == -17_950
    [stays] = counter.in_suspense()
    assert (stays.id, stays.reason, stays.since) == (item, "no_reference", counter.clock.now())
    move(counter, item, "assign")
    assert counter.available() == 30_000 and counter.in_suspense() == []


def test_the_log_says_who_assigned_it_and_why(counter: Counter) -> None:
    move(counter, item_of(counter), "assign", why="She sent the slip")

    assert counter.sql("SELECT move, actor, why FROM marketplace.events WHERE actor = 'user:ann'") == [
        ("suspense>assigned", ANN, "She sent the slip")
    ]


def test_never_more_than_is_left_is_moved(counter: Counter) -> None:
    item = item_of(counter)
    move(counter, item, "fees", "0.10")
    with pytest.raises(Conflict, match=r"299\.90") as caught:
        move(counter, item, "assign", "300.00")

    assert caught.value.code == "suspense_used" and left(item) == 29_990 and counter.account(4100) == -10


def test_many_who_move_it_at_once_move_no_more_than_there_is(counter: Counter) -> None:
    item, ready, done = item_of(counter, 1_000), threading.Barrier(8), []

    def work() -> None:
        with counter.app.app_context():
            ready.wait(30)
            try:
                done.append(move(counter, item, "assign", "3.00"))
            except Conflict as refused:
                assert refused.code == "suspense_used"

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(done) == 3 and counter.available() == 900 and left(item) == 100


def test_the_database_leaves_no_item_below_nothing(counter: Counter) -> None:
    move(counter, item_of(counter), "fees", "1.00")
    with pytest.raises(DBAPIError, match="suspense_items_check"):
        counter.sql("UPDATE billing.suspense_items SET left_minor = -1")


def test_above_the_limit_a_second_person_confirms(counter: Counter) -> None:
    item = item_of(counter, 80_000)
    proposed = move(counter, item, "assign", "500.01")
    assert counter.available() == 0 and left(item) == 29_999, "its part is kept for it"

    with pytest.raises(Conflict) as caught, transaction():
        confirm(proposed, ANN, counter.clock.now())
    assert caught.value.code == "four_eyes"
    with pytest.raises(DBAPIError, match="suspense_moves_check"):
        counter.sql("UPDATE billing.suspense_moves SET confirmed_by = actor, state = 'owed'")
    with pytest.raises(DBAPIError, match="suspense_moves"):
        counter.sql("UPDATE billing.suspense_moves SET state = 'done', ended_at = now()")

    with transaction():
        confirm(proposed, BEN, counter.clock.now())
    assert counter.available() == 50_001
    with pytest.raises(Conflict) as again, transaction():
        confirm(proposed, BEN, counter.clock.now())
    assert again.value.code == "move_ended" and counter.available() == 50_001


def test_small_parts_by_one_person_add_up_to_the_limit(counter: Counter) -> None:
    item = item_of(counter, 100_000)
    assert state(counter, move(counter, item, "assign", "300.00")) == "done"
    assert state(counter, move(counter, item, "assign", "200.00")) == "done"

    assert state(counter, move(counter, item, "assign", "0.01")) == "proposed"
    assert state(counter, move(counter, item, "assign", "0.01", actor=BEN)) == "done"


def test_what_was_proposed_is_withdrawn_and_left_again(counter: Counter) -> None:
    item = item_of(counter, 80_000)
    proposed = move(counter, item, "assign")
    with transaction():
        withdraw(proposed, "not hers", BEN, counter.clock.now())

    assert left(item) == 80_000 and counter.available() == 0 and state(counter, proposed) == "withdrawn"
    with pytest.raises(Conflict), transaction():
        withdraw(proposed, "again", BEN, counter.clock.now())


def owed_back(counter: Counter, minor: int = 30_000) -> tuple[UUID, UUID, str]:
    item = item_of(counter, minor)
    owed = move(counter, item, "return")
    [[reference]] = counter.sql("SELECT reference FROM billing.suspense_moves WHERE id = :i", i=owed)
    return item, owed, reference


def test_money_sent_back_is_owed_until_a_statement_tells_that_it_left(counter: Counter) -> None:
    item, owed, reference = owed_back(counter)
    assert left(item) == 0 and counter.account(2900) == -30_000
    with transaction():
        assert [one.id for one in open_moves()] == [owed]

    told = camt(statement(Told(-30_000, f"back {reference}", bank="D1"), opening=30_000))
    counter.bring(told)
    counter.bring(told)

    assert state(counter, owed) == "done" and counter.account(2900) == 0 == counter.account(1030)
    with transaction():
        assert [one.state for one in moves_of(item)] == ["done"]


def test_another_amount_settles_nothing_and_may_be_set_against_it_by_hand(counter: Counter) -> None:
    _, owed, reference = owed_back(counter)
    counter.bring(camt(statement(Told(-30_500, reference, bank="D1"), opening=30_500)))
    [debit] = counter.in_suspense()
    assert (debit.reason, debit.is_credit, state(counter, owed)) == ("money_out", False, "owed")

    with transaction():
        settle(owed, debit.id, "the bank kept 5.00", BEN, counter.clock.now())
    move(counter, debit.id, "fees")

    assert counter.in_suspense() == [] and counter.account(2900) == 0 and counter.account(4100) == 500
    assert counter.account(1030) == -500


def test_what_came_in_settles_nothing_that_is_owed_back(counter: Counter) -> None:
    used = item_of(counter, 30_000, "S0")
    move(counter, used, "assign", actor=BEN)
    item, owed, _ = owed_back(counter)
    for credit in (used, item):
        with pytest.raises(Conflict) as caught, transaction():
            settle(owed, credit, "gone", ANN, counter.clock.now())
        assert caught.value.code == "not_money_out"
        with pytest.raises(DBAPIError, match=r"suspense_moves_check|not set against money that went out"):
            counter.sql(
                "UPDATE billing.suspense_moves SET against_id = :c, state = 'done', ended_at = now() WHERE id = :m",
                c=credit, m=owed,
            )  # fmt: skip

    assert state(counter, owed) == "owed" and left(used) == 0 == left(item) and counter.account(2900) == -30_000


def test_money_that_left_elsewhere_is_told_by_hand(counter: Counter) -> None:
    item, owed, _ = owed_back(counter)
    with transaction():
        settle(owed, None, "paid out of the till", BEN, counter.clock.now())

    assert counter.account(1030) == 0 == counter.account(2900) and left(item) == 0


@pytest.mark.parametrize(
    ("kind", "amount", "why", "field"),
    [("assign", "0", "x", "amount"), ("fees", "-1", "x", "amount"), ("fees", "1.001", "x", "amount"),
     ("fees", "1e3", "x", "amount"), ("fees", "1", " ", "reason"), ("loan", "1", "x", "kind")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_its_field(
    counter: Counter, kind: str, amount: str, why: str, field: str
) -> None:
    item = item_of(counter)
    with pytest.raises(Invalid) as caught:
        move(counter, item, kind, amount, why=why)

    assert caught.value.code == "invalid_suspense_move" and field in {fault.field for fault in caught.value.faults}
    assert left(item) == 30_000


def test_money_that_went_out_is_nobodys_to_have(counter: Counter) -> None:
    counter.bring(camt(statement(Told(-700, "rent", bank="D2"), opening=700)))
    [debit] = counter.in_suspense()
    with pytest.raises(Invalid, match="Nothing was moved"):
        move(counter, debit.id, "assign")
    move(counter, debit.id, "fx", "2.00")

    assert left(debit.id) == -500 and counter.account(5900) == 200


def test_nothing_else_stands_in_suspense(counter: Counter) -> None:
    with pytest.raises(NotFound):
        move(counter, new_id(), "fees")
    asked = counter.ask()
    counter.bring(camt(statement(Told(100, asked.reference))))
    [[credited]] = counter.sql("SELECT id FROM billing.transactions WHERE kind = 'bank_credit'")
    assert counter.sql("SELECT billing.take_suspense(:i, 1)", i=credited) == [("no_item",)]
