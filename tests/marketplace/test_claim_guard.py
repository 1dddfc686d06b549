"""Who claims too much is capped, and who claims falsely shows a file with each claim and pays for what is rejected."""

import base64
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from core.db import transaction
from core.ids import parse_id
from core.money import Money
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.cli.accounts import credit_by_hand
from marketplace.credit.granting import Line, grant_line
from marketplace.jobs import run_due, settle_due
from marketplace.leads.disputes.guard import is_guarded
from tests.at_once import ask, at_once
from tests.conftest import SetClock
from tests.factories import Market, Member

PROOF = {"name": "proof.txt", "base64": base64.b64encode(b"he called himself Mickey").decode()}


UNPROVED = ("duplicate", "duplicate", "out_of_criteria")


class Trade:
    """A buyer with many sales of one publisher, and whoever decides about them."""

    def __init__(self, market: Market, sales: int, funds: str = "1000.00") -> None:
        self.publisher, self.buyer, self.operator = market.make_publisher(), market.make_buyer(funds), None
        self.operator = market.make_operator()
        market.make_order(self.buyer)
        self.sales = [self.publisher.post("/leads", market.lead())["sales"][0]["id"] for _ in range(sales)]

    def claim(self, number: int, reason: str = "bot", **said: Any) -> Any:
        return self.buyer.request("POST", f"/sales/{self.sales[number]}/disputes", {"reason": reason, **said})

    def decide(self, dispute: Any, decision: str) -> Any:
        answer = self.operator.request("POST", f"/disputes/{dispute['id']}/resolve", {"decision": decision})
        assert answer.status_code == 200, answer.text
        return answer.json

    def rejected(self, claims: int, rejected: int) -> None:
        for number in range(claims):
            self.decide(self.claim(number).json, "reject" if number < rejected else "uphold")


@pytest.fixture
def guarded(market: Market) -> Trade:
    """Give a buyer of 14 sales of whose ten claims three were rejected."""
    trade = Trade(market, 14)
    trade.rejected(10, 3)
    return trade


def money(buyer: Member) -> tuple[str, str]:
    wallet = buyer.get("/wallet")
    return wallet["available"]["amount"], wallet["held"]["amount"]


def test_the_guard_begins_above_its_share_and_never_before_ten_claims() -> None:
    rule = dispute_rules().false_claims
    counts = ((9, 9), (10, 2), (10, 3), (11, 2), (15, 3), (15, 4), (0, 0))
    assert [is_guarded(rule, *each) for each in counts] == [False, False, True, False, False, True, False]


def test_a_buyer_reads_how_he_stands_before_he_claims(market: Market) -> None:
    trade = Trade(market, 11)
    trade.rejected(9, 3)
    standing = trade.buyer.get("/disputes/standing")
    assert (standing["decided"], standing["rejected"], standing["file_required"]) == (9, 3, False)
    assert standing["fee"] == [] and (standing["bought"], standing["sent_back"]) == (11, 6)
    trade.decide(trade.claim(9).json, "uphold")
    standing = trade.buyer.get("/disputes/standing")
    assert (standing["file_required"], standing["fee"][0]) == (True, {"amount": "5.00", "currency": "EUR"})
    assert trade.publisher.request("GET", "/disputes/standing").status_code == 403


def test_without_a_file_a_guarded_buyers_claim_is_refused_and_nothing_changes(guarded: Trade) -> None:
    refused = guarded.claim(10, note="a robot, believe me")
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_dispute")
    assert [(one["field"], one["code"]) for one in refused.json["errors"]] == [("file", "evidence_file_required")]
    assert guarded.buyer.get(f"/sales/{guarded.sales[10]}")["state"] == "delivered"


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ({"name": "p.txt", "base64": "***"}, "bad_format"),
        ({"name": "p.exe", "base64": "TVqQAAMA"}, "file_type_refused"),
    ],
)
def test_a_file_that_is_refused_opens_no_claim(guarded: Trade, file: dict[str, str], code: str) -> None:
    refused = guarded.claim(10, file=file)
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, code)
    assert guarded.buyer.get(f"/sales/{guarded.sales[10]}")["state"] == "delivered"


def test_what_a_machine_decides_needs_no_file(guarded: Trade) -> None:
    assert guarded.claim(10, "duplicate").json["sub_reason"] == "on_own_list"
    assert guarded.claim(11, "duplicate", file=PROOF).json["sub_reason"] is None
    assert guarded.claim(12, "out_of_criteria", sub_reason="wrong_vertical").json["code"] == "invalid_dispute"


def test_a_rejected_claim_costs_its_fee_once_and_an_upheld_one_nothing(guarded: Trade, database_url: str) -> None:
    before = money(guarded.buyer)
    opened, other = (guarded.claim(number, file=PROOF).json for number in (10, 11))
    assert opened["fee"] == {"amount": {"amount": "5.00", "currency": "EUR"}, "state": "due"}
    assert [file["name"] for file in opened["files"]] == ["proof.txt"]
    assert guarded.decide(opened, "reject")["fee"]["state"] == "charged"
    assert guarded.decide(opened, "reject")["fee"]["state"] == "charged"
    assert money(guarded.buyer) == (str(float(before[0]) - 5) + "0", before[1])
    assert guarded.decide(other, "uphold")["fee"]["state"] == "due"
    assert ask(database_url, "SELECT count(*) FROM billing.transactions WHERE kind = 'fee'") == [(1,)]


def test_an_appeal_that_is_won_gives_the_fee_back(guarded: Trade) -> None:
    before = money(guarded.buyer)
    opened = guarded.claim(10, file=PROOF).json
    guarded.decide(opened, "reject")
    guarded.buyer.post(f"/disputes/{opened['id']}/appeal", {"note": "look at the file"})
    assert guarded.decide(opened, "uphold")["fee"]["state"] == "returned"
    assert float(money(guarded.buyer)[0]) == float(before[0]) + 20


def test_a_wallet_that_lacks_the_fee_is_put_into_no_debt(market: Market) -> None:
    trade = Trade(market, 12, "240.00")
    trade.rejected(10, 10)
    assert money(trade.buyer) == ("0.00", "240.00")
    decided = trade.decide(trade.claim(10, file=PROOF).json, "reject")
    assert decided["fee"]["state"] == "waived"
    assert money(trade.buyer) == ("0.00", "240.00")


def test_an_appeal_that_nobody_has_decided_changes_no_standing(guarded: Trade) -> None:
    rejected = [one for one in guarded.buyer.get("/disputes")["items"] if one["state"] == "rejected"]
    for one in rejected:
        guarded.buyer.post(f"/disputes/{one['id']}/appeal", {"note": "look again"})
    standing = guarded.buyer.get("/disputes/standing")
    assert (standing["decided"], standing["rejected"], standing["file_required"]) == (10, 3, True)
    guarded.decide(rejected[0], "uphold")
    assert guarded.buyer.get("/disputes/standing")["rejected"] == 2


def test_after_30_days_rejections_are_forgotten(guarded: Trade, clock: SetClock) -> None:
    clock.advance(days=30)
    assert guarded.buyer.get("/disputes/standing")["decided"] == 0


def test_what_operators_claim_is_nobodys_false_claim(market: Market) -> None:
    trade = Trade(market, 10)
    for sale in trade.sales:
        trade.decide(trade.operator.post("/disputes/claims", {"sale": sale, "reason": "bot"}), "reject")
    assert trade.buyer.get("/disputes/standing")["decided"] == 0


def test_at_once_claims_pass_the_cap_no_further_than_one_by_one(market: Market) -> None:
    trade = Trade(market, 20)
    codes = Counter(answer.status_code for answer in at_once([lambda n=n: trade.claim(n) for n in range(12)]))
    assert codes == {201: 4, 409: 8}  # the fourth is still at the cap: three of twenty are 15 %
    assert trade.buyer.get("/disputes/standing")["return_cap_reached"]
    assert trade.claim(19, "duplicate").status_code == 201


def test_above_the_cap_a_machine_alone_decides_and_rejects_what_it_cannot_prove(
    market: Market, clock: SetClock
) -> None:
    trade = Trade(market, 24)
    for number in range(3):
        trade.claim(number)
    below, *above = (trade.claim(3 + number, reason).json for number, reason in enumerate(UNPROVED))
    assert (below["sub_reason"], [one["sub_reason"] for one in above]) == (None, ["on_own_list", "order_conditions"])
    assert trade.claim(8, "out_of_criteria", sub_reason="person_differs").json["code"] == "return_cap_reached"
    run_due(clock.now())
    states = {one["id"]: one["state"] for one in trade.buyer.get("/disputes")["items"]}
    assert [states[one["id"]] for one in (below, *above)] == ["open", "rejected", "rejected"]


def test_the_cap_rolls_with_the_days_of_the_sales(market: Market, clock: SetClock) -> None:
    trade = Trade(market, 20)
    for number in range(4):
        trade.decide(trade.claim(number).json, "uphold")
    run_due(clock.now())
    assert trade.claim(4).json["code"] == "return_cap_reached"
    clock.advance(days=30)
    assert trade.buyer.get("/disputes/standing")["bought"] == 0
    assert trade.claim(4).json["code"] == "window_closed"
    assert timedelta(days=dispute_rules().return_cap.days) == timedelta(days=30)


def on_credit(market: Market, clock: SetClock, limit: str) -> Trade:
    """Make a guarded buyer whose wallet is empty, with a credit line."""
    trade = Trade(market, 13, "260.00")
    trade.rejected(10, 10)
    with transaction():
        line = Line(Money.parse(limit, "EUR"), 15, "for a test", is_above=True)
        grant_line(parse_id("acc", trade.buyer.id), line, "operator:test", clock.now())
    assert money(trade.buyer)[0] == "0.00"
    return trade


@pytest.mark.parametrize("limit", ["100.00", "20.00"])
def test_who_lives_on_credit_owes_the_fee_at_once_though_the_line_is_used_up(
    market: Market, clock: SetClock, limit: str
) -> None:
    trade = on_credit(market, clock, limit)
    claims = [trade.claim(number, file=PROOF).json for number in (10, 11)]
    assert trade.publisher.post("/leads", market.lead())["status"] == "sold"
    assert [trade.decide(claim, "reject")["fee"]["state"] for claim in claims * 2] == ["charged"] * 4
    clock.advance(seconds=1)
    credit = trade.buyer.get("/wallet")["credit"]
    assert (credit["due"]["amount"], credit["drawn"]["amount"]) == ("10.00", "20.00")
    assert market.make_operator().get(f"/buyers/{trade.buyer.id}/credit-line")["credit"]["room"] == credit["room"]

    credit_by_hand(trade.buyer.id, "30.00", "EUR", "pays what is due first")
    assert money(trade.buyer)[0] == "20.00" and trade.buyer.get("/wallet")["credit"]["due"]["amount"] == "0.00"


def test_a_fee_that_is_owed_stops_the_wallet_when_it_is_overdue(market: Market, clock: SetClock) -> None:
    trade = on_credit(market, clock, "100.00")
    trade.decide(trade.claim(10, file=PROOF).json, "reject")
    assert settle_due(clock.now() + timedelta(days=5) - timedelta(seconds=1))["wallets_stopped"] == 0
    assert settle_due(clock.now() + timedelta(days=5))["wallets_stopped"] == 1
    credit_by_hand(trade.buyer.id, "5.00", "EUR", "paid")
    assert trade.buyer.get("/wallet")["stopped_at"] is None


def test_what_is_there_pays_a_part_of_the_fee(market: Market, clock: SetClock, database_url: str) -> None:
    trade = on_credit(market, clock, "100.00")
    credit_by_hand(trade.buyer.id, "2.00", "EUR", "for a test")
    trade.decide(trade.claim(10, file=PROOF).json, "reject")
    clock.advance(seconds=1)
    assert (money(trade.buyer)[0], trade.buyer.get("/wallet")["credit"]["due"]["amount"]) == ("0.00", "3.00")
    lines = ask(database_url, "SELECT account, amount_minor FROM billing.entries e JOIN billing.transactions t "
                              "ON t.id = e.transaction_id WHERE t.kind = 'fee' ORDER BY line")  # fmt: skip
    assert lines == [(2000, 200), (1110, 300), (4100, -500)]


def test_an_appeal_that_is_won_pays_the_fee_that_is_owed(market: Market, clock: SetClock) -> None:
    trade = on_credit(market, clock, "100.00")
    opened = trade.claim(10, file=PROOF).json
    trade.decide(opened, "reject")
    trade.buyer.post(f"/disputes/{opened['id']}/appeal", {"note": "look at the file"})
    assert trade.decide(opened, "uphold")["fee"]["state"] == "returned"
    wallet = trade.buyer.get("/wallet")
    assert (wallet["available"]["amount"], wallet["credit"]["due"]["amount"]) == ("20.00", "0.00")


def test_the_fee_of_who_owes_is_charged_though_the_line_has_ended(market: Market, clock: SetClock) -> None:
    trade = on_credit(market, clock, "100.00")
    assert trade.publisher.post("/leads", market.lead())["status"] == "sold"
    with transaction():
        line = Line(Money(0, "EUR"), 15, "ended", 1)
        grant_line(parse_id("acc", trade.buyer.id), line, "operator:test", clock.now())
    assert trade.decide(trade.claim(10, file=PROOF).json, "reject")["fee"]["state"] == "charged"
