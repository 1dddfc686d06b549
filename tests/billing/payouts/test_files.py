"""Payouts by file: SEPA and sheets, handed on or given up, and the results that come back, good, bad and foreign."""

import csv
import io
from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from billing import (
    PayoutDebtor,
    RailWish,
    Wish,
    content_of_payout_file,
    find_rail,
    give_up_payout_file,
    hand_on_payout_file,
    make_payout_file,
    move_suspense,
    say_rail,
    take_payout_results,
)
from billing.payouts.pain import Credit, Debtor, Order, plain_words, write_order
from billing.payouts.sheets import FORMULA, Payee, read_results, safe_cell, write_sheet
from core.db import transaction
from core.errors import Conflict, Invalid
from core.money import Money
from tests.billing.funding.conftest import at_once
from tests.billing.payouts.conftest import ANNA, IBAN, House, account_of, sql, told

DEBTOR = PayoutDebtor("Leadbourse GmbH & Co", "FR7630006000011234567890189", "AGRIFRPP")
NAMES = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"


def make(house: House, kind: str = "sepa"):
    with transaction():
        return make_payout_file(kind, "EUR", DEBTOR if kind == "sepa" else None, ANNA, house.now).id


def results(house: House, sheet: str, kind: str = "sepa") -> list[tuple[str, str]]:
    with transaction():
        found, _ = take_payout_results(sheet.encode(), kind, "results.csv", ANNA, house.now)
        return [(one["outcome"], one.get("code", "")) for one in found.outcomes]


@pytest.fixture
def two(house: House):
    """Two drafts by SEPA, of 100.00 and 50.00."""
    first, second = house.earner(10_000), house.earner(5_000)
    house.sepa(first)
    house.sepa(second)
    return (first, house.draft(first, 10_000)), (second, house.draft(second, 5_000))


def test_a_file_has_each_payout_once_and_stays_as_it_was_made(house: House, two) -> None:
    file = make(house)

    with transaction():
        raw = content_of_payout_file(file)
        assert raw == content_of_payout_file(file)
    root = ET.fromstring(raw)
    head = {name: root.find(f".//{NAMES}GrpHdr/{NAMES}{name}").text for name in ("MsgId", "NbOfTxs", "CtrlSum")}
    assert head == {"MsgId": file.hex, "NbOfTxs": "2", "CtrlSum": "150.00"}
    ends = {one.text for one in root.iter(f"{NAMES}EndToEndId")}
    assert ends == {payout.hex for _, payout in two}
    assert [one.get("Ccy") for one in root.iter(f"{NAMES}InstdAmt")] == ["EUR", "EUR"]
    assert house.cents(two[0][0]) == (0, 10_000, 0) and house.state(two[0][1]) == "ordered"
    with pytest.raises(Conflict, match="No approved payout"):
        make(house)
    with pytest.raises(IntegrityError, match="stays as it was made"):
        sql("UPDATE billing.payout_files SET content = 'x'")


def test_two_files_at_once_pay_each_once(house: House, two) -> None:
    refused = []

    def try_to_make() -> None:
        try:
            make(house)
        except Conflict as conflict:
            refused.append(conflict.code)

    assert at_once(house.till, try_to_make, try_to_make) == []

    assert (house.till.count("payout_files"), refused) == (1, ["nothing_to_pay"])


def test_handed_on_paid_and_failed_each_book_once(house: House, two) -> None:
    (first, paid), (second, failed) = two
    file = make(house)
    with transaction():
        hand_on_payout_file(file, ANNA, house.now)
    assert (house.state(paid), len(told("payout.sent"))) == ("sent", 2)
    sheet = f"reference,status,reason,amount\n{paid.hex},paid,,100.00\n{failed.hex},failed,AC01 wrong account,50.00\n"

    assert results(house, sheet) == [("paid", ""), ("failed", "")]
    assert results(house, sheet) == [("paid", ""), ("failed", "")]  # the same bytes: the same row
    assert results(house, f"{sheet}\n") == [("repeated", ""), ("repeated", "")]

    assert (house.cents(first), house.cents(second)) == ((0, 0, 10_000), (5_000, 0, 0))
    assert (house.state(paid), house.payout(failed).reason) == ("paid", "payer_could_not_deliver")
    assert house.till.account(1050) == -10_000 and len(told("payout.failed")) == 1
    with transaction():
        rail = find_rail(account_of(second))
        assert rail is not None and (rail.state, rail.reason, rail.says) == (
            "blocked",
            "rail_blocked",
            "AC01 wrong account",
        )


def test_the_same_sheet_twice_at_once_books_once(house: House, two) -> None:
    (first, payout), _ = two
    make(house)
    sheet = f"reference,status\n{payout.hex},paid\n"

    at_once(house.till, lambda: results(house, sheet), lambda: results(house, sheet))

    assert house.cents(first) == (0, 0, 10_000) and house.till.count("payout_results") == 1


def test_what_failed_after_it_was_paid_is_payable_again(house: House, two) -> None:
    (first, payout), _ = two
    make(house)
    results(house, f"reference,status\n{payout.hex},paid\n")

    assert results(house, f"reference,status,reason\n{payout.hex},returned,MD07\n") == [("failed", "")]

    assert house.cents(first) == (10_000, 0, 0) and house.till.account(1050) == 0
    assert results(house, f"reference,status\n{payout.hex},paid\n\n\n") == [("refused", "payout_ended")]


def test_lines_of_nobody_and_of_other_files_are_refused_by_code(house: House, two) -> None:
    (_, payout), _ = two
    earner = house.earner()
    house.fund()
    house.onboard(earner)
    by_stripe = house.draft(earner, 10_000)
    make(house)
    sheet = "\n".join((
        "reference,status,amount", "x,paid,", f"{'0' * 32},paid,", f"{by_stripe.hex},paid,", f"{payout.hex},maybe,",
        f"{payout.hex},paid,99.99", f"{payout.hex},pending,100.00",
    ))  # fmt: skip

    assert results(house, sheet) == [
        ("refused", "unknown_payout"), ("refused", "foreign_payout"), ("refused", "foreign_payout"),
        ("refused", "unknown_status"), ("refused", "other_amount"), ("waits", ""),
    ]  # fmt: skip
    assert results(house, f"reference,status\n{payout.hex},paid\n", "wise") == [("refused", "foreign_payout")]
    assert house.state(payout) == "sent"  # of which its payer tells, so that it was handed on


@pytest.mark.parametrize(
    "sheet", ["", "reference\n1\n", "a,b\n1,2\n", 'reference,status\n"1,2\n', "reference,status\n" + "x,paid\n" * 10_001],
    ids=["empty", "no status", "other columns", "an open quote", "too long"],
)  # fmt: skip
def test_what_is_no_sheet_of_results_is_refused_whole(house: House, sheet: str) -> None:
    with pytest.raises(Invalid) as refused:
        results(house, sheet)
    assert refused.value.code == "bad_results" and house.till.count("payout_results") == 0


def test_bytes_that_are_no_text_are_refused() -> None:
    assert read_results(b"\xff\xfe\x00")[1] and read_results(b"x" * 4_000_001)[1]


def test_a_file_that_was_never_handed_on_can_be_given_up(house: House, two) -> None:
    (first, payout), _ = two
    file = make(house)

    with transaction():
        give_up_payout_file(file, ANNA, house.now)
    with transaction():
        give_up_payout_file(file, ANNA, house.now)

    assert house.cents(first) == (10_000, 0, 0) and house.payout(payout).reason == "file_withdrawn"
    with pytest.raises(Conflict), transaction():
        hand_on_payout_file(file, ANNA, house.now)
    assert results(house, f"reference,status\n{payout.hex},paid\n") == [("refused", "payout_ended")]


def test_a_file_that_was_handed_on_is_not_given_up(house: House, two) -> None:
    file = make(house)
    with transaction():
        hand_on_payout_file(file, ANNA, house.now)
    with pytest.raises(Conflict), transaction():
        give_up_payout_file(file, ANNA, house.now)


def test_a_file_needs_an_account_to_pay_from_and_euros(house: House, two) -> None:
    with pytest.raises(Conflict, match="which account"), transaction():
        make_payout_file("sepa", "EUR", None, ANNA, house.now)
    with pytest.raises(Invalid), transaction():
        make_payout_file("sepa", "USD", DEBTOR, ANNA, house.now)
    with pytest.raises(Invalid), transaction():
        make_payout_file("connect", "EUR", None, ANNA, house.now)


@pytest.mark.parametrize("kind", ["wise", "paypal"])
def test_a_sheet_for_another_payer_runs_no_formula(house: House, kind: str) -> None:
    earner = house.earner(10_000)
    with transaction():
        say_rail(account_of(earner), RailWish(kind, "=HYPERLINK(1)", "VN", "ada@example.com"), ANNA, house.now)
    payout = house.draft(earner, 10_000)
    file = make(house, kind)
    with transaction():
        [_, line] = csv.reader(io.StringIO(content_of_payout_file(file).decode()))

    assert payout.hex in line and "100.00" in line and "ada@example.com" in line
    assert not any(cell.startswith(FORMULA) for cell in line)
    assert results(house, f"Payment reference,Status\n{payout.hex},completed\n", kind) == [("paid", "")]


def test_who_says_another_place_before_the_file_is_paid_there_next_time(house: House, two) -> None:
    (first, payout), _ = two
    house.sepa(first, "FR7630006000011234567890189")

    make(house)

    assert (house.state(payout), house.payout(payout).reason) == ("withdrawn", "rail_changed")
    assert house.cents(first) == (10_000, 0, 0)


TEXTS = st.text(max_size=80)


@given(TEXTS, st.integers(1, 10**9))
def test_names_are_written_in_the_letters_of_sepa(name: str, minor: int) -> None:
    order = Order("m" * 32, datetime(2026, 12, 1, tzinfo=UTC), date(2026, 12, 1), "EUR", Debtor(name, IBAN, "AGRIFRPP"))
    raw = write_order(order, [Credit("e" * 32, name, IBAN, "", minor, name)])

    root = ET.fromstring(raw)
    for one in root.iter(f"{NAMES}Nm"):
        assert one.text and one.text.isascii() and len(one.text) <= 70
    assert root.find(f".//{NAMES}InstdAmt").text == str(Money(minor, "EUR"))
    assert raw == write_order(order, [Credit("e" * 32, name, IBAN, "", minor, name)])


@pytest.mark.parametrize(
    ("said", "written"),
    [("Zoë Müller", "Zoe Muller"), ("Straße & Søn", "Strasse + Son"), ("Łódź", "Lodz"), ("中文", ".."), ("", "-")],
)
def test_how_names_are_written(said: str, written: str) -> None:
    assert plain_words(said, 70) == written


@given(TEXTS.filter(lambda text: "\0" not in text and "\r" not in text))
def test_no_cell_is_a_formula(name: str) -> None:
    [_, line] = csv.reader(
        io.StringIO(write_sheet("wise", "EUR", [Payee("r", name, "a@b.example", 1)]).decode(), newline="")
    )
    assert not line[0].startswith(FORMULA) and line[0].removeprefix("'") == name.removeprefix("'")
    assert safe_cell("=1") == "'=1"


def test_what_the_bank_shows_of_payouts_is_moved_out_of_suspense_to_them(house: House, two) -> None:
    (_, payout), _ = two
    make(house)
    results(house, f"reference,status\n{payout.hex},paid\n")
    lines = "ARRAY[ROW(1030::smallint, NULL, -10000), ROW(2900::smallint, NULL, 10000)]::billing.line[]"
    # As a statement books a debit that names nobody.
    with transaction() as session:
        session.execute(
            text(f"SELECT billing.post('suspense', 'test:debit', 'EUR', {lines}, 'x', 'tester', NULL, now())")
        )
        item = session.execute(text("SELECT id FROM billing.transactions WHERE key = 'test:debit'")).scalar_one()

    with transaction():
        wish = Wish(item, "payouts", 10_000, "the file of Monday")
        assert move_suspense(wish, is_credit=False, actor=ANNA, at=house.now).state == "done"

    assert (house.till.account(1050), house.till.account(2900), house.till.account(1030)) == (0, 0, -10_000)
