"""Whoever posts at once is served exactly: no cap, budget or wallet is overdrawn or left unused, no person sold twice.

Every race runs over HTTP against two applications on one database, as two web processes are, and really commits.
"""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask import Flask

from core.clock import Clock
from core.config import Settings
from core.db import pool_of, transaction
from core.ids import parse_id
from marketplace.app import create_app
from marketplace.orders.said import ScheduleBody
from marketplace.orders.standing import change_order
from marketplace.orders.terms import OrderPatch
from tests.at_once import ask, at_once, no_deadlocks, wait_until
from tests.conftest import SetClock
from tests.factories import Market, Member


@pytest.fixture
def other_app(app: Flask, database_url: str, clock: SetClock, tmp_path: Path) -> Iterator[Flask]:
    """A second application on the same database, with order books and a memory of its own."""
    made = create_app(Settings(data_folder=tmp_path, database_url=database_url, pool_size=20), database_url, clock)
    yield made
    pool_of(made).close()


@pytest.fixture
def posts(app: Flask, other_app: Flask, market: Market, database_url: str) -> Iterator["Posts"]:
    """A publisher who posts through both applications; afterwards no deadlock may have happened."""
    with no_deadlocks(database_url, app, other_app):
        yield Posts([app, other_app], market.make_publisher())


class Posts:
    """One publisher's posts, spread over the applications."""

    def __init__(self, apps: list[Flask], publisher: Member) -> None:
        self.members = [Member(app, publisher.id, publisher.key) for app in apps]

    def at_once(self, leads: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Post all leads at once, half of them through each application, and return the answers."""
        return at_once(
            [lambda n=n, lead=lead: self.members[n % 2].post("/leads", lead) for n, lead in enumerate(leads)]
        )


def statuses(answers: list[dict[str, Any]]) -> Counter[str]:
    return Counter(answer["status"] for answer in answers)


def sales_of(answers: list[dict[str, Any]]) -> int:
    return sum(len(answer["sales"]) for answer in answers)


def test_a_cap_of_30_sells_exactly_30(market: Market, posts: Posts) -> None:
    market.make_order(market.make_buyer("10000.00"), caps={"day": 30})
    assert statuses(posts.at_once([market.lead() for _ in range(96)])) == {"sold": 30, "unsold": 66}


def test_a_wallet_for_50_pays_exactly_50_of_200_simultaneous_leads(market: Market, posts: Posts) -> None:
    buyer = market.make_buyer("1000.00")
    market.make_order(buyer, "20.00")
    assert statuses(posts.at_once([market.lead() for _ in range(200)])) == {"sold": 50, "unsold": 150}
    wallet = buyer.get("/wallet")
    assert (wallet["available"]["amount"], wallet["held"]["amount"]) == ("0.00", "1000.00")


@pytest.mark.parametrize(
    ("period", "price", "budget", "sold"), [("hour", "30.00", "100.00", 3), ("total", "7.01", "70.10", 10)]
)
def test_a_budget_is_spent_as_far_as_it_goes_and_never_above(
    market: Market, posts: Posts, period: str, price: str, budget: str, sold: int
) -> None:
    market.make_order(market.make_buyer(), price, budget={period: {"amount": budget, "currency": "EUR"}})
    assert statuses(posts.at_once([market.lead() for _ in range(48)]))["sold"] == sold


def test_of_64_equal_leads_one_is_sold_and_63_are_duplicates(market: Market, posts: Posts) -> None:
    market.make_order(market.make_buyer())
    answers = posts.at_once([market.lead()] * 64)
    assert Counter((answer["status"], *answer["reasons"]) for answer in answers) == {
        ("sold",): 1,
        ("rejected", "duplicate"): 63,
    }


def test_of_leads_that_share_identities_crosswise_no_two_sold_ones_share_one(market: Market, posts: Posts) -> None:
    market.make_order(market.make_buyer("100000.00"))
    people = [(f"cross{n % 12}@example.com", f"+3319900{1200 + n // 12:04}") for n in range(144)]
    random.Random(7).shuffle(people)
    answers = posts.at_once([market.lead(contact={"email": email, "phone": phone}) for email, phone in people])
    sold = [person for person, answer in zip(people, answers, strict=True) if answer["status"] == "sold"]
    emails, phones = {email for email, _ in sold}, {phone for _, phone in sold}
    assert len(sold) == len(emails) == len(phones)
    assert all(email in emails or phone in phones for email, phone in people)


def test_room_for_50_in_five_equal_orders_takes_50_of_50(market: Market, posts: Posts) -> None:
    for _ in range(5):
        market.make_order(market.make_buyer("10000.00"), caps={"total": 10})
    assert statuses(posts.at_once([market.lead() for _ in range(50)])) == {"sold": 50}


def test_funds_for_50_in_five_wallets_take_50_of_50(market: Market, posts: Posts) -> None:
    for _ in range(5):
        market.make_order(market.make_buyer("200.00"), "20.00")
    assert statuses(posts.at_once([market.lead() for _ in range(50)])) == {"sold": 50}


def test_three_sharing_buyers_with_room_for_30_get_each_of_30_leads(market: Market, posts: Posts) -> None:
    for price in ("20.00", "20.00", "21.00"):
        market.make_order(market.make_buyer("10000.00"), price, exclusivity="shared", max_share=3, caps={"day": 30})
    answers = posts.at_once([market.lead() for _ in range(30)])
    assert Counter(len(answer["sales"]) for answer in answers) == {3: 30}


def test_hostile_sets_over_few_wallets_keep_every_limit_and_leave_nobody_out(
    market: Market, posts: Posts, database_url: str
) -> None:
    dice = random.Random(2)
    buyers = [market.make_buyer(f"{dice.randrange(300, 700)}.00") for _ in range(4)]
    for n in range(16):
        buyer = buyers[(n if n % 3 else -n) % 4]
        terms: dict[str, Any] = dice.choice([{}, {"caps": {"day": 9}}, {"caps": {"total": 12, "hour": 10}}])
        if n % 5:
            terms = terms | {"exclusivity": "shared", "max_share": dice.choice([2, 3, 4])}
        market.make_order(buyer, dice.choice(["10.00", "10.00", "11.00"]), **terms)
    answers = posts.at_once([market.lead() for _ in range(160)])
    assert statuses(answers)["unsold"] > 0  # the market is exhausted, or nothing is shown
    counted = "SELECT count(*) FROM marketplace.sales s WHERE s.order_id = c.order_id"
    assert ask(database_url, f"SELECT FROM marketplace.order_counters c WHERE total_leads <> ({counted})"
                             " OR total_leads > leads_ceiling OR total_leads > caps[5]") == []  # fmt: skip
    # Nobody gets room or money back in this race, so whoever was passed over must be exhausted still at its end.
    assert (
        ask(
            database_url,
            """
        SELECT l.id, t ->> 0 FROM marketplace.leads l, json_array_elements(l.decision -> 'tried') AS t
        JOIN marketplace.orders o ON o.id = (t ->> 0)::uuid JOIN marketplace.order_counters c ON c.order_id = o.id
        JOIN billing.wallets w ON w.account_id = o.buyer_id
        WHERE t ->> 2 = 'capped' AND c.total_leads < c.leads_ceiling
           OR t ->> 2 = 'no_funds' AND w.available >= (o.terms ->> 'price_minor')::bigint""",
        )
        == []
    )
    assert ask(database_url, "SELECT FROM marketplace.leads WHERE status = 'unsold'"
                             " AND json_array_length(decision -> 'tried') < 16") == []  # fmt: skip
    assert ask(database_url, "SELECT sum(held), sum(available) >= 0 FROM billing.wallets") == ask(
        database_url, "SELECT sum(price_minor), true FROM marketplace.sales"
    )


def test_each_day_sells_its_cap_when_midnight_comes_in_the_middle_of_the_race(
    market: Market, posts: Posts, clock: SetClock, database_url: str
) -> None:
    market.make_order(market.make_buyer("10000.00"), caps={"day": 10})
    clock.instant = clock.instant.replace(hour=23, minute=59, second=59)
    calls: list[Any] = [lambda lead=market.lead(), n=n: posts.members[n % 2].post("/leads", lead) for n in range(96)]
    calls.insert(48, lambda: clock.advance(seconds=1))
    at_once(calls)
    days = ask(database_url, "SELECT received_at::date, count(*), count(*) FILTER (WHERE status = 'sold')"
                             " FROM marketplace.leads GROUP BY 1")  # fmt: skip
    assert len(days) == 2
    assert all(sold == min(10, received) for _, received, sold in days)


def test_an_answered_price_holds_for_every_lead_posted_afterwards_in_every_process(
    market: Market, posts: Posts
) -> None:
    buyer = market.make_buyer("100000.00")
    order = market.make_order(buyer, "10.00")
    asked, answered = [10], [10]

    def change() -> None:
        for price in range(11, 31):
            asked[0] = price
            buyer.request("PATCH", f"/orders/{order['id']}", {"price": {"amount": f"{price}.00", "currency": "EUR"}})
            answered[0] = price

    def post(n: int) -> list[tuple[int, int, int]]:
        seen = []
        while answered[0] < 30 or not seen:
            least = answered[0]
            [sale] = posts.members[n % 2].post("/leads", market.lead())["sales"]
            seen.append((least, int(sale["price"]["amount"].removesuffix(".00")), asked[0]))
        return seen

    _, *seen = at_once([change, *(lambda n=n: post(n) for n in range(8))])
    assert [each for part in seen for each in part if not each[0] <= each[1] <= each[2]] == []


def test_a_paused_order_buys_nothing_posted_after_the_answer_and_a_resumed_one_everything(
    market: Market, posts: Posts
) -> None:
    buyer = market.make_buyer("100000.00")
    order = market.make_order(buyer)
    for status, outcome in [("paused", "unsold"), ("active", "sold")] * 4:
        assert buyer.request("PATCH", f"/orders/{order['id']}", {"status": status}).status_code == 200
        assert statuses(posts.at_once([market.lead() for _ in range(16)])) == {outcome: 16}


def test_a_new_order_buys_whatever_is_posted_after_its_answer(market: Market, posts: Posts) -> None:
    assert statuses(posts.at_once([market.lead() for _ in range(4)])) == {"unsold": 4}
    market.make_order(market.make_buyer())
    assert statuses(posts.at_once([market.lead() for _ in range(16)])) == {"sold": 16}


def test_a_sale_that_meets_a_change_of_zone_leaves_the_order_able_to_buy(
    app: Flask, market: Market, posts: Posts, clock: Clock, database_url: str
) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, caps={"day": 5})
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    changed = Event()

    def post() -> Any:
        changed.wait(30)
        return posts.members[1].post("/leads", market.lead())

    def move() -> None:
        with app.app_context(), transaction():
            change_order(parse_id("acc", buyer.id), parse_id("ord", order["id"]),
                         OrderPatch(schedule=ScheduleBody("Asia/Tokyo")), "test", clock.now())  # fmt: skip
            changed.set()
            wait_until(lambda: ask(database_url, waiting))

    posts.members[1].post("/leads", market.lead(test=True))  # so that the book is in memory
    _, met = at_once([move, post])
    assert met["status"] == "sold"
    assert [post()["status"] for _ in range(5)] == ["sold"] * 4 + ["unsold"]


def test_32_simultaneous_posts_with_one_idempotency_key_are_one_lead(market: Market, posts: Posts) -> None:
    market.make_order(market.make_buyer())
    lead = market.lead()

    def post(n: int) -> Any:
        return posts.members[n % 2].request("POST", "/leads", lead, Idempotency_Key="one")

    answers = at_once([lambda n=n: post(n) for n in range(32)], threads=32)
    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_in_progress"}
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.data for answer in made}) == 1
    assert len([answer for answer in made if "Idempotency-Replayed" not in answer.headers]) == 1
    assert len(posts.members[0].get("/leads")["items"]) == 1
    again = post(1)
    assert (again.status_code, again.data, again.headers["Idempotency-Replayed"]) == (201, made[0].data, "true")


def test_the_same_key_with_another_body_is_refused_and_with_another_account_is_another_key(
    market: Market, posts: Posts
) -> None:
    lead = market.lead()
    assert posts.members[0].request("POST", "/leads", lead, Idempotency_Key="k").status_code == 201
    other = posts.members[1].request("POST", "/leads", lead | {"region": "FR"}, Idempotency_Key="k")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    broken = posts.members[1].request(
        "POST", "/leads", {"vertical": "nothing"} | lead | {"region": "XX"}, Idempotency_Key="k"
    )
    assert (broken.status_code, broken.json["code"]) == (422, "idempotency_key_reused")
    assert market.make_publisher().request("POST", "/leads", lead, Idempotency_Key="k").status_code == 201


def test_a_refused_body_is_refused_again_with_the_same_answer(market: Market, posts: Posts) -> None:
    bad = market.lead(region="XX")
    first, second = (member.request("POST", "/leads", bad, Idempotency_Key="bad") for member in posts.members)
    assert first.status_code == second.status_code == 422
    assert first.data == second.data
    assert second.headers["Idempotency-Replayed"] == "true"


def test_a_revoked_key_is_refused_at_once_by_every_process_that_remembers_it(market: Market, posts: Posts) -> None:
    seconds, publisher, _ = remembered(market, posts)
    answers = at_once([lambda n=n: seconds[n % 2].request("POST", "/leads", market.lead()) for n in range(16)])
    assert {answer.status_code for answer in answers} == {401}
    assert len(publisher.get("/leads")["items"]) == 1


@pytest.mark.parametrize(
    ("path", "changes", "headers"),
    [
        ("/leads", {}, {"Idempotency_Key": "known"}),
        ("/leads", {"region": "XX"}, {}),
        ("/leads", {"region": "XX"}, {"Idempotency_Key": "new"}),
        ("/leads", {"nonsense": 1}, {}),
        ("/leads/batch", {}, {}),
        ("/leads/batch", {"nonsense": 1}, {}),
    ],
)
def test_a_revoked_key_learns_nothing_whatever_it_posts(
    market: Market, posts: Posts, path: str, changes: dict[str, Any], headers: dict[str, str]
) -> None:
    seconds, publisher, known = remembered(market, posts)
    answers = [second.request("POST", path, known | changes, **headers) for second in seconds]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert publisher.get("/refusals")["items"] == []
    assert len(publisher.get("/leads")["items"]) == 1


def remembered(market: Market, posts: Posts) -> tuple[list[Member], Member, dict[str, Any]]:
    """Revoke a key that has just posted a lead; return it in both processes, its owner with another key, the lead."""
    owner = market.make_publisher()
    made = owner.post("/keys", {"name": "second"})
    seconds = [Member(member.app, owner.id, made["api_key"]) for member in posts.members]
    known = market.lead()
    for second in seconds:
        second.post("/leads", known, Idempotency_Key="known")
    assert owner.request("DELETE", f"/keys/{made['id']}").status_code == 200
    return seconds, owner, known
