"""Wallets that run low: what they spend a day is counted, and their owner is warned once a fall."""

import pytest

from billing import warn_low
from core.db import transaction
from marketplace.jobs import run_due
from marketplace.leads.wallet_paces import count_paces
from marketplace.wallet_mails import wallet_mail
from tests.billing.funding.conftest import Till, at_once, sql
from tests.billing.funding.saved import buy, owner
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

DAYS = 7


def told(till: Till) -> list[dict]:  # type: ignore[type-arg]
    """Return what the outbox or the notices tell of wallets that run low."""
    waiting = sql("SELECT payload FROM core.outbox WHERE topic = 'notice' AND payload->>'event' = 'wallet.low'")
    return [row.payload for row in waiting]


def look(till: Till) -> None:
    """Count what is spent, and warn."""
    till.clock.advance(minutes=11)
    run_due(till.clock.now())


def pace(till: Till) -> int:
    [row] = sql("SELECT daily_minor FROM billing.wallet_paces WHERE account_id = :id", id=owner(till))
    return int(row.daily_minor)


def test_a_wallet_that_lasts_less_than_a_day_is_told_of_once_a_fall(till: Till) -> None:
    till.credit("90.00")
    buy(till, "70.00")  # 10.00 a day
    look(till)
    assert pace(till) == 1_000 and told(till) == []

    buy(till, "15.00")  # the 70.00 order is passed by: 5.00 are left, of 12.14 a day
    look(till)
    [news] = told(till)
    assert news["data"]["left"] == {"amount": "5.00", "currency": "EUR"} and news["data"]["warned_below_hours"] == 24
    assert news["data"]["daily_spend"]["amount"] == "12.14" and news["accounts"] == [str(owner(till))]
    look(till)
    till.credit("9.00")  # 14.00: above a day, and not by a quarter
    look(till)
    assert len(told(till)) == 1

    till.credit("2.00")
    look(till)
    buy(till, "15.00")  # 1.00 is left
    look(till)
    assert len(told(till)) == 2
    mails = sql("SELECT args FROM procrastinate_jobs WHERE task_name = 'billing.wallet_mail'")
    assert [row.args["what"] for row in mails] == ["low"] * 2
    subject, says = wallet_mail("low", mails[0].args["told"], "https://x.example")
    assert subject == "Your wallet is running low" and "5.00 EUR are left" in says and "12.14 EUR a day" in says


def test_rounds_at_once_warn_once(till: Till) -> None:
    till.credit("70.00")
    buy(till, "70.00")
    with transaction():
        count_paces(till.clock.now())

    def warn() -> None:
        with transaction():
            warn_low(till.clock.now())

    assert at_once(till, *[warn] * 5) == [] and len(told(till)) == 1


def test_what_was_spent_more_than_seven_days_ago_counts_no_more(till: Till) -> None:
    till.credit("71.00")
    buy(till, "70.00")
    look(till)
    assert len(told(till)) == 1
    till.clock.advance(days=8)
    look(till)

    assert pace(till) == 0 and len(told(till)) == 1
    assert sql("SELECT low_since FROM billing.wallet_paces WHERE account_id = :id", id=owner(till))[0].low_since is None


def test_a_wallet_that_spends_nothing_or_is_suspended_is_not_warned_of(till: Till) -> None:
    till.credit("71.00")
    look(till)
    buy(till, "70.00")
    sql("UPDATE billing.wallets SET suspended_at = now() WHERE account_id = :id", id=owner(till))
    look(till)

    assert told(till) == []


@pytest.mark.parametrize("page", ["/buyer/wallet", "/buyer/orders"])
def test_the_warning_stands_on_the_pages_until_the_wallet_has_recovered(till: Till, page: str) -> None:
    till.credit("71.00")
    visitor = visitor_of(till.market, till.buyer)
    assert "runs low" not in words_of(visitor.open(page))
    buy(till, "70.00")
    look(till)
    assert "runs low" in words_of(visitor.open(page))
    till.credit("100.00")
    look(till)
    assert "runs low" not in words_of(visitor.open(page))
