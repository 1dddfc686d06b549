"""Payouts of a market: runs by schedule, what publishers read of them, and what operators do."""

import io
from datetime import timedelta
from typing import Any

import pytest

from affiliates import Wish, change_terms, present_terms
from billing import Payee, RailWish, find_rail, owed_by, say_bank_account, say_rail
from core.db import transaction
from core.defaults import NOTHING
from core.ids import new_id, show_id
from marketplace.jobs import run_due, settle_due, tell_of_waiting_payouts
from marketplace.payout_acts import hand_on, make_file, take_results
from tests.billing.payouts.conftest import ANNA, IBAN, House, account_of, sql, told
from tests.conftest import START
from tests.core.test_sign_in import email_of
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of

OURS = Payee("EUR", "Leadbourse GmbH", "FR7630006000011234567890189", "AGRIFRPP")


def tier(member: Member, name: str) -> None:
    """Pin a publisher to a tier, so that no review moves him."""
    with transaction():
        wish = Wish(name, True, {}, "for a test", present_terms(account_of(member)).version)
        change_terms(account_of(member), wish, NOTHING, ANNA, START)


def items(member: Member) -> Any:
    return member.get("/payouts")["items"]


@pytest.fixture
def publisher(house: House) -> Member:
    """A publisher of standing who is paid by SEPA."""
    made = house.earner(20_000)
    tier(made, "trusted")
    house.sepa(made)
    return made


@pytest.fixture
def operator(house: House, market: Market) -> Visitor:
    visitor = Visitor(market.app)
    visitor.sign_in(email_of(market, "operator"))
    return visitor


def test_a_run_pays_by_stripe_from_balance_to_bank_in_one_round(house: House) -> None:
    house.fund()
    earner = house.earner()
    tier(earner, "standard")
    account = house.onboard(earner)

    done = run_due(house.now)
    run_due(house.now)

    assert done["payouts_drafted"] == 1 and done["payouts_ordered"] == 1
    [one] = items(earner)
    assert (one["state"], one["amount"]["amount"], one["rail"], one["due_on"]) == (
        "paid",
        "100.00",
        "connect",
        "2026-11-16",
    )
    assert house.theirs(account) == 10_000 and [each["amount"] for each in told("payout.sent")] == [one["amount"]]
    assert earner.get("/balance")["paid"]["amount"] == "100.00"


def test_each_reason_for_no_payout_is_a_row_that_its_publisher_reads(house: House) -> None:
    nowhere, small, waiting = house.earner(), house.earner(4_999), house.earner()
    house.sepa(small)
    house.onboard(waiting, complete=False)

    settle_due(house.now)

    reasons = {each.id: (items(each)[0]["state"], items(each)[0]["reason"]) for each in (nowhere, small, waiting)}
    assert reasons == {nowhere.id: ("skipped", "no_rail"), small.id: ("skipped", "below_threshold"),
                       waiting.id: ("skipped", "onboarding_unfinished")}  # fmt: skip
    assert all(items(each)[0]["message"] for each in (nowhere, small, waiting))


def test_a_small_balance_is_paid_after_ninety_days(house: House, publisher: Member) -> None:
    small = house.earner(150)
    tier(small, "trusted")
    house.sepa(small, "FR7630006000011234567890189")
    settle_due(house.now)
    settle_due(house.till.clock.advance(days=84))
    assert {one["reason"] for one in items(small)} == {"below_threshold"}

    settle_due(house.till.clock.advance(days=7))

    assert (items(small)[0]["state"], items(small)[0]["amount"]["amount"]) == ("approved", "1.50")


def test_a_newcomers_first_payout_is_capped_and_looked_at(house: House, operator: Visitor) -> None:
    newcomer = house.earner(150_000)
    house.sepa(newcomer)

    settle_due(house.now)

    [one] = items(newcomer)
    assert (one["state"], one["amount"]["amount"], one["reason"]) == ("drafted", "1000.00", "first_payout_capped")
    assert operator.send(f"/operator/payouts/{one['id']}/agree", f"/operator/payouts/{one['id']}").status_code == 303
    assert items(newcomer)[0]["state"] == "approved"
    log = words_of(operator.open("/operator/log"))
    assert "payout" in log


def test_each_tier_is_paid_on_its_own_days_and_once(house: House, publisher: Member) -> None:
    new, standard = house.earner(), house.earner()
    tier(standard, "standard")
    for each in (new, standard):
        house.sepa(each)

    for _ in range(40):
        settle_due(house.now)
        house.till.clock.advance(days=1)

    days = {each.id: sorted(one["due_on"] for one in items(each)) for each in (new, standard, publisher)}
    assert days[new.id] == ["2026-11-01", "2026-12-01", "2027-01-01"][: len(days[new.id])] and len(days[new.id]) >= 2
    assert days[standard.id] == ["2026-11-16", "2026-12-01", "2026-12-16"]
    assert days[publisher.id] == [
        "2026-11-16",
        "2026-11-23",
        "2026-11-30",
        "2026-12-07",
        "2026-12-14",
        "2026-12-21",
        "2026-12-28",
    ]


def test_what_is_owed_after_a_payout_is_netted_before_the_next_and_carried_with_its_age(
    house: House, publisher: Member, operator: Visitor
) -> None:
    came_back_after_it_was_paid(house, publisher, 5_000)
    house.earn(publisher, 2_000)

    settle_due(house.till.clock.advance(days=7))

    assert (items(publisher)[0]["state"], items(publisher)[0]["reason"]) == ("skipped", "owed")
    assert [tuple(row) for row in sql("SELECT payable, owed FROM billing.earners")] == [(0, 3_000)]
    assert "€30.00" in words_of(operator.open("/operator/payouts"))
    with transaction():
        owes = owed_by(account_of(publisher), "EUR", house.now)
        assert owes is not None and (owes.since, owes.is_receivable) == (house.now - timedelta(days=7), False)
    house.earn(publisher, 9_000)
    settle_due(house.till.clock.advance(days=7))
    assert (items(publisher)[0]["state"], items(publisher)[0]["amount"]["amount"]) == ("approved", "60.00")


def came_back_after_it_was_paid(house: House, publisher: Member, cents: int) -> None:
    """Have a publisher earn something, be paid all, and something come back of which nothing is left."""
    buyer = house.till.market.make_buyer("1000.00")
    values = {
        "hold": new_id(),
        "buyer": account_of(buyer),
        "earner": account_of(publisher),
        "cents": cents,
        "at": house.now,
    }
    sql("SELECT billing.place_hold(:hold, :buyer, 'EUR', :cents, 'click', 'k' || :hold, 'tester', :at)", **values)
    request = "ARRAY[ROW(:hold, :cents, :earner, :cents, 0, NULL, NULL)::billing.hold_request]"
    sql(f"SELECT state FROM billing.resolve_holds({request}, 'tester', :at)", **values)
    pay_by_sepa(house)
    sql("SELECT billing.refund_capture(:hold, :cents, :cents, 'r' || :hold, 'why', 'tester', :at)", **values)


def test_a_new_place_is_looked_at_even_of_an_old_publisher(house: House, publisher: Member, operator: Visitor) -> None:
    pay_by_sepa(house)
    house.earn(publisher, 20_000)
    with transaction():
        say_rail(
            account_of(publisher),
            RailWish("sepa", "Somebody Else", "FR", "FR7630006000011234567890189"),
            ANNA,
            house.now,
        )

    settle_due(house.till.clock.advance(days=7))

    assert (items(publisher)[0]["state"], items(publisher)[0]["reason"]) == ("drafted", "new_place")


def pay_by_sepa(house: House) -> str:
    """Have the present drafts be paid by a file, whole way, and return its id."""
    settle_due(house.now)
    with transaction():
        say_bank_account(OURS, ANNA, house.now)
    with transaction():
        file = make_file("sepa", "EUR", ANNA, house.now)
        shown = file.id
    with transaction():
        hand_on(shown, ANNA, house.now)
    rows = sql("SELECT id FROM billing.payouts WHERE file_id = :id", id=shown)
    sheet = "reference,status\n" + "".join(f"{row[0].hex},paid\n" for row in rows)
    with transaction():
        take_results(sheet.encode(), "sepa", "results.csv", ANNA, house.now)
    return show_id("pfl", shown)


def test_a_paused_publisher_is_paid_only_when_a_person_agrees(house: House, publisher: Member) -> None:
    operator = house.till.market.make_operator()
    assert operator.request("PATCH", f"/publishers/{publisher.id}", {"standing": "paused"}).status_code == 200

    settle_due(house.now)

    assert (items(publisher)[0]["state"], items(publisher)[0]["reason"]) == ("drafted", "standing_paused")


def test_only_the_top_is_paid_on_request_and_never_twice(house: House, publisher: Member) -> None:
    assert publisher.request("POST", "/payouts", {}).json["code"] == "not_on_request"
    tier(publisher, "top")

    made = publisher.post("/payouts", {})
    again = publisher.request("POST", "/payouts", {})

    assert (made["state"], made["amount"]["amount"], made["expected_on"]) == ("approved", "200.00", "2026-11-23")
    assert again.status_code == 409 and again.json["errors"][0]["code"] == "draft_waits"
    assert publisher.get(f"/payouts/{made['id']}")["id"] == made["id"]


@pytest.mark.parametrize(("cents", "code"), [(4_999, "below_threshold"), (0, "nothing_payable")])
def test_a_request_for_nothing_is_refused_with_its_reason(house: House, cents: int, code: str) -> None:
    made = house.earner(cents) if cents else house.till.market.make_publisher()
    tier(made, "top")
    house.sepa(made)

    answer = made.request("POST", "/payouts", {"currency": "EUR"})

    assert (answer.status_code, answer.json["code"], answer.json["errors"][0]["code"]) == (409, "payout_not_due", code)
    assert items(made) == []


def test_a_strangers_payout_is_not_found(house: House, publisher: Member) -> None:
    settle_due(house.now)
    [one] = items(publisher)
    stranger = house.till.market.make_publisher()

    assert stranger.request("GET", f"/payouts/{one['id']}").status_code == 404
    assert visitor_of(house.till.market, stranger).open(f"/publisher/payouts/{one['id']}").status_code == 404


def test_the_next_payout_is_told_with_its_amount_and_its_reason(house: House, publisher: Member) -> None:
    told_now = publisher.get("/payouts/next")
    assert (told_now["on"], told_now["schedule"], told_now["amount"]["amount"]) == ("2026-11-23", "weekly", "200.00")
    assert (told_now["rail"]["place"], told_now["rail"]["state"]) == ("DE…3000", "ready")
    poor = house.till.market.make_publisher()
    assert (poor.get("/payouts/next")["reason"], poor.get("/payouts/next")["rail"]) == ("nothing_payable", None)


def test_a_list_of_payouts_is_read_page_by_page(house: House, publisher: Member) -> None:
    for _ in range(3):
        settle_due(house.till.clock.advance(days=7))

    first = publisher.get("/payouts?limit=2")
    second = publisher.get(f"/payouts?limit=2&cursor={first['next_cursor']}")

    assert len({one["id"] for one in (*first["items"], *second["items"])}) == 3 and second["next_cursor"] is None


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (
            {"kind": "sepa", "holder": "Ada", "country": "DE", "destination": "DE89370400440532013001"},
            "its digits do not check",
        ),
        (
            {"kind": "sepa", "holder": "Ada", "country": "BR", "destination": "BR1500000000000010932840814P2"},
            "take no SEPA transfers",
        ),
        ({"kind": "wise", "holder": "Ada", "country": "VN", "destination": "=cmd@example.com"}, "e-mail address"),
        ({"kind": "sepa", "holder": "", "country": "Germany", "destination": IBAN}, "the name of whoever is paid"),
    ],
)
def test_a_wrong_place_is_refused_at_its_field(
    house: House, publisher: Member, typed: dict[str, str], says: str
) -> None:
    visitor = visitor_of(house.till.market, publisher)

    answer = visitor.send("/publisher/payouts/place", **typed)

    assert answer.status_code == 200 and says in words_of(answer)
    with transaction():
        rail = find_rail(account_of(publisher))
        assert rail is not None and rail.destination == IBAN


def test_a_publisher_says_another_place_and_everybody_of_the_account_is_told(house: House, publisher: Member) -> None:
    visitor = visitor_of(house.till.market, publisher)

    fields = {"kind": "paypal", "holder": "Ada", "country": "VN", "destination": "Ada@Example.com"}
    assert visitor.send("/publisher/payouts/place", **fields).status_code == 303

    page = words_of(visitor.open("/publisher/payouts"))
    assert "PayPal" in page and "a…@example.com" in page
    assert [one["place"] for one in told("payout.rail_said")] == ["a…@example.com"]


def test_a_publisher_goes_to_the_processor_and_comes_back_payable(house: House) -> None:
    earner = house.earner()
    visitor = visitor_of(house.till.market, earner)
    assert visitor.send("/publisher/payouts/place", kind="connect", holder="Ada", country="FR").location.endswith(
        "/onboarding"
    )

    [address] = visitor.read("/publisher/payouts/onboarding").xpath("//a[@rel='noopener noreferrer']/@href")
    house.visit(address, onboarding="complete")
    assert visitor.open("/publisher/payouts/back").status_code == 303

    assert "Ready" in words_of(visitor.open("/publisher/payouts"))


def test_an_operator_makes_a_file_hands_it_on_and_takes_the_results_in(
    house: House, publisher: Member, operator: Visitor
) -> None:
    settle_due(house.now)
    with transaction():
        say_bank_account(OURS, ANNA, house.now)
    made = operator.send("/operator/payout-files", "/operator/payouts", kind="sepa", currency="EUR").location
    content = operator.open(f"{made}/content")
    assert content.data.count(b"<CdtTrfTxInf>") == 1 and content.data == operator.open(f"{made}/content").data
    operator.send(f"{made}/handed-on", made)
    assert items(publisher)[0]["state"] == "sent"

    [reference] = [row[0].hex for row in sql("SELECT id FROM billing.payouts WHERE file_id IS NOT NULL")]
    sheet = f"reference;status;reason\n{reference};paid;\n{'0' * 32};paid;\n".encode()
    operator.send("/operator/payout-results", "/operator/payouts", kind="sepa", file=(io.BytesIO(sheet), "r.csv"))
    said = words_of(operator.open("/operator/payouts"))
    assert "2 lines taken in, of which 1 were refused" in said
    operator.send("/operator/payout-results", "/operator/payouts", kind="sepa", file=(io.BytesIO(sheet), "r.csv"))
    assert "nothing was booked again" in words_of(operator.open("/operator/payouts"))
    [shown] = operator.read("/operator/payouts").xpath("//a[contains(@href, 'payout-results')]/@href")
    assert "this payout stood in none" in words_of(operator.open(shown))
    assert items(publisher)[0]["state"] == "paid" and publisher.get("/balance")["paid"]["amount"] == "200.00"


def test_a_large_payout_waits_for_two_operators_on_pages(house: House, market: Market, operator: Visitor) -> None:
    earner = house.earner(600_000)
    tier(earner, "trusted")
    house.sepa(earner)
    settle_due(house.now)
    [one] = items(earner)
    page = f"/operator/payouts/{one['id']}"
    operator.send(f"{page}/agree", page)
    assert items(earner)[0]["reason"] == "second_needed" and "Agree to it" not in words_of(operator.open(page))
    other = visitor_of(market, market.make_operator())

    other.send(f"{page}/agree", page)

    assert items(earner)[0]["state"] == "approved"


def test_what_is_withdrawn_says_why_to_its_publisher(house: House, publisher: Member, operator: Visitor) -> None:
    settle_due(house.now)
    [one] = items(publisher)
    page = f"/operator/payouts/{one['id']}"
    operator.send(f"{page}/withdraw", page, reason="")
    assert items(publisher)[0]["state"] == "approved"

    operator.send(f"{page}/withdraw", page, reason="your bank called")

    assert items(publisher)[0]["state"] == "withdrawn"
    assert "your bank called" in words_of(
        visitor_of(house.till.market, publisher).open(f"/publisher/payouts/{one['id']}")
    )
    assert operator.send(f"{page}/sing", page).status_code == 404
    assert publisher.get("/balance")["payable"]["amount"] == "200.00"


def test_operators_are_told_when_payouts_wait_for_the_balance(house: House, market: Market) -> None:
    earner = house.earner()
    tier(earner, "standard")
    house.onboard(earner)
    run_due(house.now)

    assert sql("SELECT count(*) FROM public.procrastinate_jobs WHERE task_name = 'billing.payouts_wait'")[0][0] == 1
    tell_of_waiting_payouts()
    assert told("payouts.waiting") == [{"drafted": 0, "approved": 1}]
    assert items(earner)[0]["reason"] == "waits_for_balance"
