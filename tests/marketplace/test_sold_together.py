"""Plain leads that come while others are being sold are sold by one statement, each as if it were alone."""

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask import Flask

from billing import Grant, grant_promo, set_credit_line
from core.db import transaction
from core.ids import parse_id
from core.money import Money
from core.outbound import Outbound
from core.prepared import PreparedStatement
from marketplace.leads import together as selling
from marketplace.leads.desk import desk
from marketplace.leads.together import Together
from tests.at_once import ask, at_once, wait_until
from tests.factories import Market, Member
from tests.marketplace.test_straight_sale import UUIDS, missing, stored

Answer = dict[str, Any]
Post = Callable[..., list[Answer]]
ENTRY = "rows"  # by which a batch reaches the database


@pytest.fixture
def publisher(market: Market) -> Member:
    market.make_order(market.make_buyer(), "5.00")  # whom the leads go to that nobody else takes
    return market.make_publisher()


@pytest.fixture
def together(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Together:
    monkeypatch.setattr(selling, "PATIENCE_SECONDS", 60.0)
    with app.app_context():
        return desk().intake._together


@pytest.fixture
def post(market: Market, publisher: Member, together: Together) -> Post:
    """Post leads that all come while one is being sold, and return their answers in the order of the leads."""
    publisher.post("/leads", market.lead())  # loads the book

    def posted(*leads: dict[str, Any]) -> list[Answer]:
        def end_what_was_under_way() -> Answer:
            wait_until(lambda: len(together._queue) == len(leads))
            together._begin_next()
            return {}

        together._is_busy = True
        calls = [lambda lead=lead: publisher.request("POST", "/leads", lead).json for lead in leads]
        return at_once([*calls, end_what_was_under_way], len(leads) + 1)[:-1]

    return posted


def prices(answers: list[Answer]) -> list[str | None]:
    """Return what each lead brought, None for one that did not sell."""
    return [next((sale["price"]["amount"] for sale in answer["sales"]), None) for answer in answers]


def test_what_is_sold_together_leaves_the_rows_of_single_sales(
    app: Flask, market: Market, publisher: Member, post: Post
) -> None:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    market.make_order(market.make_buyer(), "20.00", caps={"day": 10}, regions=["FR-IDF"])
    market.make_order(market.make_buyer(), "30.00", regions=["FR-BRE"],
                      delivery={"kind": "webhook", "url": "https://127.0.0.1/leads"})  # fmt: skip
    leads = [[market.lead(region=region, external_id="the same") for region in ("FR-IDF", "FR-BRE", "FR-IDF")]
             for _ in range(2)]  # fmt: skip
    publisher.post("/leads", market.lead())  # the first sale of an hour begins the order's periods

    before = stored()
    with missing("post_lead"):
        alone = [publisher.post("/leads", lead) for lead in leads[0]]
    between = stored()
    with missing("sell_plain"), missing("post_lead"):
        answers = post(*leads[1])
    after = stored()
    assert [_masked(answer) for answer in answers] == [_masked(answer) for answer in alone]
    for table in after:
        assert sorted(map(_masked, after[table] - between[table])) == sorted(
            map(_masked, between[table] - before[table])
        )


def test_one_statement_sells_them_all(market: Market, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, run = [], PreparedStatement._run

    def counted(statement: PreparedStatement, *asked: Any) -> Any:
        calls.append(statement._name)
        return run(statement, *asked)

    monkeypatch.setattr(PreparedStatement, "_run", counted)
    assert prices(post(*(market.lead() for _ in range(8)))) == ["5.00"] * 8
    assert Counter(calls)[b"sell_together"] == 1 and b"sell_plain" not in calls


def test_each_gets_what_it_would_get_alone(market: Market, publisher: Member, post: Post) -> None:
    broke, full, given, lent = (market.make_buyer(funds) for funds in ("20.00", "1000.00", "0", "0"))
    market.make_order(broke, "20.00", regions=["FR-IDF"])
    market.make_order(full, "20.00", regions=["FR-BRE"], caps={"day": 1})
    market.make_order(given, "20.00", regions=["FR-PAC"])
    market.make_order(lent, "20.00", regions=["FR-NOR"])
    now = market.clock.now()
    with transaction():
        assert grant_promo(parse_id("acc", given.id), Money(2_000, "EUR"), "p", "welcome", "op", now).is_booked
        set_credit_line(
            parse_id("acc", lent.id), Grant(Money(2_000, "EUR"), 7, Money(2_000, "EUR"), "known for long"), "op", now
        )
    known = market.lead(region="FR-OCC")
    assert prices([publisher.post("/leads", lead) for lead in (market.lead(), market.lead(region="FR-BRE"), known)]) \
        == ["20.00", "20.00", "5.00"]  # fmt: skip
    answers = post(
        market.lead(), market.lead(region="FR-BRE"), market.lead(region="FR-PAC"), market.lead(region="FR-NOR"),
        known, market.lead(region="FR-OCC"), market.lead(min_price={"amount": "3.51", "currency": "EUR"}),
    )  # fmt: skip
    assert prices(answers) == ["5.00", "5.00", "20.00", "20.00", None, "5.00", None]
    assert [answer["reasons"] for answer in answers] == [[], [], [], [], ["duplicate"], [], []]


def test_a_person_who_comes_twice_at_once_is_sold_once_and_undoes_no_other_sale(
    market: Market, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, rows = [], PreparedStatement.rows

    def watched(*asked: Any) -> Any:
        said.extend(rows(*asked))
        return said

    monkeypatch.setattr(PreparedStatement, ENTRY, watched)
    twin, other = market.lead(), market.lead()
    answers = post(twin, other, twin)
    assert sorted(answer["status"] for answer in (answers[0], answers[2])) == ["rejected", "sold"]
    assert answers[1]["status"] == "sold"
    assert len(said) == 2 and (b"alone" not in [answer for _, answer in said])


@pytest.mark.parametrize(
    "terms", [{"caps": {"day": 3}}, {"budget": {"day": {"amount": "70.00", "currency": "EUR"}}}, {"funds": "60.00"}]
)
def test_no_more_and_no_less_are_bought_than_there_is_room_for(
    market: Market, publisher: Member, post: Post, terms: dict[str, Any]
) -> None:
    buyer = market.make_buyer(terms.pop("funds", "1000.00"))
    market.make_order(buyer, "20.00", **terms)
    first = publisher.post("/leads", market.lead())
    answers = post(*(market.lead() for _ in range(4)))
    assert Counter(prices([first, *answers])) == {"20.00": 3, "5.00": 2}


def test_a_lead_that_the_database_refuses_is_nothing_to_the_others(
    market: Market, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PreparedStatement, ENTRY, _raising(psycopg.errors.InvalidTextRepresentation("no such value")))
    assert prices(post(*(market.lead() for _ in range(3)))) == ["5.00"] * 3


def test_a_buyer_whose_wallet_is_held_holds_up_nobody_else(
    market: Market, publisher: Member, together: Together, database_url: str
) -> None:
    held = market.make_buyer()
    market.make_order(held, "20.00", regions=["FR-BRE"])
    publisher.post("/leads", market.lead())  # loads the book
    leads = [market.lead(), market.lead(region="FR-BRE"), market.lead()]
    together._is_busy = True
    with psycopg.connect(database_url) as holder, ThreadPoolExecutor(3) as senders:
        holder.execute("SELECT FROM billing.wallets WHERE account_id = %s FOR UPDATE", (parse_id("acc", held.id),))
        answers = [senders.submit(publisher.post, "/leads", lead) for lead in leads]
        wait_until(lambda: len(together._queue) == 3)
        together._begin_next()
        assert prices([answers[0].result(), answers[2].result()]) == ["5.00"] * 2
        assert not answers[1].done()
        holder.rollback()
        assert prices([answers[1].result()]) == ["20.00"]


def test_nobody_waits_for_long_for_what_is_under_way(
    market: Market, publisher: Member, together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selling, "PATIENCE_SECONDS", 0.01)
    publisher.post("/leads", market.lead())
    together._is_busy = True  # and stays so
    assert prices(at_once([lambda: publisher.post("/leads", market.lead())] * 3)) == ["5.00"] * 3
    assert together._queue == []


def test_what_nobody_foresaw_ends_one_call_and_the_others_are_sold(
    app: Flask, market: Market, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr(PreparedStatement, ENTRY, _raising(RuntimeError("nobody foresaw this")))
    answers = post(*(market.lead() for _ in range(3)))
    assert sorted(answer["status"] for answer in answers if answer["status"] == "sold") == ["sold"] * 2
    assert [answer["status"] for answer in answers if answer["status"] != "sold"] == [500]


def test_all_hear_that_the_database_is_away_and_none_is_tried_again(
    market: Market, publisher: Member, post: Post, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = ask(database_url, "SELECT count(*) FROM marketplace.sales")
    with monkeypatch.context() as away:
        away.setattr(PreparedStatement, ENTRY, _raising(psycopg.OperationalError("the server went away")))
        answers = post(*(market.lead() for _ in range(3)))
    assert [(answer["status"], answer["code"]) for answer in answers] == [(503, "database_away")] * 3
    assert ask(database_url, "SELECT count(*) FROM marketplace.sales") == sales
    assert prices([publisher.post("/leads", market.lead())]) == ["5.00"]


def test_those_who_come_meanwhile_are_the_next_batch(market: Market, post: Post, together: Together) -> None:
    sizes, sell_all = [], together._sell_all

    def watched(batch: list[Any]) -> Any:
        sizes.append(len(batch))
        return sell_all(batch)

    together._sell_all = watched  # type: ignore[method-assign]
    assert prices(post(*(market.lead() for _ in range(20)))) == ["5.00"] * 20
    assert sizes == [16, 4]
    assert not together._is_busy and not together._queue


def _masked(written: Any) -> str:
    """Write something without ids and the numbers of persons."""
    return re.sub(r"(lead|sale)_[0-9a-z]{26}", "<id>", UUIDS.sub("<id>", str(written)))


def _raising(error: Exception) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise error

    return refuse
