"""Makers for tests: accounts, orders and leads, made over the same ways that people use."""

import itertools
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from core.clock import Clock, as_rfc3339
from marketplace.cli.accounts import credit_by_hand, make_account

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Member:
    """An account of a test: its id and its key, and requests made with it."""

    app: Flask
    id: str
    key: str

    def request(self, method: str, path: str, json: Any = None, **headers: str) -> TestResponse:
        """Make a request with this account's key; header names may be written with underscores."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        sent = {"Authorization": f"Bearer {self.key}"} | named
        return self.app.test_client().open(f"/api/v1{path}", method=method, json=json, headers=sent)

    def get(self, path: str) -> Any:
        """Read something that must be there."""
        response = self.request("GET", path)
        assert response.status_code == 200, response.text
        return response.json

    def post(self, path: str, json: Any = None, **headers: str) -> Any:
        """Post something that must be accepted."""
        response = self.request("POST", path, json or {}, **headers)
        assert response.status_code in (200, 201), response.text
        return response.json


class Market:
    """A market to fill."""

    def __init__(self, app: Flask, clock: Clock) -> None:
        self.app = app
        self.clock = clock

    def make(self, kind: str) -> Member:
        """Make an account of a kind."""
        number = next(_numbers)
        made = make_account(kind, f"{kind} {number}", f"{kind}{number}@example.com", "a good password")
        return Member(self.app, made["account_id"], made["api_key"])

    def make_publisher(self) -> Member:
        """Make a publisher."""
        return self.make("publisher")

    def make_operator(self) -> Member:
        """Make an operator."""
        return self.make("operator")

    def make_buyer(self, funds: str = "1000.00") -> Member:
        """Make a buyer with funds in EUR."""
        buyer = self.make("buyer")
        if funds != "0":
            credit_by_hand(buyer.id, funds, "EUR", "for a test")
        return buyer

    def make_order(self, buyer: Member, price: str = "20.00", **terms: Any) -> Any:
        """Place an order, exclusive and unlimited unless told otherwise."""
        body = {"name": "an order", "vertical": "education", "price": {"amount": price, "currency": "EUR"}}
        return buyer.post("/orders", body | terms)

    def lead(self, **changes: Any) -> dict[str, Any]:
        """Write a lead of a person whom no other lead of this run names."""
        number = next(_numbers)
        body: dict[str, Any] = {
            "vertical": "education",
            "region": "FR-IDF",
            "contact": {"first_name": "Ada", "email": f"person{number}@example.com"},
            "attributes": {"course": "business", "occupation": "student"},
            "channel": "search",
            "consent": {"text": "Yes, schools may call me.", "given_at": as_rfc3339(self.clock.now())},
        }
        return body | changes
