"""A source of which too much goes back is warned, then paused; its leads are refused by name until it is readmitted."""

import json
from typing import Any

import pytest

from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.jobs import run_due
from marketplace.leads.source_breaker import Figures, verdict_on
from tests.at_once import ask
from tests.conftest import SetClock
from tests.factories import Market, Member


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (Figures(29, 29, 0), "active"), (Figures(100, 12, 0), "active"), (Figures(100, 13, 0), "warned"),
        (Figures(100, 20, 0), "warned"), (Figures(100, 21, 0), "paused"), (Figures(30, 4, 4), "warned"),
        (Figures(49, 5, 5), "active"), (Figures(60, 3, 3), "active"), (Figures(60, 4, 4), "paused"),
        (Figures(0, 0, 0), "active"),
    ],
)  # fmt: skip
def test_the_rule_has_the_numbers_of_the_table_of_defaults(seen: Figures, verdict: str) -> None:
    assert verdict_on(dispute_rules().source_breaker, seen) == verdict


class Network:
    """A publisher of two sources, and a buyer who bought 30 leads of the bad one."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.publisher, self.operator, self.buyer = market.make_publisher(), market.make_operator(), None
        self.buyers: list[Member] = [market.make_buyer("1000.00") for _ in range(2)]
        self.sales: list[tuple[Member, str]] = []
        for buyer in self.buyers:
            order = market.make_order(buyer)
            for _ in range(15):
                self.sales.append((buyer, self.send("bad")["sales"][0]["id"]))
            buyer.request("PATCH", f"/orders/{order['id']}", {"status": "paused"})
        market.make_order(market.make_buyer("1000.00"))

    def send(self, source: str) -> Any:
        return self.publisher.post("/leads", self.market.lead(source={"name": source}))

    def send_back(self, sales: int) -> None:
        for buyer, sale in self.sales[:sales]:
            opened = buyer.post(f"/sales/{sale}/disputes", {"reason": "prank"})
            self.publisher.post(f"/disputes/{opened['id']}/answer", {"accept": True})
        del self.sales[:sales]


@pytest.fixture
def network(market: Market) -> Network:
    return Network(market)


def standing(member: Member) -> list[tuple[str, str]]:
    return [(one["source"], one["standing"]) for one in member.get("/source-standings")["items"]]


def test_a_source_is_warned_then_paused_and_only_its_leads_are_refused(
    network: Network, clock: SetClock, database_url: str
) -> None:
    network.send_back(3)
    run_due(clock.now())
    assert standing(network.publisher) == []
    network.send_back(1)
    assert run_due(clock.now())["sources_looked_at"] == 1
    assert standing(network.publisher) == [("bad", "warned")]
    assert network.send("bad")["status"] == "sold"
    network.send_back(4)  # 8 of 31
    run_due(clock.now())
    assert standing(network.publisher) == standing(network.operator) == [("bad", "paused")]
    refused = network.send("bad")
    assert (refused["status"], refused["reasons"]) == ("rejected", ["source_paused"])
    assert network.send("good")["status"] == "sold"
    rows = "\n".join(json.dumps(network.market.lead(source={"name": name})) for name in ("bad", "good"))
    sent = {"Authorization": f"Bearer {network.publisher.key}", "Content-Type": "application/x-ndjson"}
    batch = network.publisher.app.test_client().post("/api/v1/leads/batch", data=rows, headers=sent).json["items"]
    assert [row["reasons"] for row in batch] == [["source_paused"], []]
    news = ask(database_url, "SELECT payload ->> 'event', jsonb_array_length(payload -> 'accounts') FROM core.outbox"
                             " WHERE payload ->> 'event' LIKE 'source.%%' ORDER BY 1")  # fmt: skip
    assert news == [("source.paused", 2), ("source.warned", 2)]
    moves = ask(database_url, "SELECT move, why FROM marketplace.events WHERE actor = 'system:breaker' ORDER BY id")
    assert [move for move, _ in moves] == ["active>warned", "warned>paused"]
    assert "8 of 31 sales went back" in moves[1][1]


def test_a_readmitted_source_begins_anew(network: Network, clock: SetClock) -> None:
    network.send_back(7)
    run_due(clock.now())
    clock.advance(minutes=1)
    body = {"publisher": network.publisher.id, "source": "bad", "standing": "active", "note": "they mended the form"}
    assert network.operator.post("/source-standings", body)["standing"] == "active"
    assert network.send("bad")["status"] == "sold"
    network.send_back(1)
    run_due(clock.now())
    assert standing(network.publisher) == [("bad", "active")]


def test_an_operator_pauses_a_source_by_hand(network: Network) -> None:
    body = {"publisher": network.publisher.id, "source": "good", "standing": "paused"}
    network.operator.post("/source-standings", body)
    assert network.send("good")["reasons"] == ["source_paused"]
    refused = network.operator.request("POST", "/source-standings", body | {"standing": "warned"})
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_source_standing")
    assert network.publisher.request("POST", "/source-standings", body).status_code == 403
    unknown = network.operator.request("POST", "/source-standings", body | {"publisher": network.operator.id})
    assert unknown.status_code == 404


def test_what_the_platform_paid_for_is_not_the_sources_fault(network: Network, clock: SetClock) -> None:
    for buyer, sale in network.sales[:8]:
        buyer.post(f"/sales/{sale}/disputes", {"reason": "prank"})
    run_due(clock.advance(days=12))
    assert standing(network.publisher) == []
