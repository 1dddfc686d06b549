"""What the processor told in words is erased some time after it was handled; that it told, and what came of it, stays."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from billing import erase_card_news
from billing.stripe_gateway import gateway
from core.db import transaction
from core.defaults import default
from tests.billing.fake_stripe.referee import Referee
from tests.billing.funding.conftest import Till, sql

KEPT = "SELECT id, kind, about, object_id, outcome FROM billing.card_news ORDER BY id"


def erase(till: Till, days: int) -> int:
    with transaction():
        return erase_card_news(till.clock.now() + timedelta(days=days))


def test_the_text_of_news_is_erased_after_its_days_and_the_rest_stays(till: Till) -> None:
    till.paid()
    sql("UPDATE billing.card_news SET handled_at = :at", at=till.clock.now())
    before, count = sql(KEPT), till.count("card_news")
    assert count > 0

    assert erase(till, default("card.news_days") - 1) == 0
    assert erase(till, default("card.news_days")) == count and erase(till, 900) == 0
    assert sql(KEPT) == before and sql("SELECT DISTINCT raw FROM billing.card_news") == [(None,)]


def test_news_that_waits_is_never_erased(till: Till) -> None:
    till.paid()
    sql("UPDATE billing.card_news SET handled_at = NULL, outcome = NULL")

    assert erase(till, 900) == 0
    with pytest.raises(IntegrityError, match="card_news_raw_check"):
        sql("UPDATE billing.card_news SET raw = NULL")


def test_news_that_was_erased_is_not_taken_for_new(till: Till) -> None:
    till.paid()
    till.look()
    [event, *_] = till.events()
    erase(till, 900)
    count = till.count("card_news")

    assert till.hook(event) == 200 and till.count("card_news") == count
    till.look()
    assert till.wallet().available.minor == 10_000


def test_the_door_of_these_tests_is_watched(till: Till) -> None:
    till.paid()
    wire = gateway()._client._inner._requestor._client

    assert isinstance(wire, Referee) and len(wire.seen) > 5
