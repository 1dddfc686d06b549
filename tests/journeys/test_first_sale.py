"""The first journey: a lead is posted, sold, disputed, settled and paid, over HTTP alone."""

from datetime import UTC, datetime

from marketplace.jobs import run_due
from tests.factories import Market


def test_a_lead_goes_from_the_post_to_the_publishers_balance(market: Market) -> None:
    publisher, buyer, operator = market.make_publisher(), market.make_buyer("100.00"), market.make_operator()
    market.make_order(buyer, regions=["FR-IDF"])

    posted = publisher.post("/leads", market.lead())
    assert posted["status"] == "sold"
    assert posted["payout"] == {"amount": "14.00", "currency": "EUR"}
    assert buyer.get("/wallet")["available"]["amount"] == "80.00"
    assert publisher.get("/balance")["pending"]["amount"] == "14.00"

    sale = buyer.get("/sales")["items"][0]
    assert sale["lead"]["contact"]["email"].endswith("@example.com")
    dispute = buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "mistyped"})
    operator.post(f"/disputes/{dispute['id']}/resolve", {"decision": "reject"})

    assert run_due(datetime(2026, 12, 22, 9, 59, tzinfo=UTC))["settlements"] == 0
    assert run_due(datetime(2026, 12, 22, 10, 0, tzinfo=UTC))["settlements"] == 1
    balance = publisher.get("/balance")
    assert (balance["payable"]["amount"], balance["reserve"]["amount"]) == ("11.20", "2.80")
    assert run_due(datetime(2027, 3, 1, tzinfo=UTC))["reserves"] == 1
    assert publisher.get("/balance")["payable"]["amount"] == "14.00"
    assert buyer.get("/wallet")["held"]["amount"] == "0.00"


def test_an_equal_lead_is_a_duplicate_and_sells_nothing(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer)
    lead = market.lead()
    publisher.post("/leads", lead)

    again = publisher.post("/leads", lead)

    assert (again["status"], again["reasons"]) == ("rejected", ["duplicate"])
    assert len(buyer.get("/sales")["items"]) == 1
    assert publisher.get(f"/leads/{again['id']}/why")["items"] == []


def test_an_upheld_dispute_returns_the_whole_price_and_masks_the_contact(market: Market) -> None:
    publisher, buyer, operator = market.make_publisher(), market.make_buyer("100.00"), market.make_operator()
    market.make_order(buyer)
    posted = publisher.post("/leads", market.lead())
    sale_id = posted["sales"][0]["id"]
    dispute = buyer.post(f"/sales/{sale_id}/disputes", {"reason": "prank"})

    operator.post(f"/disputes/{dispute['id']}/resolve", {"decision": "uphold"})

    assert buyer.get("/wallet")["available"]["amount"] == "100.00"
    assert buyer.get(f"/sales/{sale_id}")["lead"]["contact"] is None
    assert publisher.get(f"/leads/{posted['id']}")["sales"][0]["state"] == "returned"
    assert publisher.get("/balance")["pending"]["amount"] == "0.00"
