"""One verdict decides every sale of a cluster whose money is still held, each with its own line, and only once."""

from datetime import timedelta
from typing import Any

import pytest

from core.clock import as_rfc3339
from marketplace.jobs import run_due
from tests.at_once import ask, at_once
from tests.conftest import START, SetClock
from tests.deals import RELEASE
from tests.factories import Market, Member

WEEK = {"from": as_rfc3339(START), "to": as_rfc3339(START + timedelta(days=7))}


def source(sub: str = "s9", ip: str = "203.0.113.9", name: str = "default") -> dict[str, Any]:
    return {"name": name, "sub": {"1": "campaign", "2": sub}, "ip": ip}


def asked(publisher: Member, by: str, value: str, **said: Any) -> dict[str, Any]:
    return {"by": by, "publisher": publisher.id, "value": value, "decision": "uphold", "reason": "bot"} | WEEK | said


@pytest.fixture
def trade(market: Market) -> tuple[Member, Member, Member]:
    """Sell three leads of sub id s9, one of s1 and one of another network and source."""
    publisher, buyer = market.make_publisher(), market.make_buyer("200.00")
    market.make_order(buyer)
    for sold in (source(), source(), source(), source("s1"), source("s2", "198.51.100.7", "fair")):
        publisher.post("/leads", market.lead(source=sold))
    return publisher, buyer, market.make_operator()


@pytest.mark.parametrize(
    ("by", "value", "sales"),
    [("sub_id", "s9", 3), ("sub_id", "campaign", 5), ("source", "fair", 1), ("network", "203.0.113.0/24", 4),
     ("network", "2001:db8::/32", 0), ("sub_id", "s", 0)],
)  # fmt: skip
def test_a_cluster_is_decided_sale_by_sale(trade, database_url: str, by: str, value: str, sales: int) -> None:
    publisher, buyer, operator = trade
    report = operator.post("/disputes/groups", asked(publisher, by, value, note="a bot farm"))
    assert (report["sales"], report["decided"], report["skipped"]) == (sales, sales, {})
    assert report["returned"] == ([{"amount": f"{20 * sales}.00", "currency": "EUR"}] if sales else [])
    assert len(buyer.get("/sales?state=returned")["items"]) == sales
    assert buyer.get("/wallet")["available"]["amount"] == f"{100 + 20 * sales}.00"
    assert ask(database_url, "SELECT count(*) FROM marketplace.events WHERE move = 'open>upheld'") == [(sales,)]
    assert {one["group"] for one in publisher.get("/disputes")["items"]} <= {report["id"]}


def test_the_same_verdict_again_changes_nothing(trade) -> None:
    publisher, buyer, operator = trade
    body = asked(publisher, "sub_id", "s9")
    reports = at_once([lambda: operator.post("/disputes/groups", body)] * 8)
    assert all(report == reports[0] for report in reports)
    assert buyer.get("/wallet")["available"]["amount"] == "160.00"


def test_what_is_not_held_any_more_is_left_alone_and_counted(trade, clock: SetClock) -> None:
    publisher, buyer, operator = trade
    sales = [one["id"] for one in buyer.get("/sales")["items"]][-3:]  # those of s9
    buyer.post(f"/sales/{sales[0]}/disputes", {"reason": "prank"})
    opened = buyer.post(f"/sales/{sales[1]}/disputes", {"reason": "prank"})
    operator.post(f"/disputes/{opened['id']}/resolve", {"decision": "reject"})
    report = operator.post("/disputes/groups", asked(publisher, "sub_id", "s9"))
    assert (report["sales"], report["decided"], report["skipped"]) == (3, 2, {"already_decided": 1})
    run_due(RELEASE)
    later = operator.post("/disputes/groups", asked(publisher, "sub_id", "campaign", reason="prank"))
    assert (later["decided"], later["skipped"]) == (0, {"not_held_any_more": 4, "already_decided": 1})


def test_a_cluster_that_was_disputed_in_error_is_rejected_at_once(trade) -> None:
    publisher, buyer, operator = trade
    [fair] = [one["id"] for one in buyer.get("/sales")["items"]][:1]
    buyer.post(f"/sales/{fair}/disputes", {"reason": "bot"})
    report = operator.post("/disputes/groups", asked(publisher, "sub_id", "campaign", decision="reject"))
    assert (report["decided"], report["skipped"], report["returned"]) == (1, {"not_disputed": 4}, [])
    assert buyer.get(f"/sales/{fair}")["state"] == "delivered"


@pytest.mark.parametrize(
    ("said", "code"),
    [({"to": WEEK["from"]}, "invalid_group"), ({"by": "network", "value": "nowhere"}, "invalid_group"),
     ({"reason": "dear"}, "invalid_dispute")],
)  # fmt: skip
def test_a_group_that_makes_no_sense_is_refused(trade, said: dict[str, Any], code: str) -> None:
    publisher, _, operator = trade
    refused = operator.request("POST", "/disputes/groups", asked(publisher, "sub_id", "s9") | said)
    assert (refused.status_code, refused.json["code"]) == (422, code)


def test_only_operators_decide_clusters(trade) -> None:
    publisher, buyer, _ = trade
    for member in (publisher, buyer):
        assert member.request("POST", "/disputes/groups", asked(publisher, "sub_id", "s9")).status_code == 403
