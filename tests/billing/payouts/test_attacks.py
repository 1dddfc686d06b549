"""What somebody gains by cheating payouts, which is nothing: each test is an attack that once worked, or might have."""

from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import event

from billing import (
    PayoutDebtor,
    RailWish,
    approve_payout,
    find_rail,
    give_up_payout_file,
    hand_on_payout_file,
    make_payout_file,
    say_rail,
    take_payout_results,
    try_payout_again,
)
from billing.payouts.ordering import order_covered
from billing.payouts.outcomes import record_transfer
from billing.payouts.sheets import FORMULA, safe_cell
from billing.stripe_gateway import gateway
from core.db import transaction
from core.errors import Conflict, Invalid, NotAllowed
from tests.billing.payouts.conftest import ANNA, BORIS, IBAN, House, account_of, sql
from tests.factories import Member

DEBTOR = PayoutDebtor("Leadbourse GmbH", "FR7630006000011234567890189", "AGRIFRPP")
NAMES = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"
ELSEWHERE = "FR7630006000011234567890189"


def make(house: House, kind: str = "sepa"):
    with transaction():
        made = make_payout_file(kind, "EUR", DEBTOR if kind == "sepa" else None, ANNA, house.now)
        return made.id if made else None


def results(house: House, sheet: str, kind: str = "sepa", who: str = ANNA) -> list[tuple[str, str]]:
    with transaction():
        found, _ = take_payout_results(sheet.encode(), kind, "results.csv", who, house.now)
        return [(one["outcome"], one.get("code", "")) for one in found.outcomes]


@pytest.mark.parametrize("forged", ["another amount", "another account"])
def test_a_transfer_that_only_names_a_payout_does_not_take_its_place(house: House, paid, forged: str) -> None:
    earner, account = paid
    other = house.onboard(house.earner(1))
    payout = house.draft(earner, 10_000)
    with transaction():
        order_covered({"EUR": 10**9}, house.now)
    wrong = {"amount": 9_999} if forged == "another amount" else {"destination": other}
    made = {"amount": 10_000, "currency": "eur", "destination": account, "metadata": {"leadbourse": str(payout)}}
    gateway()._client.transfers.create(made | wrong)
    with pytest.MonkeyPatch.context() as patch:  # its news comes before ours is sent
        patch.setattr("billing.funding.due.send_calls", lambda door: 0)
        house.look()
    assert house.state(payout) == "ordered"

    house.look(again=True)
    house.look(again=True)

    assert (house.state(payout), house.cents(earner)) == ("paid", (0, 0, 10_000))
    assert house.till.account(2900) == (9_999 if forged == "another amount" else 10_000)


def test_a_look_up_takes_no_transfer_of_another_amount_for_ours(house: House, paid) -> None:
    earner, account = paid
    payout = house.draft(earner, 10_000)
    house.till.stripe.fault("500", method="POST", path="/v1/transfers", times=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("billing.funding.due.fetch_news", lambda door: 0)
        patch.setattr("billing.funding.due.read_balance", lambda door, at: 0)
        house.look()
        gateway()._client.transfers.create({
            "amount": 1, "currency": "eur", "destination": account, "transfer_group": str(payout),
            "metadata": {"leadbourse": str(payout)},
        })  # fmt: skip
        sql("UPDATE billing.card_calls SET sent_at = sent_at - interval '24 h' WHERE verb = 'send_transfer'")
        house.look(again=True)

    assert (house.state(payout), house.payout(payout).reason) == ("refused", "never_arrived")


@pytest.mark.parametrize("word", ["unclaimed", "bounced_back", "onhold"])
def test_what_a_payer_may_still_deliver_is_not_paid_again(house: House, word: str) -> None:
    earner = house.earner(10_000)
    with transaction():
        say_rail(account_of(earner), RailWish("paypal", "Ada", "VN", "ada@example.com"), ANNA, house.now)
    payout = house.draft(earner, 10_000)
    make(house, "paypal")

    assert results(house, f"Reference ID,Status\n{payout.hex},{word}\n", "paypal") == [("waits", "")]

    assert house.cents(earner) == (0, 10_000, 0)


def test_a_sheet_that_came_under_the_wrong_payer_comes_again_under_the_right_one(house: House) -> None:
    earner = house.earner(10_000)
    house.sepa(earner)
    payout = house.draft(earner, 10_000)
    make(house)
    sheet = f"reference,status\n{payout.hex},paid\n"

    assert results(house, sheet, "wise") == [("refused", "foreign_payout")]
    assert results(house, sheet, "sepa") == [("paid", "")]


def test_who_says_that_a_payout_failed_does_not_agree_to_the_next_one(house: House) -> None:
    earner = house.earner(10_000)
    house.sepa(earner)
    payout = house.draft(earner, 10_000)
    make(house)
    results(house, f"reference,status\n{payout.hex},failed\n")
    house.sepa(earner, ELSEWHERE)

    again = house.draft(earner, 10_000, review=True, reason="came_back")

    with pytest.raises(NotAllowed, match="another operator"), transaction():
        approve_payout(again, ANNA, house.now)
    with transaction():
        approve_payout(again, BORIS, house.now)
    assert house.state(again) == "approved"


def test_who_gives_up_a_file_does_not_agree_to_what_stood_in_it(house: House) -> None:
    earner = house.earner(10_000)
    house.sepa(earner)
    house.draft(earner, 10_000)
    file = make(house)
    with transaction():
        give_up_payout_file(file, ANNA, house.now)

    again = house.draft(earner, 10_000, review=True, reason="came_back")

    with pytest.raises(NotAllowed, match="another operator"), transaction():
        approve_payout(again, ANNA, house.now)


def test_a_file_that_was_paid_in_part_is_not_given_up(house: House) -> None:
    first, second = house.earner(10_000), house.earner(5_000)
    house.sepa(first)
    house.sepa(second, ELSEWHERE)
    paid, other = house.draft(first, 10_000), house.draft(second, 5_000)
    file = make(house)

    assert results(house, f"reference,status\n{paid.hex},paid\n") == [("paid", "")]

    with pytest.raises(Conflict, match="handed on"), transaction():
        give_up_payout_file(file, ANNA, house.now)
    assert (house.state(other), house.cents(second)) == ("sent", (0, 5_000, 0))
    with transaction():
        hand_on_payout_file(file, ANNA, house.now)


def test_what_came_back_by_somebodys_word_counts_to_what_one_gets_without_a_second_person(house: House) -> None:
    earner = house.earner(300_000)
    house.sepa(earner)
    payout = house.draft(earner, 300_000)
    make(house)
    results(house, f"reference,status\n{payout.hex},failed\n")
    house.sepa(earner, ELSEWHERE)

    assert house.payout(house.draft(earner, 300_000)).needs_second


def test_two_earners_of_one_place_have_one_limit(house: House) -> None:
    first, second = house.earner(300_000), house.earner(300_000)
    house.sepa(first)
    house.sepa(second)

    assert not house.payout(house.draft(first, 300_000)).needs_second
    assert house.payout(house.draft(second, 300_000)).needs_second


def test_a_limit_that_is_raised_counts_a_day_later(house: House) -> None:
    earner = house.earner(600_000)
    house.sepa(earner)
    raise_limit(house, 10_000_000)

    first = house.draft(earner, 600_000)
    assert house.payout(first).needs_second
    sql("UPDATE billing.payouts SET state = 'withdrawn', reason = 'for a test' WHERE id = :id", id=first)
    house.till.clock.advance(hours=25)
    assert not house.payout(house.draft(earner, 600_000)).needs_second


def raise_limit(house: House, minor: int) -> None:
    sql(
        "INSERT INTO core.overrides (key, version, country, value, actor, reason, at) VALUES"
        " ('four_eyes.payout_minor', 1, '', to_jsonb(CAST(:minor AS bigint)), 'user:anna', 'for me', :at)",
        minor=minor,
        at=house.now,
    )


def test_who_owes_is_not_paid_what_is_not_netted_yet(house: House) -> None:
    earner = house.earner(10_000)
    house.sepa(earner)
    payout = house.draft(earner, 10_000)
    # As a claw-back of more than is payable, and something that became payable since.
    sql("UPDATE billing.earners SET owed = 4_000")

    assert make(house) is None

    assert (house.state(payout), house.payout(payout).reason) == ("withdrawn", "balance_fell")
    sql("UPDATE billing.earners SET owed = 0")


def test_a_draft_that_cannot_be_paid_is_withdrawn_though_nothing_else_is_in_the_file(house: House) -> None:
    earner = house.earner(10_000)
    house.sepa(earner)
    payout = house.draft(earner, 10_001)

    assert make(house) is None

    assert house.state(payout) == "withdrawn" and house.till.count("payout_files") == 0
    assert house.state(house.draft(earner, 10_000)) == "approved"


def test_who_says_another_place_is_not_kept_waiting_by_a_draft_for_the_old_one(house: House) -> None:
    earner = house.earner(10_000)
    house.sepa(earner)
    payout = house.draft(earner, 10_000)

    house.sepa(earner, ELSEWHERE)

    assert (house.state(payout), house.payout(payout).reason) == ("withdrawn", "rail_changed")
    assert house.state(house.draft(earner, 10_000)) == "approved"


def test_what_was_refused_is_not_sent_to_another_place_without_a_persons_eye(house: House, paid) -> None:
    earner, account = paid
    payout = house.draft(earner, 10_000)
    with transaction():
        order_covered({"EUR": 10**9}, house.now)
    house.till.stripe.control("POST", f"accounts/{account}/rejected")
    house.look()
    assert house.state(payout) == "refused"
    house.sepa(earner)
    with transaction():
        rail = find_rail(account_of(earner))
        assert rail is not None
        again = try_payout_again(payout, rail.id, ANNA, house.now).id

    assert (house.state(again), house.payout(again).needs_review) == ("drafted", True)


def test_many_large_ones_that_wait_do_not_keep_a_small_one_from_being_sent(house: House) -> None:
    large = [house.earner(50_000) for _ in range(2)]
    small = house.earner(5_000)
    for each in (*large, small):
        house.onboard(each)
        house.draft(each, 50_000 if each in large else 5_000)

    with transaction():
        assert order_covered({"EUR": 10_000}, house.now, most=2)[0] == 1

    assert house.cents(small) == (0, 5_000, 0)
    house.fund("1500.00")
    house.look()


def of_descending_ids(house: House, count: int = 3) -> list[Member]:
    """Earners whose later drafts are of those who come first, as all lock them who lock several."""
    return sorted((house.earner() for _ in range(count)), key=account_of, reverse=True)


def test_transfers_are_ordered_in_the_order_in_which_everybody_locks_earners(house: House) -> None:
    earners = of_descending_ids(house)
    for each in earners:
        house.onboard(each)
        house.draft(each, 10_000)

    with transaction():
        assert order_covered({"EUR": 10**9}, house.now) == (3, False)

    assert posted("payout") == [account_of(each) for each in reversed(earners)]
    house.fund()
    house.look()


@pytest.mark.parametrize("how", ["results", "given up"])
def test_a_file_is_booked_in_the_order_in_which_everybody_locks_earners(house: House, how: str) -> None:
    earners = of_descending_ids(house)
    for each in earners:
        house.sepa(each)
    drafts = [house.draft(each, 10_000) for each in earners]
    file = make(house)

    if how == "results":
        assert (
            results(house, "reference,status\n" + "".join(f"{one.hex},failed\n" for one in drafts))
            == [("failed", "")] * 3
        )
    else:
        with transaction():
            give_up_payout_file(file, ANNA, house.now)

    assert posted("payout_back") == [account_of(each) for each in reversed(earners)]


def posted(kind: str):
    query = (
        "SELECT e.owner_id FROM billing.transactions t JOIN billing.entries e ON e.transaction_id = t.id"
        " WHERE t.kind = :kind AND e.account = 2100 ORDER BY t.id"
    )
    return [row[0] for row in sql(query, kind=kind)]


def test_a_refusal_waits_for_the_rail_before_it_holds_the_earner(house: House, paid) -> None:
    """An order holds the rail and wants the earner: a refusal must not hold the earner and want the rail."""
    earner, _ = paid
    payout = house.draft(earner, 10_000)
    with transaction():
        order_covered({"EUR": 10**9}, house.now)
    seen: list[str] = []
    with transaction() as session:

        def note(_c, _k, statement, *_) -> None:
            if "payout_rails" in statement and "FOR UPDATE" in statement:
                seen.append("rail")
            elif "billing.post(" in statement:
                seen.append("earner")

        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", note)
        try:
            record_transfer(payout, None, "http_400: no", house.now)
        finally:
            event.remove(engine, "before_cursor_execute", note)

    assert seen[:2] == ["rail", "earner"]


@pytest.mark.parametrize("name", ["\uff1dcmd|' /C calc'!A0", "\uff0bA1", "\uff0dA1", "\uff20A1"])
def test_no_wide_letter_begins_a_formula_either(name: str) -> None:
    assert name.startswith(FORMULA) and safe_cell(name) == f"'{name}"


@pytest.mark.parametrize(
    "address", ["\uff1dcmd@example.com", "a\u202eb@example.com", "a@exa\u0440mple.com", "a|b!c@example.com"]
)
def test_an_address_of_a_payer_has_plain_letters(house: House, address: str) -> None:
    earner = house.earner()
    with pytest.raises(Invalid, match="where you were paid"), transaction():
        say_rail(account_of(earner), RailWish("wise", "Ada", "VN", address), ANNA, house.now)


def test_a_bic_of_another_country_than_the_account_is_refused(house: House) -> None:
    earner = house.earner()
    with pytest.raises(Invalid) as refused, transaction():
        say_rail(account_of(earner), RailWish("sepa", "Ada", "DE", IBAN, "AGRIFRPP"), ANNA, house.now)
    assert [one.code for one in refused.value.faults] == ["bad_bic"]
    with transaction():
        say_rail(account_of(earner), RailWish("sepa", "Ada", "DE", IBAN, "COBADEFF"), ANNA, house.now)


def test_names_and_reasons_with_markup_stay_words(house: House) -> None:
    earner = house.earner(10_000)
    with transaction():
        say_rail(account_of(earner), RailWish("sepa", "<Ctry>&amp;]]>", "DE", IBAN), ANNA, house.now)
    house.draft(earner, 10_000)
    (raw,) = sql("SELECT content FROM billing.payout_files WHERE id = :id", id=make(house))[0]
    [name] = [one.text for one in ET.fromstring(bytes(raw)).iterfind(f".//{NAMES}Cdtr/{NAMES}Nm")]
    assert name == ".Ctry.+amp...."
