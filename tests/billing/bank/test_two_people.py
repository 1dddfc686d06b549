"""What no balance proves, what is moved out of suspense, and where buyers pay to: one person alone only so far in a day."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from billing import (
    Payee,
    agree_to_import,
    ask_bank_account,
    asked_bank_accounts,
    asked_imports,
    decide_bank_account,
    find_bank_account,
    get_import,
    refuse_import,
    say_bank_account,
)
from core.db import transaction
from core.errors import Conflict, DomainError, NotAllowed
from tests.billing.bank.conftest import Counter, csv_of
from tests.billing.bank.statements import BIC, IBAN, OTHER_IBAN, Told, camt, sheet, statement
from tests.billing.bank.test_suspense import ANN, BEN, item_of, move, state

CY = "user:cy"
OTHER = Payee("EUR", "Another Bank", OTHER_IBAN, BIC)


def rows_of(reference: str, *minors: int, name: str = "r") -> bytes:
    return sheet(*(f"2026-11-20;{minor / 100:.2f};EUR;{reference};x;{name}{at}" for at, minor in enumerate(minors)))


def bring(counter: Counter, *minors: int, actor: str = ANN, name: str = "r") -> UUID:
    return counter.bring(rows_of(counter.ask().reference, *minors, name=name), csv_of(), actor)


def standing(counter: Counter, import_id: UUID) -> str:
    with transaction():
        return get_import(import_id).state


def at_once(counter: Counter, *works: Callable[[], object]) -> list[str]:
    """Do several things at once, and return the codes of what was refused."""
    ready, refused = threading.Barrier(len(works)), []

    def do(work: Callable[[], object]) -> None:
        with counter.app.app_context():
            ready.wait(30)
            try:
                work()
            except DomainError as error:
                refused.append(error.code)

    threads = [threading.Thread(target=do, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


def test_a_sheet_above_the_limit_credits_nobody_before_a_second_person_agrees(counter: Counter) -> None:
    done = bring(counter, 30_000, 20_001)
    assert standing(counter, done) == "asked" and counter.available() == 0 and counter.account(1030) == 0
    with transaction():
        assert [one.id for one in asked_imports()] == [done]
    with pytest.raises(NotAllowed) as caught, transaction():
        agree_to_import(done, ANN)
    assert caught.value.code == "second_person_needed"
    with pytest.raises(DBAPIError, match="bank_imports"):
        counter.sql("UPDATE billing.bank_imports SET state = 'read'")
    with pytest.raises(DBAPIError, match="bank_imports"):
        counter.sql("UPDATE billing.bank_imports SET state = 'read', confirmed_by = vouched_by")

    counter.agree(done, BEN)
    assert standing(counter, done) == "done" and counter.available() == 50_001
    with pytest.raises(Conflict) as again, transaction():
        agree_to_import(done, BEN)
    assert again.value.code == "already_decided"


def test_a_statement_whose_balances_prove_it_needs_nobody_else(counter: Counter) -> None:
    counter.bring(camt(statement(Told(900_000, counter.ask().reference))), actor=ANN)

    assert counter.available() == 900_000


def test_a_statement_without_balances_is_as_little_proof_as_a_sheet(counter: Counter) -> None:
    done = counter.bring(camt(statement(Told(900_000, counter.ask().reference), balances=False)), actor=ANN)

    assert standing(counter, done) == "asked" and counter.available() == 0


def test_small_sheets_and_moves_of_a_day_add_up_and_others_have_their_own(counter: Counter) -> None:
    items = [item_of(counter, 19_000, f"S{at}") for at in range(3)]
    assert standing(counter, bring(counter, 20_000, name="a")) == "done"
    assert state(counter, move(counter, items[0], "assign")) == "done"
    assert standing(counter, bring(counter, 11_001, name="b")) == "asked"
    assert state(counter, move(counter, items[1], "assign")) == "proposed", "another amount, and the same day"
    assert standing(counter, bring(counter, 11_000, name="c")) == "done"
    assert standing(counter, bring(counter, 40_000, actor=BEN, name="d")) == "done"

    counter.clock.advance(days=1, seconds=1)
    assert standing(counter, bring(counter, 50_000, name="e")) == "done"
    assert state(counter, move(counter, items[2], "assign")) == "proposed"


def test_two_sheets_of_one_person_at_once_are_not_each_taken_for_the_only_one(counter: Counter) -> None:
    reference = counter.ask().reference
    files = [rows_of(reference, 30_000, name=name) for name in "abcd"]
    at_once(counter, *(lambda data=data: counter.bring(data, csv_of(), ANN) for data in files))

    assert counter.available() == 30_000
    assert counter.sql("SELECT state, count(*) FROM billing.bank_imports GROUP BY state ORDER BY state") == [
        ("asked", 3), ("done", 1),
    ]  # fmt: skip


def test_what_keys_and_commands_bring_is_vouched_for_by_one_and_agreed_to_by_another(counter: Counter) -> None:
    counter.bring(rows_of(counter.ask().reference, 30_000, name="k"), csv_of(), "key:1")
    done = bring(counter, 30_000, actor="operator:command-line")
    assert standing(counter, done) == "asked", "who is nobody in particular is one"
    for actor in ("key:2", "operator:command-line"):
        with pytest.raises(NotAllowed) as caught, transaction():
            agree_to_import(done, actor)
        assert caught.value.code == "person_needed"

    counter.agree(done, BEN)
    assert standing(counter, done) == "asked" and counter.available() == 30_000
    with pytest.raises(NotAllowed), transaction():
        agree_to_import(done, BEN)
    counter.agree(done, CY)
    assert counter.available() == 60_000


def test_a_file_that_nobody_agrees_to_is_done_with_its_lines_told(counter: Counter) -> None:
    done = bring(counter, 60_000)
    with transaction():
        refuse_import(done, ANN, counter.clock.now())
    counter.book(done)

    assert standing(counter, done) == "done" and counter.available() == 0
    assert counter.sql("SELECT outcome, code FROM billing.bank_lines") == [("refused", "not_agreed")]


def test_above_the_limit_only_people_propose_and_confirm(counter: Counter) -> None:
    item = item_of(counter, 80_000)
    with pytest.raises(NotAllowed) as caught:
        move(counter, item, "assign", actor="operator:command-line")
    assert caught.value.code == "person_needed"


def test_another_account_is_named_when_a_second_person_agrees(counter: Counter) -> None:
    at = counter.clock.now()
    with transaction():
        wish = ask_bank_account(OTHER, ANN, at).id
        assert ask_bank_account(OTHER, ANN, at).id == wish
    asked = counter.ask()
    with transaction():
        assert find_bank_account("EUR").iban == IBAN and asked.bank_account_id == find_bank_account("EUR").id
    for verdict, actor, code in ((True, ANN, "second_person_needed"), (True, "key:9", "person_needed")):
        with pytest.raises(NotAllowed) as caught, transaction():
            decide_bank_account(wish, agrees=verdict, actor=actor, at=at)
        assert caught.value.code == code
    with pytest.raises(Conflict) as waits, transaction():
        ask_bank_account(Payee("EUR", "Third", OTHER_IBAN, BIC), BEN, at)
    assert waits.value.code == "account_waits"

    with transaction():
        decide_bank_account(wish, agrees=True, actor=BEN, at=at)
        assert find_bank_account("EUR").iban == OTHER_IBAN and asked_bank_accounts() == []
    counter.bring(camt(statement(Told(100, asked.reference))))
    assert counter.available() == 100, "statements of the account before are still read"


def test_one_person_names_a_first_account_and_no_other(counter: Counter) -> None:
    with pytest.raises(NotAllowed) as caught, transaction():
        say_bank_account(OTHER, "operator:command-line", counter.clock.now())
    assert caught.value.code == "second_person_needed"
    with pytest.raises(DBAPIError, match="changed by two people"):
        counter.sql("""INSERT INTO billing.bank_accounts (id, currency, payee, iban, bic, actor, said_at)
                       SELECT uuidv7(), currency, 'Mine', iban, bic, actor, said_at FROM billing.bank_accounts""")
    with pytest.raises(DBAPIError, match="bank_account_wishes_check"):
        counter.sql("""INSERT INTO billing.bank_account_wishes (id, currency, payee, iban, bic, state, asked_by, asked_at,
                           decided_by, decided_at)
                       SELECT uuidv7(), currency, payee, iban, bic, 'named', 'user:a', now(), 'user:a', now()
                       FROM billing.bank_accounts""")


def test_two_who_agree_and_refuse_at_once_decide_once(counter: Counter) -> None:
    at = counter.clock.now()
    with transaction():
        wish = ask_bank_account(OTHER, ANN, at).id

    def decide(agrees: bool) -> None:
        with transaction():
            decide_bank_account(wish, agrees=agrees, actor=BEN, at=at)

    refused = at_once(counter, *(lambda agrees=agrees: decide(agrees) for agrees in (True, False, True, False)))
    assert refused == ["already_decided"] * 3
    [[decided, accounts]] = counter.sql(
        "SELECT (SELECT state FROM billing.bank_account_wishes), (SELECT count(*) FROM billing.bank_accounts)"
    )
    assert accounts == {"named": 2, "refused": 1}[decided]


def test_two_first_accounts_at_once_are_one(counter: Counter) -> None:
    def name(iban: str) -> None:
        with transaction():
            say_bank_account(Payee("USD", "One", iban, BIC), ANN, counter.clock.now())

    refused = at_once(counter, *(lambda iban=iban: name(iban) for iban in (IBAN, OTHER_IBAN)))
    assert refused == ["second_person_needed"]


def test_two_moves_of_one_person_at_once_are_not_each_taken_for_the_only_one(counter: Counter) -> None:
    items = [item_of(counter, 30_000 + at, f"S{at}") for at in range(4)]
    at_once(counter, *(lambda item=item: move(counter, item, "assign") for item in items))

    states = counter.sql("SELECT state, count(*) FROM billing.suspense_moves GROUP BY state ORDER BY state")
    assert states == [("done", 1), ("proposed", 3)]
