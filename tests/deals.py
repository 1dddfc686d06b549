"""One lead sold for 20.00 with its publisher, buyer and operator: what every test of disputes begins with."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from tests.conftest import START
from tests.factories import Market, Member

RELEASE = START + timedelta(days=30)


@dataclass
class Deal:
    """One lead sold for 20.00, and all concerned."""

    market: Market
    publisher: Member
    buyer: Member
    operator: Member
    sale: str

    def dispute(self, reason: str = "bot", **said: Any) -> Any:
        """Open the dispute; it must be accepted."""
        return self.buyer.post(f"/sales/{self.sale}/disputes", {"reason": reason, **said})

    def decide(self, dispute: Any, decision: str, **said: Any) -> TestResponse:
        """Let the operator decide."""
        return self.operator.request("POST", f"/disputes/{dispute['id']}/resolve", {"decision": decision, **said})

    def money(self) -> tuple[str, ...]:
        """Return what is available and held at the buyer's, pending, payable and in reserve at the publisher's."""
        wallet, balance = self.buyer.get("/wallet"), self.publisher.get("/balance")
        parts = (wallet["available"], wallet["held"], balance["pending"], balance["payable"], balance["reserve"])
        return tuple(part["amount"] for part in parts)

    def state(self) -> str:
        """Return the state of the sale as its buyer sees it."""
        state: str = self.buyer.get(f"/sales/{self.sale}")["state"]
        return state

    def now(self) -> Any:
        """Return the dispute as it is now."""
        return self.operator.get("/disputes")["items"][0]


SOLD = ("80.00", "20.00", "14.00", "0.00", "0.00")
SETTLED = ("80.00", "0.00", "0.00", "11.20", "2.80")
RETURNED = ("100.00", "0.00", "0.00", "0.00", "0.00")
COMPENSATED = ("100.00", "0.00", "0.00", "14.00", "0.00")


def make_deal(market: Market, lead: dict[str, Any] | None = None, **order: Any) -> Deal:
    """Sell one lead."""
    publisher, buyer = market.make_publisher(), market.make_buyer("100.00")
    market.make_order(buyer, "20.00", **order)
    [sale] = publisher.post("/leads", lead or market.lead())["sales"]
    return Deal(market, publisher, buyer, market.make_operator(), sale["id"])


def upload(
    member: Member, dispute: Any, data: bytes, name: str = "proof.txt", field: str = "file", **more: str
) -> TestResponse:
    """Send a file to a dispute."""
    headers = {"Authorization": f"Bearer {member.key}", "Content-Type": "multipart/form-data; boundary=edge"} | more
    head = f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    form = head.encode() + data + b"\r\n--edge--\r\n"
    return member.app.test_client().post(f"/api/v1/disputes/{dispute['id']}/evidence", data=form, headers=headers)


def saved(member: Member, link: str) -> TestResponse:
    """Save a file."""
    return member.app.test_client().get(link, headers={"Authorization": f"Bearer {member.key}"})
