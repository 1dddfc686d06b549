"""Payouts by file in statements: what pays one, what brings it back, and what only looks so."""

import io
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from billing import (
    Payee,
    PayoutDebtor,
    Sent,
    book_lines,
    find_rail,
    give_up_payout_file,
    make_payout_file,
    say_bank_account,
    suspended,
    take_in,
    take_payout_results,
)
from core.db import transaction
from marketplace.audit import audit_all
from tests.billing.bank.conftest import csv_of
from tests.billing.bank.statements import Told, camt, sheet, statement
from tests.billing.funding.conftest import at_once
from tests.billing.payouts.conftest import ANNA, IBAN, House, account_of, app, sql, stripe, till
from tests.factories import Member

__all__ = ["app", "stripe", "till"]
OURS = "FR7630006000011234567890189"


@pytest.fixture
def house(till, app) -> House:
    del app
    with transaction():
        say_bank_account(Payee("EUR", "Example Exchange", OURS, "AGRIFRPP"), ANNA, till.clock.now())
    return House(till)


@pytest.fixture
def ordered(house: House) -> tuple[Member, UUID]:
    """A payout of 100.00 that stands in a file."""
    earner = house.earner(10_000)
    house.sepa(earner)
    payout = house.draft(earner, 10_000)
    with transaction():
        make_payout_file("sepa", "EUR", PayoutDebtor("Exchange", OURS, "AGRIFRPP"), ANNA, house.now)
    return earner, payout


def bring(house: House, *entries: Told, to: str = IBAN, balances: bool = True) -> list[str]:
    """Import a statement, and return what its lines came to, with the reasons."""
    raw = camt(statement(*entries, iban=OURS, balances=balances)).decode()
    raw = raw.replace("</Cdtr>", f"</Cdtr><CdtrAcct><Id><IBAN>{to}</IBAN></Id></CdtrAcct>")
    import_id = take_in(Sent(io.BytesIO(raw.encode()), "statement.xml", None), ANNA, house.now)
    return booked(house, import_id)


def booked(house: House, import_id: UUID) -> list[str]:
    more = True
    while more:
        with transaction():
            more = book_lines(import_id, house.now, 7)
    query = "SELECT outcome || CASE WHEN code <> '' THEN ' ' || code ELSE '' END FROM billing.bank_lines WHERE import_id = :id ORDER BY number"  # fmt: skip
    return [row[0] for row in sql(query, id=import_id)]


def left(payout: UUID, minor: int = -10_000, bank: str = "A1") -> Told:
    return Told(minor, f"Payout {payout.hex}", bank=bank)


def back(payout: UUID, minor: int = 10_000, bank: str = "A2", *, reversal: bool = False) -> Told:
    return Told(minor, f"AC04 {payout.hex.upper()}", bank=bank, reversal=reversal)


def results(house: House, payout: UUID, word: str) -> None:
    with transaction():
        take_payout_results(f"reference,status\n{payout.hex},{word}\n".encode(), "sepa", "r", ANNA, house.now)


def codes(house: House) -> tuple[int, int, int]:
    """Return what stands at the bank, in transit, and in suspense."""
    del house
    [row] = sql(
        "SELECT coalesce(sum(amount_minor) FILTER (WHERE account = 1030), 0), coalesce(sum(amount_minor) FILTER"
        " (WHERE account = 1050), 0), coalesce(sum(amount_minor) FILTER (WHERE account = 2900), 0) FROM billing.entries"
    )
    return int(row[0]), int(row[1]), int(row[2])


def test_a_debit_that_names_a_payout_pays_it_once(house: House, ordered) -> None:
    earner, payout = ordered

    assert bring(house, left(payout)) == ["payout"]
    assert bring(house, left(payout)) == ["repeated booked_before"]

    assert (house.state(payout), house.cents(earner), codes(house)) == ("paid", (0, 0, 10_000), (-10_000, 0, 0))
    assert sql("SELECT count(*) FROM billing.payout_files WHERE handed_at IS NOT NULL")[0][0] == 1


def test_a_sheet_and_a_statement_in_either_order_pay_once(house: House, ordered) -> None:
    earner, payout = ordered
    results(house, payout, "paid")
    assert codes(house) == (0, -10_000, 0)

    assert bring(house, left(payout)) == ["payout"]
    results(house, payout, "success")

    assert (house.cents(earner), codes(house)) == ((0, 0, 10_000), (-10_000, 0, 0))


def test_a_second_debit_for_one_payout_stands_in_suspense(house: House, ordered) -> None:
    _, payout = ordered
    bring(house, left(payout))

    assert bring(house, left(payout, bank="B9")) == ["suspense payout_told_before"]

    assert codes(house) == (-20_000, 0, 10_000)


def test_the_database_books_one_debit_a_payout(house: House, ordered) -> None:
    _, payout = ordered
    bring(house, left(payout))
    with pytest.raises(IntegrityError, match="bank_entries_paid_idx"):
        sql(
            "INSERT INTO billing.bank_entries (id, iban, currency, identity, import_id, number, booked_on, amount_minor, outcome,"
            " reason, payout_id) SELECT uuidv7(), iban, currency, 'other', import_id, number, booked_on, amount_minor, outcome,"
            " reason, payout_id FROM billing.bank_entries"
        )


def test_two_imports_at_once_pay_once(house: House, ordered) -> None:
    earner, payout = ordered

    at_once(house.till, lambda: bring(house, left(payout)), lambda: bring(house, left(payout, bank="B9")))

    assert house.cents(earner) == (0, 0, 10_000) and codes(house) == (-20_000, 0, 10_000)


@pytest.mark.parametrize(
    ("minor", "to", "why"), [(-9_999, IBAN, "other_amount"), (-10_000, "NL91ABNA0417164300", "other_account")]
)
def test_a_debit_of_another_amount_or_to_another_account_pays_nothing(
    house: House, ordered, minor: int, to: str, why: str
) -> None:
    _, payout = ordered

    assert bring(house, left(payout, minor), to=to) == [f"suspense {why}"]

    assert house.state(payout) == "sent" and codes(house) == (minor, 0, -minor)


def test_what_comes_back_is_payable_again_and_blocks_the_place(house: House, ordered) -> None:
    earner, payout = ordered
    bring(house, left(payout))

    assert bring(house, back(payout)) == ["payout"]
    assert bring(house, back(payout, bank="B9")) == ["suspense payout_told_before"]

    assert (house.state(payout), house.payout(payout).reason) == ("failed", "bank_returned")
    assert house.cents(earner) == (10_000, 0, 0) and codes(house) == (10_000, 0, -10_000)
    with transaction():
        rail = find_rail(account_of(earner))
        assert rail is not None and (rail.state, rail.reason) == ("blocked", "rail_blocked")


@pytest.mark.parametrize("how", ["one statement", "return first", "reversal"])
def test_a_debit_and_its_return_come_in_any_order(house: House, ordered, how: str) -> None:
    earner, payout = ordered

    if how == "return first":
        assert bring(house, back(payout)) == ["payout"] and bring(house, left(payout)) == ["payout"]
    else:
        both = [back(payout, reversal=how == "reversal"), left(payout)]
        assert bring(house, *both) == ["payout", "payout"]

    assert (house.state(payout), house.cents(earner), codes(house)) == ("failed", (10_000, 0, 0), (0, 0, 0))


def test_a_return_that_a_sheet_told_before_is_booked_once(house: House, ordered) -> None:
    earner, payout = ordered
    bring(house, left(payout))
    results(house, payout, "returned")

    assert bring(house, back(payout)) == ["payout"]

    assert (house.cents(earner), codes(house)) == ((10_000, 0, 0), (0, 0, 0))


def test_what_was_said_to_have_failed_and_left_all_the_same_is_seen(house: House, ordered) -> None:
    earner, payout = ordered
    results(house, payout, "failed")

    assert bring(house, left(payout)) == ["suspense payout_ended"]

    assert house.cents(earner) == (10_000, 0, 0) and codes(house) == (-10_000, 0, 10_000)


def test_a_file_that_was_given_up_and_paid_all_the_same_is_seen(house: House, ordered) -> None:
    _, payout = ordered
    (file,) = sql("SELECT id FROM billing.payout_files")
    with transaction():
        give_up_payout_file(file[0], ANNA, house.now)

    assert bring(house, left(payout)) == ["suspense payout_ended"]


def test_a_return_that_no_balance_proves_pays_nobody_again(house: House, ordered) -> None:
    earner, payout = ordered
    bring(house, left(payout))

    assert bring(house, back(payout), balances=False) == ["suspense not_proven"]
    row = f"2026-11-21;100.00;EUR;{payout.hex};Ada;C7"
    import_id = take_in(Sent(io.BytesIO(sheet(row)), "s.csv", csv_of(OURS)), ANNA, house.now)
    assert booked(house, import_id) == ["suspense not_proven"]

    assert (house.state(payout), house.cents(earner)) == ("paid", (0, 0, 10_000))


def test_who_writes_two_names_is_nobody(house: House, ordered) -> None:
    _, payout = ordered
    other = house.earner(10_000)
    house.sepa(other)
    second = house.draft(other, 10_000)
    with transaction():
        make_payout_file("sepa", "EUR", PayoutDebtor("Exchange", OURS, "AGRIFRPP"), ANNA, house.now)

    assert bring(house, Told(-10_000, f"{payout.hex} {second.hex}", bank="A1")) == ["suspense ambiguous"]
    with transaction():
        assert [one.reason for one in suspended()] == ["ambiguous"]


def test_a_name_of_no_payout_is_money_out(house: House) -> None:
    assert bring(house, Told(-10_000, f"Payout {'0' * 32}", bank="A1")) == ["suspense money_out"]


def test_an_end_to_end_id_alone_names_a_payout(house: House, ordered) -> None:
    _, payout = ordered
    raw = camt(statement(Told(-10_000, "rent", bank="A1"), iban=OURS)).replace(b"NOTPROVIDED", payout.hex.encode())

    import_id = take_in(Sent(io.BytesIO(raw), "statement.xml", None), ANNA, house.now)

    assert booked(house, import_id) == ["payout"] and house.state(payout) == "paid"
    with transaction() as session:
        assert audit_all(session).ok
