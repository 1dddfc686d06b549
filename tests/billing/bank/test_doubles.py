"""The same money told twice, whole and in parts, in another order or form, or on another day: booked once, or doubted."""

import itertools
import threading
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from core.errors import Invalid
from tests.billing.bank.conftest import Counter, csv_of
from tests.billing.bank.statements import Told, camt, sheet, statement
from tests.billing.bank.test_importing import reasons

PARTS = (Told(500, "whose?", name="Ada"), Told(400, "whose?", name="Ben"), Told(400, "whose?", name="Cy"))
WHOLE = Told(1_300, bank="B9", parts=PARTS)
UNSPLIT = replace(WHOLE, parts=(), told_parts=False)
NAMELESS, NAMELESS_UNSPLIT = replace(WHOLE, bank=""), replace(UNSPLIT, bank="")
IN_ONE_LINE = "2026-11-20;13,00;EUR;batch;;B9"


def test_parts_in_another_order_are_the_same_parts(counter: Counter) -> None:
    counter.bring(camt(statement(WHOLE)))
    for parts in itertools.permutations(PARTS):
        done = counter.bring(camt(statement(replace(WHOLE, parts=parts))))
        assert counter.came(done) == {"repeated": 3}

    assert counter.account(1030) == 1_300


@pytest.mark.parametrize("whole", [WHOLE, NAMELESS])
def test_what_was_booked_whole_is_not_booked_in_parts(counter: Counter, whole: Told) -> None:
    counter.bring(camt(statement(replace(whole, parts=(), told_parts=False))))
    done = counter.bring(camt(statement(whole)))

    assert counter.came(done) == {"repeated": 3} and counter.account(1030) == 1_300
    assert {code for (code,) in counter.sql("SELECT code FROM billing.bank_lines WHERE whole <> ''")} == {
        "booked_whole"
    }


@pytest.mark.parametrize("whole", [WHOLE, NAMELESS])
def test_what_was_booked_in_parts_is_not_booked_whole(counter: Counter, whole: Told) -> None:
    counter.bring(camt(statement(whole)))
    done = counter.bring(camt(statement(replace(whole, parts=(), told_parts=False))))

    assert counter.came(done) == {"repeated": 1} and counter.account(1030) == 1_300


def test_a_batch_that_another_file_splits_otherwise_is_not_booked_again(counter: Counter) -> None:
    counter.bring(camt(statement(WHOLE)))
    other = replace(WHOLE, parts=(Told(700, "x"), Told(600, "y")))

    assert counter.came(counter.bring(camt(statement(other)))) == {"repeated": 2}
    assert counter.account(1030) == 1_300


def test_a_batch_whose_parts_have_references_is_the_same_without_them(counter: Counter) -> None:
    named = replace(WHOLE, parts=tuple(replace(one, bank=f"P{at}") for at, one in enumerate(PARTS)))
    singles = [f"2026-11-20;{one.minor / 100:.2f};EUR;whose?;x;{one.bank}" for one in named.parts]
    counter.bring(sheet(*singles), csv_of())
    for again in (named, WHOLE):
        counter.bring(camt(statement(again)))

    booked = counter.sql("SELECT count(*) FROM billing.bank_entries WHERE reason <> 'maybe_doubled'")
    assert booked == [(3,)], "what is without its reference may be another, and credits nobody"


@pytest.mark.parametrize("has_reference", [True, False])
def test_a_sheets_line_of_the_whole_and_the_parts_of_a_statement_credit_once(
    counter: Counter, has_reference: bool
) -> None:
    asked = counter.ask()
    row = IN_ONE_LINE if has_reference else IN_ONE_LINE.replace("B9", "")
    whole = replace(WHOLE, parts=(Told(500, asked.reference), Told(800, asked.reference)))
    counter.bring(sheet(row.replace("batch", asked.reference)), csv_of())
    counter.bring(camt(statement(whole)))
    assert counter.available() == 1_300
    assert counter.account(1030) == (1_300 if has_reference else 2_600)
    assert reasons(counter) == ([] if has_reference else ["maybe_doubled"] * 2)


@pytest.mark.parametrize("has_reference", [True, False])
def test_the_parts_of_a_statement_and_a_sheets_line_of_the_whole_credit_once(
    counter: Counter, has_reference: bool
) -> None:
    asked = counter.ask()
    row = (IN_ONE_LINE if has_reference else IN_ONE_LINE.replace("B9", "")).replace("batch", asked.reference)
    counter.bring(camt(statement(replace(WHOLE, parts=(Told(500, asked.reference), Told(800, asked.reference))))))
    counter.bring(sheet(row), csv_of())

    assert counter.available() == 1_300 and reasons(counter) == ([] if has_reference else ["maybe_doubled"])


def test_equal_parts_of_one_batch_and_two_equal_batches_that_balances_prove_are_each_booked(counter: Counter) -> None:
    twice = statement(WHOLE, WHOLE)
    assert counter.came(counter.bring(camt(twice))) == {"suspense": 6}
    assert counter.came(counter.bring(camt(twice))) == {"repeated": 6}
    unproven = statement(replace(WHOLE, bank="B10"), replace(WHOLE, bank="B10", parts=PARTS[::-1]), balances=False)

    assert counter.came(counter.bring(camt(unproven))) == {"suspense": 3, "repeated": 3}
    assert counter.account(1030) == 3 * 1_300


def test_a_batch_told_whole_and_in_parts_by_two_at_once_is_booked_once(counter: Counter) -> None:
    ready, faults = threading.Barrier(4), []

    def work(told: Told) -> None:
        with counter.app.app_context():
            ready.wait(30)
            try:
                counter.bring(camt(statement(told)), most=2)
            except (DBAPIError, Invalid) as error:
                faults.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in (WHOLE, UNSPLIT) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == [] and counter.account(1030) == 1_300


def test_the_database_books_no_batch_whole_and_in_parts(counter: Counter) -> None:
    other = counter.bring(camt(statement(Told(5, bank="Z"))))
    counter.bring(camt(statement(WHOLE)))
    copied = """INSERT INTO billing.bank_entries SELECT uuidv7(), iban, currency, {identity}, {import_id}, number, booked_on,
                amount_minor, outcome, reason, pro_forma_id, mark, {whole}, '', 0 FROM billing.bank_entries WHERE whole <> '' LIMIT 1"""
    with pytest.raises(DBAPIError, match="booked already, whole or in parts"):
        counter.sql(copied.format(identity="whole", import_id="import_id", whole="''"))
    with pytest.raises(DBAPIError, match="booked already, whole or in parts"):
        counter.sql(copied.format(identity="'new'", import_id="import_id", whole="identity"))
    with pytest.raises(DBAPIError, match="booked already, whole or in parts"):
        counter.sql(copied.format(identity="'new'", import_id=f"'{other}'", whole="whole"))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from([100, 200, 300]), min_size=2, max_size=4),
    st.lists(st.tuples(st.booleans(), st.randoms(use_true_random=False)), min_size=2, max_size=3),
    st.booleans(), st.integers(0, 10**9),
)  # fmt: skip
def test_however_often_and_in_whatever_order_a_batch_is_told_it_is_booked_once(
    counter: Counter, minors: list[int], tellings: list[tuple[bool, Random]], is_named: bool, number: int
) -> None:
    before, day = counter.account(1030), f"20{number % 80 + 10}-0{number % 9 + 1}-{number % 28 + 1:02d}"
    whole = sum(minors)
    for is_split, random in tellings:
        parts = [Told(minor, "x") for minor in random.sample(minors, len(minors))]
        told = Told(whole, bank=f"H{number}" if is_named else "", day=day, parts=tuple(parts), told_parts=is_split)
        counter.bring(camt(statement(replace(told, parts=told.parts if is_split else ()))), most=2)

    booked = counter.account(1030) - before
    assert booked == whole or booked == 0, "told before in an earlier example"


def test_the_banks_reference_and_amount_on_another_day_are_doubted_and_credit_nobody(counter: Counter) -> None:
    asked = counter.ask()
    first, second = (Told(10_000, asked.reference, bank="R7", day=f"2026-11-{day}") for day in (20, 21))
    counter.bring(camt(statement(first)))
    assert counter.came(counter.bring(camt(statement(second, opening=10_000)))) == {"suspense": 1}
    assert reasons(counter) == ["maybe_doubled"] and counter.available() == 10_000
    for told in (first, second):
        assert counter.came(counter.bring(camt(statement(told)))) == {"repeated": 1}, "on that very day it is known"

    assert counter.account(1030) == 20_000


def test_two_days_that_one_proven_statement_tells_are_two(counter: Counter) -> None:
    asked = counter.ask()
    both = [Told(10_000, asked.reference, bank="R7", day=f"2026-11-{day}") for day in (20, 21)]
    counter.bring(camt(statement(both[0])))

    assert counter.came(counter.bring(camt(statement(*both)))) == {"credited": 1, "repeated": 1}
    assert counter.available() == 20_000


def test_two_days_that_a_sheet_without_balances_tells_are_doubted(counter: Counter) -> None:
    asked = counter.ask()
    done = counter.bring(sheet(*(f"2026-11-{day};10,00;EUR;{asked.reference};x;R7" for day in (20, 21))), csv_of())

    assert counter.came(done) == {"credited": 1, "suspense": 1} and reasons(counter) == ["maybe_doubled"]


def test_a_batch_on_another_day_is_doubted_whole_or_in_parts(counter: Counter) -> None:
    counter.bring(camt(statement(WHOLE)))
    counter.bring(camt(statement(replace(UNSPLIT, day="2026-11-21"))))
    counter.bring(camt(statement(replace(WHOLE, day="2026-11-22"))))

    assert reasons(counter)[3:] == ["maybe_doubled"] * 4


@pytest.mark.parametrize("reference", ["\u4e00" * 900, "".join(chr(0x4E00 + at) for at in range(999))])
def test_a_reference_of_any_length_is_known_again(counter: Counter, reference: str) -> None:
    data = camt(statement(Told(700, bank=reference), Told(800, bank=reference[:-1] + "x")))

    assert counter.came(counter.bring(data)) == {"suspense": 2}
    assert counter.came(counter.bring(data)) == {"repeated": 2}
    assert counter.sql("SELECT max(length(bank_reference)) FROM billing.bank_lines") == [(len(reference),)]
