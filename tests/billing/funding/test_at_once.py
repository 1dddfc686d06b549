"""Several at once: workers that look, people who ask, and calls that are in hand."""

import threading
from datetime import datetime

import pytest

from billing import jobs
from billing.funding.due import run_cards
from billing.funding.paying import start_top_up
from billing.funding.top_ups import Payer, Ways
from billing.stripe_gateway import Undecided
from core.errors import Invalid
from core.ids import parse_id
from core.money import Money
from tests.billing.funding.conftest import Till, at_once, make_due, sql
from tests.billing.funding.test_returns import charge_of, refund


def test_workers_that_look_at_once_do_everything_once(till: Till) -> None:
    till.paid("100.00")
    charge = charge_of(till)
    till.clock.advance(minutes=1)
    till.paid("50.00")
    refund(till, "30.00")
    till.pay(till.ask("70.00")["checkout_url"])
    till.stripe.open_dispute(charge)

    raised = at_once(till, *[lambda: run_cards(till.clock.now(), fetches=True)] * 4)
    assert [error for error in raised if not isinstance(error, Undecided)] == []
    make_due()
    till.look()
    till.look()

    wallet = till.wallet()
    assert (wallet.available.minor, wallet.frozen.minor) == (9_000, 10_000)
    assert till.account(1010) == till.at_stripe() and till.account(2200) == 0 == till.account(1000)


def test_refunds_ordered_at_once_take_no_more_than_there_is(till: Till) -> None:
    till.paid("100.00")
    statuses: list[int] = []

    def ask() -> None:
        body = {"amount": {"amount": "60.00", "currency": "EUR"}}
        statuses.append(till.buyer.request("POST", "/refunds", body).status_code)

    assert at_once(till, *[ask] * 4) == []
    assert sorted(statuses) == [201, 422, 422, 422]
    assert till.wallet().available.minor == 4_000


def test_a_newcomers_pages_opened_at_once_stay_within_the_limit(till: Till) -> None:
    payer = Payer(parse_id("acc", till.buyer.id), till.clock.now(), "a test")

    def ask() -> None:
        start_top_up(payer, Money(60_000, "EUR"), Ways("http://a.test", "http://a.test"), till.clock.now())

    assert [type(error) for error in at_once(till, *[ask] * 3)] == [Invalid] * 2


def test_a_call_in_hand_is_not_taken_by_a_worker(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILPOINT", "top_up.ordered:error")
    till.ask(status=500)
    monkeypatch.delenv("FAILPOINT")
    till.look()
    assert sql("SELECT attempts FROM billing.card_calls") == [(0,)], "its request has a minute"

    make_due()
    till.look()
    assert sql("SELECT state FROM billing.card_calls") == [("done",)]


def test_one_job_at_a_time_looks_and_once_more_for_who_came_meanwhile(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on, looks = threading.Event(), threading.Event(), []

    def look(_: datetime, *, fetches: bool) -> dict[str, int]:
        looks.append(fetches)
        began.set()
        assert go_on.wait(20)
        return {}

    def first() -> None:
        with till.app.app_context():
            jobs.look_at_cards()

    monkeypatch.setattr(jobs, "run_cards", look)
    thread = threading.Thread(target=first)
    thread.start()
    assert began.wait(20)
    jobs.poll_cards()
    jobs.look_at_cards()
    go_on.set()
    thread.join()

    assert looks == [False, True]
